// The state of the dashboard changes by actions alone: selection by identity, filter, sort, freeze, stale.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { StatusView } from '../../../../balancer/controller/api/views.ts';
import { currentIds } from '../../../../tui/dashboard/lists.ts';
import { current, type DashboardState, isStale } from '../../../../tui/dashboard/state.ts';
import { after, emptyState, liveState, START_MS } from '../../../support/dashboard-state.ts';
import { busyStatus, clusterView, eventView, trafficView } from '../../../support/statuses.ts';

function rows(state: DashboardState): readonly string[] {
  return currentIds(state);
}

function selected(state: DashboardState): string | null {
  return current(state).selection.id;
}

function news(status: StatusView) {
  return { type: 'status', status, atMs: START_MS + 1000 } as const;
}

describe('the selection', () => {
  test('starts at the first row and moves within the rows', () => {
    const state = liveState();
    equal(selected(state), 'ap-south');
    equal(selected(after(state, { type: 'move', by: 1 })), 'eu-west');
    equal(selected(after(state, { type: 'move', by: -5 })), 'ap-south');
    equal(selected(after(state, { type: 'edge', to: 'last' })), 'za-cape');
    equal(selected(after(state, { type: 'page', by: 1 })), 'za-cape');
    equal(selected(after(state, { type: 'edge', to: 'last' }, { type: 'page', by: -1 })), 'ap-south');
  });

  test('stays on its row when others come before it or the order turns', () => {
    const state = after(liveState(), { type: 'move', by: 2 });
    equal(selected(state), 'us-east');
    const clusters = [clusterView('aa'), clusterView('ab'), ...busyStatus().clusters];
    equal(selected(after(state, news(busyStatus({ clusters })))), 'us-east');
    equal(selected(after(state, { type: 'sort' }, { type: 'reverse' })), 'us-east');
  });

  test('takes the row at its place when its own is gone', () => {
    const state = after(liveState(), { type: 'move', by: 1 });
    const clusters = busyStatus().clusters.filter((each) => each.name !== 'eu-west');
    equal(selected(after(state, news(busyStatus({ clusters })))), 'us-east');
    const last = after(liveState(), { type: 'edge', to: 'last' });
    equal(selected(after(last, news(busyStatus({ clusters: clusters.slice(0, 2) })))), 'us-east');
  });

  test('comes back to its row after a time without any rows', () => {
    const state = after(liveState(), { type: 'move', by: 2 });
    equal(selected(after(state, news(busyStatus({ clusters: [] })), news(busyStatus()))), 'us-east');
  });

  test('is kept per screen, and turning the screen closes the help', () => {
    equal(after(liveState(), { type: 'help' }, { type: 'turn', by: 1 }).overlay, null);
    const state = after(liveState(), { type: 'move', by: 1 }, { type: 'screen', screen: 'services' }, { type: 'edge', to: 'last' });
    equal(selected(state), 'shop/green');
    equal(selected(after(state, { type: 'turn', by: -1 })), 'eu-west');
  });

  test('at the top of the events follows the newest; further down it stays on its event', () => {
    const state = after(liveState(), { type: 'screen', screen: 'events' });
    const later = news(busyStatus({ events: [eventView(51, 'worker', 'worker-7 is ready'), ...busyStatus().events] }));
    equal(selected(after(state, later)), null);
    equal(selected(after(state, { type: 'move', by: 1 }, later)), '49');
  });
});

