// A state with the signs it is drawn with.
import { ASCII_GLYPHS, UNICODE_GLYPHS } from './glyphs.ts';
import { lookingAt } from './lists.ts';
import type { Sight } from './screen-definition.ts';
import { type DashboardState, shown } from './state.ts';

/** Null: there is no news yet. */
export function sightOf(state: DashboardState): Sight | null {
  const looking = lookingAt(state);
  if (looking === null) return null;
  return { ...looking, glyphs: state.look.ascii ? ASCII_GLYPHS : UNICODE_GLYPHS, nowMs: shown(state).nowMs };
}
