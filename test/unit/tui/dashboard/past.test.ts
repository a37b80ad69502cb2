// Charts of a time before now: what the history is asked for as keys, rows and screens change, and what is drawn of the answer.
import { deepEqual, doesNotMatch, equal, match, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HistoryRequest } from '../../../../balancer/controller/api/history-view.ts';
import { frameText } from '../../../../tui/dashboard/frame.ts';
import type { Action } from '../../../../tui/dashboard/model.ts';
import { SCREENS } from '../../../../tui/dashboard/screens/registry.ts';
import type { DashboardState, HistorySeries, ScreenName } from '../../../../tui/dashboard/state.ts';
import { dashboardFrame } from '../../../../tui/dashboard/views/dashboard.ts';
import { after, emptyState, liveState, START_MS } from '../../../support/dashboard-state.ts';
import { extrasView } from '../../../support/feed-extras.ts';
import { busyStatus, changingStatus, eventView, STATUS_AT } from '../../../support/statuses.ts';

const NOW_MS = Date.parse(STATUS_AT);
const MINUTE_MS = 60_000;
const WIDE = { columns: 120, rows: 40 };

const text = (state: DashboardState): string => frameText(dashboardFrame(state));

/** What was asked of the history by these actions, the newest last. */
function asked(state: DashboardState, ...actions: readonly Action[]): readonly HistoryRequest[] {
  return after({ ...state, asks: [] }, ...actions).asks.flatMap((ask) =>
    ask.kind === 'history' && ask.lane === 'past' ? [ask.request] : [],
  );
}

function rangeOf({ from, to }: HistoryRequest): readonly [number, number] {
  return [(NOW_MS - Number(from)) / MINUTE_MS, (NOW_MS - Number(to)) / MINUTE_MS];
}

/** A minute a point, the last one at the end of the range. */
function seriesOf(of: string, change: Partial<HistorySeries> = {}): HistorySeries {
  const points = Array.from({ length: 10 }, (_, index) => index + 1);
  return {
    ...{ of, startMs: NOW_MS - 20 * MINUTE_MS, stepMs: MINUTE_MS, rps: points, errorRatio: points.map(() => 0), p95Ms: points },
    ...{ p99Ms: points, effectiveShare: [], health: [], histogram: [] },
    ...change,
  };
}

/** Answers what was asked last. */
function answer(state: DashboardState, series: readonly HistorySeries[]): DashboardState {
  return after({ ...state, asks: [] }, { type: 'history', ask: state.past?.ask ?? 0, series, problem: null });
}

const on = (screen: ScreenName): DashboardState => after(liveState(WIDE), { type: 'screen', screen });
const back: Action = { type: 'past', by: 1 };
const ahead: Action = { type: 'past', by: -1 };

describe('the stretch of time', () => {
  test('begins with the ten minutes up to now, goes back by half of itself, and ends where it began', () => {
    const state = on('cluster');
    deepEqual(asked(state, back).map(rangeOf), [[10, 0]]);
    deepEqual(asked(state, back, back, back).map(rangeOf), [
      [10, 0],
      [15, 5],
      [20, 10],
    ]);
    const ten = after(state, back, back);
    match(text(ten), /\[PAST 10 min to 11:59\]/);
    equal(after(ten, ahead).past?.endMs, null);
    equal(after(ten, ahead, ahead).past, null);
    equal(after(ten, { type: 'back' }).past, null);
  });

  test('gets longer and shorter around its middle, or up to now', () => {
    const state = after(on('cluster'), back);
    deepEqual(rangeOf(asked(state, { type: 'span', by: 1 })[0] ?? never()), [30, 0]);
    const middle = after(state, { type: 'span', by: 1 }, { type: 'span', by: 1 }, back, back);
    deepEqual(rangeOf(asked(middle, { type: 'span', by: -1 })[0] ?? never()), [105, 75]);
    equal(after(state, { type: 'span', by: -1 }).past, null);
  });

  test('is asked in the finest step that is kept for all of it, and no further back than anything is kept', () => {
    const state = on('cluster');
    equal(asked(state, back)[0]?.step, '1s');
    equal(asked(state, back, back).at(-1)?.step, '10s');
    const longer: Action = { type: 'span', by: 1 };
    equal(asked(state, back, longer, longer, longer, longer, longer).at(-1)?.step, '1m');
    equal(asked(state, back, ...Array.from({ length: 7 }, () => longer)).at(-1)?.step, '1h');
    const year = after(state, back, ...Array.from({ length: 9 }, () => longer));
    match(after(year, back).said?.text ?? '', /nothing older is kept/);
    // Of all clusters no more steps are read than are drawn.
    equal(asked(on('overview'), back)[0]?.step, '10s');
  });

  test('is asked for anew while it ends now, and not while the screen is frozen', () => {
    const state = answer(after(on('cluster'), back), [seriesOf('cluster/ap-south')]);
    const later: Action = { type: 'tick', nowMs: START_MS + 11_000 };
    equal(asked(state, later).length, 1);
    equal(after(state, later).past?.series?.size, 1, 'what is there stays until the answer comes');
    equal(asked(after(state, { type: 'freeze' }), later).length, 0);
    equal(asked(answer(after(state, back), [seriesOf('cluster/ap-south')]), later).length, 0, 'what is over does not change');
  });
});

