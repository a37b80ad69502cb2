// The frames of the dashboard as text, compared with files that a person has read. UPDATE_GOLDEN=1 writes them anew.
import { deepEqual, doesNotMatch, equal, match, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { StatusView } from '../../../../balancer/controller/api/views.ts';
import { frameText, lineText, lineWidth, type Size } from '../../../../tui/dashboard/frame.ts';
import type { DashboardState } from '../../../../tui/dashboard/state.ts';
import { paint, THEMES } from '../../../../tui/dashboard/theme.ts';
import { dashboardFrame } from '../../../../tui/dashboard/views/dashboard.ts';
import { after, emptyState, liveState, START_MS } from '../../../support/dashboard-state.ts';
import { assertGolden } from '../../../support/golden.ts';
import { busyStatus, changingStatus, clusterView, rolloutView } from '../../../support/statuses.ts';

const NARROW: Size = { columns: 60, rows: 15 };
const CLASSIC: Size = { columns: 80, rows: 24 };
const WIDE: Size = { columns: 120, rows: 40 };

function text(state: DashboardState): string {
  return frameText(dashboardFrame(state));
}

describe('the overview', () => {
  for (const size of [NARROW, CLASSIC, WIDE]) {
    test(`at ${size.columns}x${size.rows} is as drawn in its file`, () => {
      assertGolden(`dashboard/overview-${size.columns}x${size.rows}.txt`, text(liveState(size)));
    });
  }

  test('in ASCII says the same with other signs', () => {
    const frame = frameText(dashboardFrame({ ...liveState(WIDE), look: { theme: '256', ascii: true } }));
    assertGolden('dashboard/overview-ascii-120x40.txt', frame);
    match(frame, /^[\x20-\x7e\n]*$/);
  });

  test('before the first status says where it tries to connect and why it has not', () => {
    const state = after(emptyState(NARROW), { type: 'lost', reason: 'connect ENOENT', atMs: START_MS + 4000 });
    assertGolden('dashboard/connecting-60x15.txt', text(state));
  });

  test('of a lost appliance shows since when and shows nothing as up', () => {
    const state = after(
      liveState(CLASSIC),
      { type: 'lost', reason: 'connect ECONNREFUSED', atMs: START_MS + 2000 },
      { type: 'tick', nowMs: START_MS + 14_000 },
    );
    assertGolden('dashboard/lost-80x24.txt', text(state));
    const styles = new Set(dashboardFrame(state).flatMap((line) => line.map((part) => part.style)));
    ok(!styles.has('good'));
  });
});

describe('while much is going on, the overview', () => {
  for (const size of [NARROW, CLASSIC, WIDE]) {
    test(`at ${size.columns}x${size.rows} has a line for each rollout, counts down and shows what waits, as in its file`, () => {
      assertGolden(`dashboard/changing-${size.columns}x${size.rows}.txt`, text(liveState(size, changingStatus())));
    });
  }

  test('counts on between two statuses', () => {
    const state = after(liveState(WIDE, changingStatus()), { type: 'tick', nowMs: START_MS + 2000 });
    match(text(state), /us-east .* 43s /);
    match(text(state), /shop .* w1 3\/5 .* 2m13s /);
    match(text(state), /\? 3 waits for a second person, 51m58s: shop/);
  });

  test('says what a step waits for when its hold is over, and of a host that asks no gates nothing', () => {
    const over = rolloutView('shop', { heldSeconds: 200, requests: 40 });
    match(text(liveState(WIDE, busyStatus({ rollouts: [over] }))), /shop .* 40\/100 req .*1\/2 pass, p95<1\.2x\?/);
    match(text(liveState(WIDE, busyStatus({ rollouts: [rolloutView('shop', { gates: [] })] }))), /2m15s 1\/2 eu-west -/);
  });

  test('keeps three clusters in sight however many rollouts there are', () => {
    const rollouts = Array.from({ length: 30 }, (_, index) => rolloutView(`service-${index}`));
    const shownText = text(liveState(CLASSIC, busyStatus({ rollouts })));
    match(shownText, /za-cape|us-east[^]*rollouts 30, \d+ more/);
    equal(shownText.split('\n').filter((line) => /^[▸ ] (ap-south|eu-west|us-east|za-cape) /.test(line)).length >= 3, true);
  });
});

describe('the other screens', () => {
  test('services are drawn by target as in the file', () => {
    assertGolden('dashboard/services-80x24.txt', text(after(liveState(CLASSIC), { type: 'screen', screen: 'services' })));
    assertGolden('dashboard/services-60x15.txt', text(after(liveState(NARROW), { type: 'screen', screen: 'services' })));
  });

  test('events are drawn newest first as in the file', () => {
    assertGolden('dashboard/events-80x24.txt', text(after(liveState(CLASSIC), { type: 'screen', screen: 'events' })));
  });

  test('the help lists the keys of its screen', () => {
    assertGolden('dashboard/help-80x24.txt', text(after(liveState(CLASSIC), { type: 'help' })));
    assertGolden('dashboard/help-60x15.txt', text(after(liveState(NARROW), { type: 'help' })));
    const events = text(after(liveState(CLASSIC), { type: 'screen', screen: 'events' }, { type: 'help' }));
    ok(!events.includes('sort by'), 'events have one order, so the key is not offered');
  });
});

describe('every frame', () => {
  test('has exactly the size of the terminal, whatever the size', () => {
    const screens = [{ type: 'screen', screen: 'services' }, { type: 'screen', screen: 'events' }, { type: 'help' }] as const;
    for (let columns = 1; columns <= 200; columns += 7) {
      for (let rows = 1; rows <= 60; rows += 5) {
        for (const action of screens) {
          const frame = dashboardFrame(after(liveState({ columns, rows }), action));
          equal(frame.length, rows);
          for (const line of frame) equal(lineWidth(line), columns, `${columns}x${rows}: ${lineText(line)}`);
        }
      }
    }
  });

  test('under the least size is one line that says which size is needed', () => {
    equal(text(liveState({ columns: 58, rows: 12 })).trimEnd(), 'terminal too small (58x12), need 60x15');
    equal(text(liveState({ columns: 60, rows: 14 })).trimEnd(), 'terminal too small (60x14), need 60x15');
    match(text(liveState({ columns: 20, rows: 5 })), /^terminal too small …\n/);
  });

  test('as a terminal gets narrower loses the trend first, then what is observed, then the capacity', () => {
    const titles = (columns: number): string => text(liveState({ columns, rows: 24 }));
    const lost = (title: string): number =>
      Array.from({ length: 141 }, (_, index) => 200 - index).find((columns) => !titles(columns).includes(title)) ?? 0;
    ok(lost('TREND') > lost('OBS%'));
    ok(lost('OBS%') > lost('CAP'));
    ok(lost('CAP') > 60);
    for (const title of ['CLUSTER', 'ADMIN', 'HEALTH', 'AGENT', 'DES%', 'EFF%', 'RPS', 'ERR%', 'P95'])
      ok(titles(60).includes(title), title);
  });

  test('without colours carries no colour code, with 16 only the eight base colours', () => {
    const frame = dashboardFrame(liveState(CLASSIC));
    const codes = (name: '256' | '16' | 'mono'): readonly number[] =>
      [...paint(frame, THEMES[name]).matchAll(/\x1b\[([\d;]*)m/g)].flatMap(([, list = '']) => list.split(';').map(Number));
    deepEqual(
      [...new Set(codes('mono'))].filter((code) => code >= 30),
      [],
    );
    deepEqual(
      [...new Set(codes('16'))].filter((code) => code > 37),
      [],
    );
    ok(codes('256').includes(38));
    for (const name of ['256', '16', 'mono'] as const) {
      equal(
        paint(frame, THEMES[name])
          .replace(/\x1b\[[\d;]*m/g, '')
          .replace(/ +$/gm, ''),
        frameText(frame),
        name,
      );
    }
  });
});

describe('what changes', () => {
  test('keeps the selected row in sight when there are more clusters than lines', () => {
    const clusters = Array.from({ length: 40 }, (_, index) => clusterView(`c-${String(index).padStart(2, '0')}`));
    const state = after(liveState(CLASSIC, busyStatus({ clusters })), { type: 'edge', to: 'last' });
    match(text(state), /▸ c-39/);
    match(text(after(state, { type: 'edge', to: 'first' })), /▸ c-00/);
  });

  test('lets the ages of agents grow while no news comes', () => {
    match(text(liveState(WIDE)), /● fresh 0\.8s/);
    match(text(after(liveState(WIDE), { type: 'tick', nowMs: START_MS + 2000 })), /● fresh 2\.8s/);
  });

  test('says that a frozen screen is frozen, and holds its figures', () => {
    const frozen = after(
      liveState(WIDE),
      { type: 'freeze' },
      { type: 'status', status: busyStatus({ revision: 43 }), atMs: START_MS + 3000 },
    );
    match(text(frozen), /rev 42 .*\[FROZEN 3\.0s\]/);
    match(text(after(frozen, { type: 'freeze' })), /rev 43 /);
  });

  test('shows no more than the alerts there is room for, and how many are left', () => {
    const degraded = Array.from({ length: 9 }, (_, index) => `trouble ${index}`);
    match(text(liveState(CLASSIC, busyStatus({ degraded }))), /! trouble 0\n ! trouble 1\n ! and 7 more \(! shows all\)\n/);
  });
});

describe('the screen of a cluster', () => {
  const drawn = (clusters: StatusView['clusters'], events: StatusView['events'] = []): string => {
    const state = liveState({ columns: 160, rows: 50 }, busyStatus({ clusters, events, alerts: [], degraded: [] }));
    return frameText(dashboardFrame(after(state, { type: 'screen', screen: 'cluster' })));
  };

  test('has what happened to it, and not what happened to another one whose name begins or ends as its own does', () => {
    const event = (text: string): StatusView['events'][number] => ({
      ...{ sequence: 1, at: '2026-11-21T12:00:00.000Z', kind: 'health', code: 'health.cluster_down', severity: 'critical', text },
    });
    const clusters = [clusterView('eu', { endpoints: [{ id: '10.1.0.1:80', health: 'up', reason: '' }] })];
    for (const text of ['cluster eu-west is down', 'cluster west-eu is down', 'endpoint 10.1.0.1:8080 is down', 'reuse is up'])
      match(drawn(clusters, [event(text)]), /nothing in the last events/, text);
    for (const text of ['cluster eu is down', 'shop/blue in eu, and others', 'endpoint 10.1.0.1:80: refused'])
      match(drawn(clusters, [event(text)]), new RegExp(text.replaceAll('.', '\\.')));
  });

  test('has what its agent says of Kubernetes, and nothing of that for a plain host', () => {
    const [plain] = busyStatus().clusters;
    const said = busyStatus().clusters.find(({ agent }) => agent.reported !== undefined);
    ok(plain !== undefined && said !== undefined);
    match(drawn([said]), /nodes 11\/12 ready .*3 pods without a place .*API server degraded .*old: pods 42s/);
    match(drawn([said]), /told: expect 1800 requests\/s of shop .* taken .*9m yet .*22 of 36 replicas run/);
    const host = { ...plain, agent: { ...plain.agent, reported: { utilisation: 0.3, utilisationOf: 'host' as const } } };
    doesNotMatch(drawn([host]), /nodes|in use|told/);
  });
});
