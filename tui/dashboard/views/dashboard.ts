// The whole frame for a state: header, alerts, the body of the screen, footer. Pure: the same state gives the same frame.
import { cell, fitFrame, type Frame, type Size } from '../frame.ts';
import { type Glyphs, toAscii } from '../glyphs.ts';
import { current, type DashboardState, shown } from '../model.ts';
import { eventRows, targetId, targetRows } from '../rows.ts';
import { EVENT_TABLE } from './event-table.ts';
import { alertLines, footerLine, headerLine, totalsLine } from './header.ts';
import { helpLines } from './help.ts';
import { overviewLines } from './overview.ts';
import { listLines, listTitle, ruleLine } from './parts.ts';
import { TARGET_TABLE } from './service-tables.ts';

/** Below this nothing useful fits. */
export const MINIMUM_SIZE: Size = { columns: 60, rows: 15 };

/** Exactly `state.size.rows` lines of `state.size.columns` cells. */
export function dashboardFrame(state: DashboardState, glyphs: Glyphs): Frame {
  const frame = fitFrame(frameLines(state, glyphs), state.size, glyphs.ellipsis);
  return glyphs.ascii ? frame.map((line) => line.map((part) => cell(toAscii(part.text), part.style))) : frame;
}

function frameLines(state: DashboardState, glyphs: Glyphs): Frame {
  const { columns, rows } = state.size;
  if (columns < MINIMUM_SIZE.columns || rows < MINIMUM_SIZE.rows) {
    return [[cell(`terminal too small (${columns}x${rows}), need ${MINIMUM_SIZE.columns}x${MINIMUM_SIZE.rows}`, 'warn')]];
  }
  const top: Frame = [headerLine(state), totalsLine(state), ...alertLines(state, rows < 24 ? 1 : 3)];
  const height = rows - top.length - 1;
  const body = fitFrame(bodyLines(state, glyphs, height), { columns, rows: height }, glyphs.ellipsis);
  return [...top, ...body, footerLine(state)];
}

function bodyLines(state: DashboardState, glyphs: Glyphs, height: number): Frame {
  if (state.help) return helpLines(state, glyphs, height);
  switch (state.screen) {
    case 'overview':
      return overviewLines(state, glyphs, height);
    case 'services':
      return servicesLines(state, glyphs, height);
    case 'events':
      return eventsLines(state, glyphs, height);
  }
}

function servicesLines(state: DashboardState, glyphs: Glyphs, height: number): Frame {
  const { snapshot } = shown(state);
  if (snapshot === null) return [];
  const list = current(state);
  const rows = targetRows(snapshot.status, list);
  const all = snapshot.status.services.reduce((sum, service) => sum + service.targets.length, 0);
  const empty = all === 0 ? 'no services are configured' : 'no target matches the filter; Esc clears it';
  return [
    ruleLine(listTitle('targets', list, { shown: rows.length, all }), state.size.columns, glyphs),
    ...listLines({ state, list, glyphs, rows, id: targetId, table: TARGET_TABLE, height: height - 2, empty }),
  ];
}

function eventsLines(state: DashboardState, glyphs: Glyphs, height: number): Frame {
  const { snapshot } = shown(state);
  if (snapshot === null) return [];
  const list = current(state);
  const rows = eventRows(snapshot.status, list);
  const all = snapshot.status.events.length;
  const empty = all === 0 ? 'nothing has happened yet' : 'no event matches the filter; Esc clears it';
  return [
    ruleLine(listTitle('events', list, { shown: rows.length, all }), state.size.columns, glyphs),
    ...listLines({ state, list, glyphs, rows, id: (row) => String(row.sequence), table: EVENT_TABLE, height: height - 2, empty }),
  ];
}
