// The routes of a config as JSON text, in pieces: hashed, and sent to the workers, as one and the same text that is made once.
import type { RouteConfig } from './config.ts';

/** Some 70 KB: reading a piece keeps a worker from its requests for less than a millisecond. */
export const ROUTES_PER_PIECE = 256;

const known = new WeakMap<readonly RouteConfig[], readonly string[]>();

/** JSON lists that make the whole list one after the other. Keys stand in the order that the shapes have, whatever the file's order. */
export function routeTexts(routes: readonly RouteConfig[]): readonly string[] {
  const before = known.get(routes);
  if (before !== undefined) return before;
  const texts: string[] = [];
  for (let from = 0; from < routes.length; from += ROUTES_PER_PIECE)
    texts.push(JSON.stringify(routes.slice(from, from + ROUTES_PER_PIECE)));
  known.set(routes, texts);
  return texts;
}
