// From screen to screen: words of the command line, rows that are opened, what is read in full, and how long texts are scrolled to their ends.
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { frameText } from '../../../../tui/dashboard/frame.ts';
import type { Action } from '../../../../tui/dashboard/model.ts';
import { current, type DashboardState } from '../../../../tui/dashboard/state.ts';
import { dashboardFrame } from '../../../../tui/dashboard/views/dashboard.ts';
import { after, liveState } from '../../../support/dashboard-state.ts';
import { busyStatus, eventView } from '../../../support/statuses.ts';

const CLASSIC = { columns: 80, rows: 24 };
const text = (state: DashboardState): string => frameText(dashboardFrame(state));
const press = (...keys: readonly string[]): readonly Action[] => keys.map((key) => ({ type: 'overlayKey', key }));

/** A line of the command line, as it is typed. */
function run(state: DashboardState, line: string): DashboardState {
  return after({ ...state, asks: [] }, { type: 'overlay', kind: 'command' }, { type: 'overlayText', text: line }, ...press('enter'));
}

describe('a word of the command line', () => {
  test('shows a screen, with a filter or with what it is about, and Escape leads back', () => {
    const filtered = run(liveState(CLASSIC), 'services shop');
    deepEqual([filtered.screen, current(filtered).filter, filtered.overlay], ['services', 'shop', null]);
    equal(after(filtered, { type: 'back' }, { type: 'back' }).screen, 'overview');
    const cluster = run(liveState(CLASSIC), 'cluster us-east');
    deepEqual([cluster.screen, cluster.subjects.cluster], ['cluster', 'us-east']);
    const service = run(liveState(CLASSIC), 'service search');
    deepEqual([service.screen, service.subjects.service], ['service', 'search']);
    ok(service.asks.some(({ kind }) => kind === 'results'));
  });

  test('that names nothing there is says so, and what has options is a command', () => {
    const unknown = run(liveState(CLASSIC), 'cluster nowhere');
    deepEqual([unknown.screen, unknown.said?.text], ['overview', 'no cluster is named nowhere']);
    const command = run(liveState(CLASSIC), 'events --code health');
    deepEqual(
      command.asks.flatMap((ask) => (ask.kind === 'line' ? [ask.words] : [])),
      [['events', '--code', 'health']],
    );
  });
});

describe('a row', () => {
  test('of an event is read in full, with its code, where its line has no room; of a change it shows the change', () => {
    const long = `cluster za-cape is down: ${'a very long reason '.repeat(8)}, and its end`;
    const events = [eventView(51, 'health', long), eventView(50, 'revision', 'revision 42 by alice: shop blue 100 → 90')];
    const state = after(liveState(CLASSIC, busyStatus({ events })), { type: 'screen', screen: 'events' });
    const opened = text(after(state, { type: 'open' }));
    match(opened, /and its end/);
    match(opened, /code health/);
    const change = after({ ...state, asks: [] }, { type: 'move', by: 1 }, { type: 'open' });
    deepEqual(
      change.asks.flatMap((ask) => (ask.kind === 'line' ? [ask.words] : [])),
      [['diff', '41', '42']],
    );
  });

  test('two revisions that are marked are compared with each other', () => {
    const state = after(
      liveState(CLASSIC),
      { type: 'screen', screen: 'changes' },
      { type: 'mark' },
      { type: 'move', by: 1 },
      { type: 'mark' },
    );
    const compared = after({ ...state, asks: [] }, { type: 'open' });
    deepEqual(
      compared.asks.flatMap((ask) => (ask.kind === 'line' ? [ask.words] : [])),
      [['diff', '40', '42']],
    );
  });

  test('of another day has its day', () => {
    const events = [
      eventView(51, 'worker', 'worker-7 is ready'),
      { ...eventView(50, 'worker', 'worker-6 is ready'), at: '2026-11-19T23:59:59.000Z' },
    ];
    const drawn = text(after(liveState(CLASSIC, busyStatus({ events })), { type: 'screen', screen: 'events' }));
    match(drawn, /11-19 23:59:59 worker/);
  });
});

describe('what is longer than the screen', () => {
  test('is scrolled to its last line and no further, by lines, pages and to the ends', () => {
    let state = after(liveState(CLASSIC), { type: 'help' });
    state = after(state, ...press('G'));
    match(text(state), /AGENT .* with the age of its news/);
    const atEnd = text(state);
    equal(text(after(state, ...press('j', 'pagedown', 'end'))), atEnd);
    ok(text(after(state, ...press('k'))) !== atEnd, 'one key back moves');
    equal(text(after(state, ...press('g'))), text(after(liveState(CLASSIC), { type: 'help' })));
  });

  test('acts of a long session are all reached', () => {
    const log = Array.from({ length: 40 }, (_, index) => ({
      atMs: 0,
      line: `weir dial one ${index}`,
      outcome: `revision ${index}`,
      ok: true,
    }));
    const state = after({ ...liveState(CLASSIC), log }, { type: 'overlay', kind: 'log' }, ...press('end'));
    match(text(state), /weir dial one 39\n.*revision 39/);
  });
});
