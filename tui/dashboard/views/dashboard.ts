// The whole frame for a state: header, alerts, the body of the screen, what lies over it, footer. Pure: the same state gives the same frame.
import { cell, fitFrame, type Frame, type Size } from '../frame.ts';
import { ASCII_GLYPHS, type Glyphs, toAscii, UNICODE_GLYPHS } from '../glyphs.ts';
import { overlayLines } from '../overlays/draw.ts';
import { SCREENS } from '../screens/registry.ts';
import { sightOf } from '../sight.ts';
import type { DashboardState } from '../state.ts';
import { footerLine, topLines } from './header.ts';

/** Below this nothing useful fits. */
export const MINIMUM_SIZE: Size = { columns: 60, rows: 15 };

/** Exactly `state.size.rows` lines of `state.size.columns` cells. */
export function dashboardFrame(state: DashboardState): Frame {
  const glyphs = state.look.ascii ? ASCII_GLYPHS : UNICODE_GLYPHS;
  const frame = fitFrame(frameLines(state, glyphs), state.size, glyphs.ellipsis);
  return glyphs.ascii ? frame.map((line) => line.map((part) => ({ ...part, text: toAscii(part.text) }))) : frame;
}

function frameLines(state: DashboardState, glyphs: Glyphs): Frame {
  const { columns, rows } = state.size;
  if (columns < MINIMUM_SIZE.columns || rows < MINIMUM_SIZE.rows) {
    return [[cell(`terminal too small (${columns}x${rows}), need ${MINIMUM_SIZE.columns}x${MINIMUM_SIZE.rows}`, 'warn')]];
  }
  const top = topLines(state);
  const height = rows - top.length - 1;
  const body = fitFrame(bodyLines(state, glyphs, height), { columns, rows: height }, glyphs.ellipsis);
  return [...top, ...body, footerLine(state)];
}

/** What lies over the screen takes the lower part, so that the rows it is about stay in sight as far as there is room. */
function bodyLines(state: DashboardState, glyphs: Glyphs, height: number): Frame {
  const over = state.overlay === null ? [] : overlayLines(state, glyphs, height).slice(0, height);
  const left = height - over.length;
  const sight = left > 0 ? sightOf(state) : null;
  const under = sight === null ? [] : SCREENS[state.screen].lines({ ...sight, glyphs }, left).slice(0, left);
  if (over.length === 0) return under;
  return [...Array.from({ length: left }, (_, index) => under[index] ?? []), ...over];
}
