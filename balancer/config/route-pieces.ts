// The routes of a config as JSON text, in pieces: hashed, and sent to the workers, as one and the same text that is made once.
import type { RouteConfig } from './config.ts';

/** Some 70 KB: reading a piece keeps a worker from its requests for less than a millisecond. */
export const ROUTES_PER_PIECE = 256;

export interface RoutePiece {
  readonly routes: readonly RouteConfig[];
  /** A JSON list. Keys stand in the order that the shapes have, whatever the file's order. */
  readonly text: string;
}

/** By the first route: a change leaves most routes the objects they were, and so the pieces between its own. */
const known = new WeakMap<RouteConfig, RoutePiece>();
const ofRoutes = new WeakMap<readonly RouteConfig[], readonly RoutePiece[]>();

/** Smaller ones are made again with their neighbours, so that many changes do not leave thousands of them. */
const LEAST_KEPT = ROUTES_PER_PIECE / 4;

/** All routes, in their order. Where one piece ends and the next begins depends on what was there before. */
export function routePieces(routes: readonly RouteConfig[]): readonly RoutePiece[] {
  const before = ofRoutes.get(routes);
  if (before !== undefined) return before;
  const pieces: RoutePiece[] = [];
  let from = 0;
  const cut = (to: number): void => {
    if (to > from) pieces.push(pieceOf(routes.slice(from, to)));
    from = to;
  };
  for (let at = 0; at < routes.length;) {
    const piece = keptPiece(routes, at);
    if (piece === null) {
      at += 1;
      if (at - from === ROUTES_PER_PIECE) cut(at);
      continue;
    }
    cut(at);
    pieces.push(piece);
    at += piece.routes.length;
    from = at;
  }
  cut(routes.length);
  ofRoutes.set(routes, pieces);
  return pieces;
}

function keptPiece(routes: readonly RouteConfig[], at: number): RoutePiece | null {
  const first = routes[at];
  const piece = first === undefined ? undefined : known.get(first);
  if (piece === undefined || piece.routes.length < LEAST_KEPT) return null;
  return piece.routes.every((route, index) => route === routes[at + index]) ? piece : null;
}

function pieceOf(routes: readonly RouteConfig[]): RoutePiece {
  const piece = { routes, text: JSON.stringify(routes) };
  const [first] = routes;
  if (first !== undefined) known.set(first, piece);
  return piece;
}