describe('every screen with charts', () => {
  for (const screen of Object.values(SCREENS).filter(({ charts }) => charts !== null)) {
    test(`${screen.name}: asks for what it draws, and draws it`, () => {
      const state = after(on(screen.name), back);
      const [request] = asked(on(screen.name), back);
      ok(request !== undefined);
      const of = request.series.replace('*', 'eu-west');
      const histogram = Array.from({ length: 10 }, () => [0, 0, 5, 0]);
      const drawn = text(answer(state, [seriesOf(of, { histogram })]));
      match(drawn, /\[PAST last 10 min\]/);
      doesNotMatch(drawn, /asking for|nothing is known/);
      if (screen.name !== 'overview') match(drawn, new RegExp(`${of}, .* UTC, 60 s a point`));
    });

    test(`${screen.name}: asks again for what another row or another screen is about, and for nothing twice`, () => {
      const state = answer(after(on(screen.name), back), []);
      deepEqual(asked(state, { type: 'tick', nowMs: START_MS + 100 }), []);
      const other = screen.name === 'latency' ? 'cluster' : 'latency';
      const [request] = asked(state, { type: 'screen', screen: other });
      deepEqual(request === undefined ? null : rangeOf(request), [10, 0], 'the time stays');
    });
  }

  test('the rows of services and latencies have charts of their own', () => {
    const services = asked(after(on('services'), back), { type: 'move', by: 1 });
    deepEqual(
      services.map(({ series }) => series),
      ['version/search/stable'],
    );
    const latencies = asked(after(on('latency'), back), { type: 'move', by: 1 });
    deepEqual(
      latencies.map(({ series, histogram }) => [series, histogram]),
      [['cluster/ap-south', true]],
    );
    deepEqual(
      asked(after(on('cluster'), back), { type: 'other', by: 1 }).map(({ series }) => series),
      ['cluster/za-cape'],
    );
  });
});

describe('what is drawn', () => {
  test('has the whole stretch however wide the terminal is, what the full height stands for, and no point that is not over', () => {
    const rps = [...Array.from({ length: 9 }, () => 50), 1];
    const state = answer(after(on('cluster'), back), [seriesOf('cluster/ap-south', { startMs: NOW_MS - 9.5 * MINUTE_MS, rps })]);
    const [top = '', bottom = ''] = text(state)
      .split('\n')
      .filter((line) => line.includes('█'.repeat(50)));
    match(top, /█{100,} +50$/);
    match(bottom, /█{100,}/);
  });

  test('says when the intent was changed, by the number of the revision', () => {
    const status = changingStatus();
    const extras = extrasView(status);
    const [first] = extras.revisions;
    ok(first !== undefined);
    const at = new Date(NOW_MS - 15 * MINUTE_MS).toISOString();
    const state = after(
      emptyState(WIDE),
      { type: 'status', status, extras: { ...extras, revisions: [{ ...first, at }] }, atMs: START_MS },
      ...[{ type: 'screen', screen: 'cluster' } as const, back, back, back],
    );
    match(text(answer(state, [seriesOf('cluster/ap-south')])), /^ {2}REV {45,60}↑42$/m);
  });

  test('of a version has its share', () => {
    const state = answer(after(on('services'), back), [seriesOf('version/search/canary', { effectiveShare: [0.1, 0.1, 0.25] })]);
    match(text(state), /EFF% .*█/);
  });

  test('a time of which nothing is known says so, and a history that cannot be asked says why', () => {
    const state = after(on('cluster'), back);
    match(text(answer(state, [])), /cluster\/ap-south: nothing is known of the last 10 min/);
    const refused = after(state, { type: 'history', ask: state.past?.ask ?? 0, series: null, problem: 'this host keeps no history' });
    match(text(refused), /cluster\/ap-south: this host keeps no history/);
  });
});

/** The news of the next seconds; -1: of one before, as another controller counts. */
function seconds(state: DashboardState, count: number): DashboardState {
  const status = busyStatus();
  const extras = extrasView(status);
  const seen = (state.heat.at(-1)?.second ?? 0) - extras.latency.second;
  const news = (after: number): Action => {
    const second = seen + after;
    return {
      ...{ type: 'status', status: { ...status, at: new Date(NOW_MS + second * 1000).toISOString() } },
      ...{ extras: { ...extras, latency: { ...extras.latency, second: extras.latency.second + second } }, atMs: START_MS + second * 1000 },
    };
  };
  return after(state, ...(count < 0 ? [news(count)] : Array.from({ length: count }, (_, index) => news(index + 1))));
}