describe('the filter', () => {
  test('applies while it is typed, and Escape brings back what was before', () => {
    const typed = after(liveState(), { type: 'filterOpen' }, { type: 'filterType', text: 'state=d' });
    deepEqual(rows(typed), ['ap-south', 'za-cape']);
    deepEqual(rows(after(typed, { type: 'filterClose', keep: false })).length, 4);
    const kept = after(typed, { type: 'filterErase', all: false }, { type: 'filterClose', keep: true });
    equal(current(kept).filter, 'state=');
    equal(rows(kept).length, 4);
    equal(current(after(kept, { type: 'back' })).filter, '');
  });

  test('half typed does not move the selection away from a row that the whole word shows', () => {
    const before = after(liveState(), { type: 'move', by: 2 });
    const typing = Array.from('health=up').map((text) => ({ type: 'filterType', text }) as const);
    equal(selected(after(before, { type: 'filterOpen' }, ...typing, { type: 'filterClose', keep: true })), 'us-east');
  });

  test('reads words, negations and fields of each screen', () => {
    const filtered = (screen: DashboardState['screen'], text: string): readonly string[] =>
      rows(after(liveState(), { type: 'screen', screen }, { type: 'filterOpen' }, { type: 'filterType', text }));
    deepEqual(filtered('overview', 'EU-W'), ['eu-west']);
    deepEqual(filtered('overview', '!state=up'), ['ap-south', 'za-cape']);
    deepEqual(filtered('overview', 'agent=fresh !drain'), ['eu-west']);
    deepEqual(filtered('overview', 'region=us admin=active'), ['us-east']);
    deepEqual(filtered('overview', 'nosuchfield=1'), []);
    deepEqual(filtered('services', 'service=shop version=green'), ['shop/green']);
    deepEqual(filtered('services', 'state=capacity'), ['shop/blue']);
    deepEqual(filtered('events', 'kind=agent'), ['47']);
    deepEqual(filtered('events', '! state= !').slice(0, 7), ['50', '49', '48', '47', '46', '45', 'r41']);
    deepEqual(filtered('events', 'kind=audit bob'), ['r41']);
    deepEqual(filtered('events', 'severity=critical'), []);
  });

  test('compares figures as the columns show them, and what is not known is neither more nor less', () => {
    const filtered = (screen: DashboardState['screen'], text: string): readonly string[] =>
      rows(after(liveState(), { type: 'screen', screen }, { type: 'filterOpen' }, { type: 'filterType', text }));
    deepEqual(filtered('overview', 'err>1'), ['ap-south']);
    deepEqual(filtered('overview', 'rps>=120 rps<2000'), ['ap-south', 'us-east']);
    deepEqual(filtered('overview', 'cap<=1000'), ['ap-south', 'eu-west', 'us-east']);
    deepEqual(filtered('overview', '!cap<=1000'), ['za-cape']);
    deepEqual(filtered('overview', 'rps>'), ['ap-south', 'eu-west', 'us-east', 'za-cape'], 'half typed it is no condition');
    deepEqual(filtered('services', 'des<50'), ['search/canary', 'shop/green']);
    deepEqual(filtered('latency', 'p95>1000'), ['cluster/ap-south']);
    deepEqual(filtered('edges', 'loop>50'), ['w7']);
    deepEqual(filtered('events', 'rps>0'), []);
  });

  test('is bounded', () => {
    const state = after(liveState(), { type: 'filterOpen' }, { type: 'filterType', text: 'x'.repeat(10_000) });
    equal(current(state).filter.length, 80);
  });
});

describe('the order', () => {
  test('goes through the columns and can be reversed; equal rows keep the order of their names', () => {
    const orders: string[] = [];
    let state = liveState();
    for (let step = 0; step < 6; step++) {
      orders.push(`${current(state).sort}: ${rows(state).join(' ')}`);
      state = after(state, { type: 'sort' });
    }
    deepEqual(orders, [
      'name: ap-south eu-west us-east za-cape',
      'state: za-cape ap-south eu-west us-east',
      'rps: eu-west us-east ap-south za-cape',
      'err: ap-south us-east eu-west za-cape',
      'p95: ap-south us-east eu-west za-cape',
      'cap: eu-west us-east ap-south za-cape',
    ]);
    equal(current(state).sort, 'name');
    deepEqual(rows(after(state, { type: 'reverse' })), ['za-cape', 'us-east', 'eu-west', 'ap-south']);
  });

  test('by rate uses the mean of the last minute, so that one busy second moves no row', () => {
    const steady = clusterView('steady', { trend: [100, 100, 100], traffic: trafficView(100, 0, 1) });
    const burst = clusterView('burst', { trend: [1, 1, 100], traffic: trafficView(900, 0, 1) });
    const state = after(liveState(), news(busyStatus({ clusters: [burst, steady] })), { type: 'sort' }, { type: 'sort' });
    deepEqual(rows(state), ['steady', 'burst']);
  });
});

describe('time', () => {
  test('news is stale when the link is lost, and when none comes for too long', () => {
    ok(isStale(emptyState()));
    const state = liveState();
    ok(!isStale(state));
    ok(!isStale(after(state, { type: 'tick', nowMs: START_MS + 3000 })));
    ok(isStale(after(state, { type: 'tick', nowMs: START_MS + 3001 })));
    const lost = after(state, { type: 'lost', reason: 'reset', atMs: START_MS + 10 });
    ok(isStale(lost));
    ok(!isStale(after(lost, news(busyStatus()))));
  });

  test('a loss is dated from its beginning, with the latest reason', () => {
    const lost = after(
      liveState(),
      { type: 'lost', reason: 'reset', atMs: START_MS + 10 },
      { type: 'lost', reason: 'refused', atMs: START_MS + 900 },
    );
    deepEqual(lost.link, { kind: 'lost', sinceMs: START_MS + 10, reason: 'refused' });
  });

  test('Escape closes one thing after the other: marks, filter, freeze, screen', () => {
    let state = after(
      liveState(),
      { type: 'screen', screen: 'events' },
      { type: 'freeze' },
      { type: 'filterOpen' },
      { type: 'filterType', text: 'w' },
      { type: 'filterClose', keep: true },
      { type: 'mark' },
    );
    const seen: string[] = [];
    for (let step = 0; step < 4; step++) {
      state = after(state, { type: 'back' });
      seen.push(`${current(state).marks.length} ${current(state).filter} ${state.frozen !== null} ${state.screen}`);
    }
    deepEqual(seen, ['0 w true events', '0  true events', '0  false events', '0  false overview']);
  });

  test('without any status nothing can be frozen', () => equal(after(emptyState(), { type: 'freeze' }).frozen, null));
});
