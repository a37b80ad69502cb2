// A generation on the wire: its routes in pieces, then the rest of the config, so that no message keeps a worker from its requests for long.
import type { Config, RouteConfig } from './config/config.ts';
import { routePieces, type RoutePiece } from './config/route-pieces.ts';

/** Routes of the generation that follows, in their order. */
export interface RoutesMessage {
  readonly type: 'routes';
  readonly generation: number;
  readonly routes: readonly RouteConfig[];
}

/** Pieces of the generation that went this way before, which stand here in the one that follows. */
export interface SameRoutesMessage {
  readonly type: 'same_routes';
  readonly generation: number;
  /** Numbers of pieces, from 0. */
  readonly from: number;
  readonly count: number;
}

/** The config to serve with, in full, but for its routes, which came in so many pieces. Numbers only rise. */
export interface GenerationMessage {
  readonly type: 'generation';
  readonly generation: number;
  readonly config: Config;
  readonly pieces: number;
}

/** The lines to send, each a message. Made from texts that the config has already. */
export function encodeGeneration(generation: number, config: Config): readonly string[] {
  const pieces = routePieces(config.routes);
  return [...pieces.map(({ text }) => routesLine(generation, text)), lastLine(generation, config, pieces.length)];
}

/** As above, to who has the routes of `before`. */
export function encodeNextGeneration(generation: number, config: Config, before: readonly RouteConfig[]): readonly string[] {
  const places = new Map<RoutePiece, number>(routePieces(before).map((piece, index) => [piece, index]));
  const pieces = routePieces(config.routes);
  const lines: string[] = [];
  for (let at = 0; at < pieces.length;) {
    const piece = pieces[at];
    if (piece === undefined) break;
    const from = places.get(piece);
    if (from === undefined) {
      lines.push(routesLine(generation, piece.text));
      at += 1;
      continue;
    }
    const start = at;
    for (at += 1; places.get(pieces[at] ?? piece) === from + at - start;) at += 1;
    const message: SameRoutesMessage = { type: 'same_routes', generation, from, count: at - start };
    lines.push(`${JSON.stringify(message)}\n`);
  }
  return [...lines, lastLine(generation, config, pieces.length)];
}

const routesLine = (generation: number, text: string): string => `{"type":"routes","generation":${generation},"routes":${text}}\n`;

function lastLine(generation: number, config: Config, pieces: number): string {
  const message: GenerationMessage = { type: 'generation', generation, config: { ...config, routes: [] }, pieces };
  return `${JSON.stringify(message)}\n`;
}

type Pieces = readonly (readonly RouteConfig[])[];

/** Puts generations together again that come over one link. */
export class GenerationAssembly {
  #generation = 0;
  #pieces: (readonly RouteConfig[])[] = [];
  /** Of the generation before. */
  #before: Pieces = [];

  take(message: RoutesMessage | SameRoutesMessage): void {
    if (message.generation !== this.#generation) this.#pieces = [];
    this.#generation = message.generation;
    if (message.type === 'routes') this.#pieces.push(message.routes);
    else this.#pieces.push(...this.#before.slice(message.from, message.from + message.count));
  }

  /** Throws when pieces are missing: the link has to start over. */
  complete(message: GenerationMessage): GenerationMessage {
    const pieces = message.generation === this.#generation ? this.#pieces : [];
    this.#pieces = [];
    if (pieces.length !== message.pieces)
      throw new Error(`generation ${message.generation} came with ${pieces.length} of ${message.pieces} pieces`);
    this.#before = pieces;
    return { ...message, config: { ...message.config, routes: pieces.flat() } };
  }
}