describe('the charts of now', () => {
  const lately = (state: DashboardState): readonly HistoryRequest[] =>
    state.asks.flatMap((ask) => (ask.kind === 'history' && ask.lane === 'lately' ? [ask.request] : []));
  /** A second a point, as many as fit before the first of the dashboard, without the `missing` last ones. */
  const before = (missing: number): readonly HistorySeries[] => {
    const points = Array.from({ length: 100 - missing }, () => 1);
    const errorRatio = points.map((_, index) => (index < 50 ? 0.5 : 0));
    return [
      seriesOf('cluster/ap-south', {
        ...{ startMs: NOW_MS - 101_000, stepMs: 1000, rps: points, errorRatio, p95Ms: points, p99Ms: points },
        histogram: points.map(() => [1]),
      }),
    ];
  };
  const told = (state: DashboardState, missing: number): DashboardState =>
    after({ ...state, asks: [] }, { type: 'history', ask: state.lately?.ask ?? 0, series: before(missing), problem: null });

  test('begin with the seconds before the dashboard did, which the history has', () => {
    const state = on('cluster');
    deepEqual(
      lately(state).map(({ series, step, histogram, from, to }) => [
        series,
        step,
        histogram,
        Number(to) - Number(from),
        NOW_MS - Number(to),
      ]),
      [['cluster/ap-south', '1s', true, 109_000, 1000]],
    );
    const [request] = lately(state);
    ok(Number(request?.points) > (Number(request?.to) - Number(request?.from)) / 1000 + 1, 'no two seconds become one point');
    const drawn = text(told(state, 0));
    match(drawn, /ERR% +█{50} {50}▁ +1\.30$/m);
    match(drawn, /P95 +▁{99} █ +388ms$/m);
  });

  test('ask again when the last of those seconds are kept, and not any more then', () => {
    const first = told(on('cluster'), 2);
    match(text(first), /P95 +▁{98} {2}█ +388ms$/m);
    const later = seconds(first, 2);
    equal(lately(later).length, 1);
    const whole = told(later, 0);
    match(text(whole), /P95 +▁{100}███ +388ms$/m);
    equal(lately(seconds(whole, 5)).length, 0);
    equal(lately(after(whole, { type: 'other', by: 1 })).length, 1, 'of another cluster they are asked for');
    const restarted = seconds(whole, -1);
    equal(lately(restarted).length, 1, 'another controller counts its seconds anew');
    equal(lately(seconds({ ...restarted, asks: [] }, 3)).length, 1);
  });

  test('of services are of the selected one, and a history that cannot be asked leaves what the dashboard has seen', () => {
    const state = on('services');
    match(lately(state)[0]?.series ?? '', /^service\//);
    const refused = after(state, { type: 'history', ask: state.lately?.ask ?? 0, series: null, problem: 'this host keeps no history' });
    doesNotMatch(text(refused), /keeps no history/);
  });
});

describe('the health of a cluster', () => {
  test('is a strip of the last hour, asked for with the screen and every ten seconds', () => {
    const state = on('cluster');
    const ask = state.asks.find((one) => one.kind === 'history');
    ok(ask?.kind === 'history');
    deepEqual([ask.lane, ask.request.series, ...rangeOf(ask.request)], ['timeline', 'cluster/ap-south', 60, 0]);
    const health = ['up', 'degraded', 'down', null, 'up', 'up', 'up', 'up', 'up', 'up'] as const;
    const known = after({ ...state, asks: [] }, { type: 'history', ask: ask.number, series: [seriesOf('x', { health })], problem: null });
    match(text(known), /health, last hour: .*\n {2}▁+▄+█+ +▁+\n/);
    equal(after(known, { type: 'tick', nowMs: START_MS + 5000 }).asks.length, 0);
    equal(after(known, { type: 'tick', nowMs: START_MS + 11_000 }).asks.length, 1);
    doesNotMatch(text(after(known, { type: 'other', by: 1 })), /health, last hour/, 'of another cluster it is not shown');
  });

  test('is that of the charts while they are of the past', () => {
    const health = ['up', 'up', 'up', 'up', 'up', 'down', 'down', 'up', 'up', 'up'] as const;
    const state = answer(after(on('cluster'), back), [seriesOf('cluster/ap-south', { health })]);
    match(text(state), /health, as above: .*\n {2}▁+█+▁+\n/);
  });
});

describe('the time of a row', () => {
  test('of a revision is looked at on what it changed, with the change in the middle, and Esc leads back', () => {
    const state = on('changes');
    const jumped = after({ ...state, asks: [] }, back);
    equal(jumped.screen, 'service');
    equal(jumped.subjects.service, 'shop');
    const [request] = asked(state, back);
    deepEqual(request === undefined ? null : rangeOf(request), [65, 55]);
    const returned = after(jumped, { type: 'back' });
    deepEqual([returned.screen, returned.past], ['changes', null]);
  });

  test('of an event is looked at on the cluster that it names, and of one that names none on all', () => {
    const events = [eventView(51, 'worker', 'worker-7 is ready'), eventView(50, 'health', 'cluster za-cape is down')];
    const state = after(liveState(WIDE, busyStatus({ events })), { type: 'screen', screen: 'events' });
    equal(after(state, back).screen, 'latency');
    const cluster = after(state, { type: 'move', by: 1 }, back);
    deepEqual([cluster.screen, cluster.subjects.cluster], ['cluster', 'za-cape']);
  });
});

function never(): HistoryRequest {
  throw new Error('nothing was asked');
}
