// Every screen of the dashboard keeps what all promise: frames of exactly the terminal's size, whatever the news; the same in ASCII; as drawn in files
// that a person has read, at four sizes.
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { StatusView } from '../../balancer/controller/api/views.ts';
import { frameText, hitAt, lineText, lineWidth, type Size } from '../../tui/dashboard/frame.ts';
import { currentIds, selectedId } from '../../tui/dashboard/lists.ts';
import { SCREENS, TABS } from '../../tui/dashboard/screens/registry.ts';
import { sightOf } from '../../tui/dashboard/sight.ts';
import { current, type DashboardState, type ScreenName } from '../../tui/dashboard/state.ts';
import { dashboardFrame } from '../../tui/dashboard/views/dashboard.ts';
import { after, emptyState, START_MS } from '../support/dashboard-state.ts';
import { extrasView } from '../support/feed-extras.ts';
import { assertGolden } from '../support/golden.ts';
import { busyStatus, changingStatus, clusterView } from '../support/statuses.ts';
import { twoResults } from '../support/two-results.ts';

const SIZES: readonly Size[] = [
  { columns: 200, rows: 60 },
  { columns: 120, rows: 40 },
  { columns: 80, rows: 24 },
  { columns: 60, rows: 15 },
];

const ROUTES = Array.from({ length: 7 }, (_, index) => ({
  ...{ name: `shop-${index + 1}`, hosts: ['shop.example.com'], path: `/api/part-${index + 1}`, service: 'shop' },
  traffic: { windowSeconds: 10, rps: 900 - 120 * index, errorRatio: index / 1000, p50Ms: 12, p95Ms: 30 + index, p99Ms: 90 },
}));

const NOTHING = busyStatus({ clusters: [], services: [], events: [], lastRevision: null, degraded: [], alerts: [] });

/** Half a minute of news, so that charts have something to show. */
function watched(size: Size, screen: ScreenName, status: StatusView): DashboardState {
  let state = emptyState(size);
  for (let second = 0; second < 30; second += 1) {
    const atMs = START_MS - (30 - second) * 1000;
    state = after(state, { type: 'status', status, extras: extrasView(status, second), atMs });
  }
  return after(
    state,
    { type: 'status', status, extras: extrasView(status, 30), atMs: START_MS },
    { type: 'screen', screen },
    { type: 'results', results: twoResults('shop', 3600, 'blue'), routes: { service: 'shop', items: ROUTES } },
  );
}

for (const screen of Object.values(SCREENS)) {
  const { name } = screen;
  describe(`the screen ${name}`, () => {
    for (const size of SIZES) {
      test(`at ${size.columns}x${size.rows} is as drawn in its file, and says the same in ASCII`, () => {
        const state = watched(size, name, changingStatus());
        assertGolden(`screens/${name}-${size.columns}x${size.rows}.txt`, frameText(dashboardFrame(state)));
        const ascii = frameText(dashboardFrame({ ...state, look: { theme: 'mono', ascii: true } }));
        match(ascii, /^[\x20-\x7e\n]*$/);
        ok(ascii.split('\n').length <= size.rows);
      });
    }

    test('has exactly the size of the terminal with much news, with none, and with an appliance that tells its status alone', () => {
      const many = busyStatus({ clusters: Array.from({ length: 150 }, (_, index) => clusterView(`cluster-${index}`)) });
      for (const status of [busyStatus(), NOTHING, many]) {
        for (let columns = 60; columns <= 210; columns += 30) {
          for (let rows = 15; rows <= 65; rows += 10) {
            const size = { columns, rows };
            const bare = after(emptyState(size), { type: 'status', status, atMs: START_MS }, { type: 'screen', screen: name });
            for (const state of [watched(size, name, status), bare]) {
              const frame = dashboardFrame(state);
              equal(frame.length, rows);
              for (const line of frame) equal(lineWidth(line), columns, `${columns}x${rows}: ${lineText(line)}`);
            }
          }
        }
      }
    });

    test('selects, filters and orders its rows, and a click does the same', () => {
      const state = watched({ columns: 120, rows: 40 }, name, changingStatus());
      const ids = currentIds(state);
      equal(selectedId(state), ids[0] ?? null);
      const last = after(state, { type: 'edge', to: 'last' });
      equal(selectedId(last), ids.at(-1) ?? null);
      deepEqual(currentIds(after(state, { type: 'filterOpen' }, { type: 'filterType', text: 'no such thing' })), []);
      for (const sort of screen.sorts) {
        const sorted = after(state, { type: 'sortBy', sort });
        deepEqual([...currentIds(sorted)].sort(), [...ids].sort(), sort);
      }
      const clickable = dashboardFrame(last).flatMap((_, row) => {
        const hit = hitAt(dashboardFrame(last), 10, row);
        return hit?.type === 'select' ? [hit.id] : [];
      });
      ok(clickable.includes(selectedId(last) ?? ''), 'the selected row is among those that can be clicked');
    });

    test('keeps its first column whatever is left out, and gives its rows away as data', () => {
      const state = watched({ columns: 200, rows: 60 }, name, changingStatus());
      const sight = sightOf(state);
      ok(sight !== null);
      const hidden = screen.columns(sight).map(({ id }) => id);
      const bare = { ...state, lists: { ...state.lists, [name]: { ...current(state), hidden } } };
      equal(dashboardFrame(bare).length, 60);
      equal(screen.exported(sight).length, currentIds(state).length);
      JSON.parse(JSON.stringify(screen.exported(sight)));
    });
  });
}

test('every tab has a key of its own, in order', () => {
  deepEqual(
    TABS.map(({ key }) => key),
    ['1', '2', '3', '4', '5', '6', '7'],
  );
});
