// From keys to a change, without a terminal: what is asked for, what Enter and other keys do not do, and that weights always add up.
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { ChangeRequest, ChangeResult } from '../../../../balancer/controller/api/views.ts';
import { lineOf, openPlan } from '../../../../tui/dashboard/acting.ts';
import type { Action } from '../../../../tui/dashboard/model.ts';
import { withWeight } from '../../../../tui/dashboard/overlays/weight-keys.ts';
import type { DashboardState } from '../../../../tui/dashboard/state.ts';
import { frameText } from '../../../../tui/dashboard/frame.ts';
import { dashboardFrame } from '../../../../tui/dashboard/views/dashboard.ts';
import type { ActPlan } from '../../../../tui/inside-acts.ts';
import { splitWords } from '../../../../tui/command-words.ts';
import { after, liveState } from '../../../support/dashboard-state.ts';
import { busyStatus, changingStatus } from '../../../support/statuses.ts';

const press = (...keys: readonly string[]): readonly Action[] => keys.map((key) => ({ type: 'overlayKey', key }));
const request: ChangeRequest = { change: { kind: 'admin', cluster: 'eu-west', state: 'active' } };
const result: ChangeResult = {
  ...{ revision: 42, previousRevision: 42, changed: true, dryRun: true, local: false, summary: 'eu-west is active' },
  ...{ shares: [], forecast: null, needsApproval: [], refusals: [], applied: null, undo: 'weir undo' },
};

/** With the plan of a restore on the screen. */
function planned(): DashboardState {
  const state = after(liveState({ columns: 120, rows: 40 }), { type: 'move', by: 1 }, { type: 'act', act: 'restore' });
  const [ask] = state.asks;
  ok(ask?.kind === 'line');
  deepEqual(ask.words, ['restore', 'eu-west']);
  return { ...after(state, { type: 'planned', ask: ask.number, request, result }), asks: [] };
}

const applies = (state: DashboardState): number => state.asks.filter(({ kind }) => kind === 'apply').length;

describe('a plan', () => {
  test('is made by a and then y, at the revision that was shown, and by no other two keys', () => {
    const made = after(planned(), ...press('a', 'y'));
    const [ask] = made.asks;
    ok(ask?.kind === 'apply');
    deepEqual(ask.request, { ...request, dryRun: false, ifRevision: 42 });
    const keys = ['a', 'y', 'enter', ' ', 'Y', 'A', 'tab', 'o', '1', 'escape', 'r', 'c'];
    for (const one of keys) {
      for (const other of keys)
        equal(applies(after(planned(), ...press(one, other))), one === 'a' && other === 'y' ? 1 : 0, `${one} ${other}`);
    }
  });

  test('is never made by Enter, however often and after whatever', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('enter', 'a', 'tab', 'j', ' ', 'r', 'x', 'backspace'), { maxLength: 12 }), (keys) => {
        equal(applies(after(planned(), ...press(...keys))), 0);
      }),
      { seed: 31, numRuns: 500 },
    );
  });

  test('that the appliance asks about is made by the word, and by it alone', () => {
    const asked = after(planned(), ...press('a', 'y'));
    const number = asked.asks[0]?.number ?? 0;
    const typed = after({ ...asked, asks: [] }, { type: 'unapplied', ask: number, words: [], message: 'm', question: 'Go on?' });
    equal(applies(after(typed, ...press('y', 'enter'))), 0);
    equal(applies(after(typed, ...press(...'us-east'.split(''), 'enter'))), 0);
    const [ask] = after(typed, ...press(...'eu-west'.split(''), 'enter')).asks;
    ok(ask?.kind === 'apply' && ask.request.yes === true);
  });

  test('says of every cluster what it is left with, however narrow the terminal is', () => {
    const load = (rps: number) => ({ rps, utilisation: rps / 2000 });
    const clusters = Array.from({ length: 5 }, (_, index) => ({ cluster: `cluster-${index}`, before: load(100), after: load(120) }));
    const spill = [{ cluster: 'cluster-1', rps: 120, to: [{ cluster: 'cluster-2', rps: 100 }], shedRps: 20 }];
    const forecast = { clusters, moved: [], lostRps: { before: 0, after: 0 }, headroom: 'no', expected: [], spill };
    for (const columns of [60, 80, 120, 200]) {
      const state = after(liveState({ columns, rows: 30 }), { type: 'act', act: 'restore' });
      const number = state.asks[0]?.number ?? 0;
      const drawn = frameText(dashboardFrame(after(state, { type: 'planned', ask: number, request, result: { ...result, forecast } })));
      for (const { cluster } of clusters) ok(drawn.includes(`${cluster} 100 → 120 (6 % of its capacity)`), `${columns}: ${cluster}`);
      match(drawn.replace(/\s+/g, ' '), /without cluster-1 its 120 requests\/s go to: cluster-2 \+100, 20 refused/);
    }
  });

  test('answers that come late, for a plan that was left, change nothing that is shown', () => {
    const left = after(planned(), ...press('escape'));
    equal(left.overlay, null);
    equal(after(left, { type: 'planned', ask: 1, request, result }).overlay, null);
  });
});

describe('something else than a change', () => {
  const drill: ActPlan = {
    act: { kind: 'beginDrill', request: { cluster: 'eu-west', act: 'drain', forMs: 60_000 } },
    ...{ summary: 'drill: eu-west is drained', lines: [], preview: null, changes: true, word: 'eu-west', forGood: false },
  };
  const revoke: ActPlan = {
    act: { kind: 'revokeToken', name: 'ci', local: false },
    ...{ summary: 'token ci is made invalid', lines: [], preview: null, changes: true, word: 'ci', forGood: true },
  };
  /** The plan of a line on the screen. */
  const shownPlan = (plan: ActPlan, more: Partial<DashboardState> = {}): DashboardState => {
    const state = { ...openPlan(liveState({ columns: 120, rows: 40 }), ['drill', 'drain', 'eu-west']), ...more };
    return { ...after(state, { type: 'actPlanned', ask: state.asks[0]?.number ?? 0, plan }), asks: [] };
  };
  const makes = (state: DashboardState): readonly unknown[] => state.asks.flatMap((one) => (one.kind === 'make' ? [one.act] : []));

  test('is made by a and then y, and never by Enter', () => {
    deepEqual(makes(after(shownPlan(drill), ...press('a', 'y'))), [drill.act]);
    for (const keys of [['a', 'enter'], ['enter', 'enter'], ['a', 'a'], ['y'], ['u', 'y']])
      deepEqual(makes(after(shownPlan(drill), ...press(...keys))), [], keys.join(' '));
  });

  test('that nothing takes back is made by its name alone', () => {
    deepEqual(makes(after(shownPlan(revoke), ...press('a', 'y'))), []);
    deepEqual(makes(after(shownPlan(revoke), ...press('a', 'c', 'enter'))), []);
    deepEqual(makes(after(shownPlan(revoke), ...press('a', 'c', 'i', 'enter'))), [revoke.act]);
  });

  test('is not made from where nothing may be changed, nor when there is nothing to do', () => {
    deepEqual(makes(after(shownPlan(drill, { readOnly: true }), ...press('a', 'y'))), []);
    deepEqual(makes(after(shownPlan({ ...drill, changes: false }), ...press('a', 'y'))), []);
  });

  test('is done, said, and in the log of the session; u takes nothing back there', () => {
    const made = after(shownPlan(drill), ...press('a', 'y'));
    const number = made.asks[0]?.number ?? 0;
    const done = after(
      { ...made, asks: [] },
      { type: 'done', ask: number, words: ['drill', 'drain', 'eu-west'], text: 'drill 7 has begun' },
    );
    ok(done.overlay?.kind === 'plan' && done.overlay.phase.kind === 'done');
    deepEqual(done.log[0], { ...done.log[0], line: 'weir drill drain eu-west', outcome: 'drill 7 has begun', ok: true });
    deepEqual(after(done, ...press('u')).asks, []);
    equal(after(done, ...press('escape')).overlay, null);
  });
});

describe('a line that stays', () => {
  test('shows what it waits for, and Escape ends it', () => {
    const asked = openPlan(liveState({ columns: 120, rows: 40 }), ['wait', '--for', 'stable']);
    const number = asked.asks[0]?.number ?? 0;
    const waiting = after({ ...asked, asks: [] }, { type: 'says', ask: number, text: 'waiting: 3 of 4 workers are ready' });
    ok(dashboardFrame(waiting).some((line) => line.some(({ text }) => text.includes('waiting: 3 of 4 workers are ready  (Esc leaves)'))));
    const left = after(waiting, ...press('escape'));
    equal(left.overlay, null);
    deepEqual(left.asks, [{ kind: 'leave', of: number, number: left.asks[0]?.number }]);
    equal(after(left, { type: 'says', ask: number, text: 'waiting: late' }).overlay, null);
  });
});

describe('weights', () => {
  test('add up to 100 to the last decimal, whatever is typed, and keep the proportions of the others', () => {
    const names = ['blue', 'green', 'red'];
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(2), fc.integer({ min: 0, max: 1_000_000 })), { minLength: 1, maxLength: 20 }), (edits) => {
        let values: ReturnType<typeof withWeight> = names.map((name, index) => ({ name, percent: index === 0 ? 100 : 0 }));
        for (const [index, millionths] of edits) {
          values = withWeight({ of: 'versions', values, index }, millionths / 10_000);
          equal(Math.round(values.reduce((sum, { percent }) => sum + percent * 10_000, 0)), 1_000_000);
          ok(values.every(({ percent }) => percent >= 0 && percent <= 100));
          equal(values[index]?.percent, millionths / 10_000);
        }
      }),
      { seed: 31, numRuns: 500 },
    );
  });

  const edited = (...keys: readonly string[]): DashboardState =>
    after(
      liveState({ columns: 120, rows: 40 }),
      { type: 'screen', screen: 'services' },
      { type: 'edge', to: 'last' },
      ...weights,
      ...press(...keys),
    );
  const weights: readonly Action[] = [{ type: 'act', act: 'weights' }];
  const values = ({ overlay }: DashboardState): readonly number[] =>
    overlay?.kind === 'weights' ? overlay.values.map(({ percent }) => percent) : [];

  test('are typed as figures: Enter takes one, Escape and Backspace do not, going on takes it too, and none is above 100', () => {
    deepEqual(values(edited('1', '2', '.', '5', 'enter')), [12.5, 87.5]);
    deepEqual(values(edited('1', '2', 'escape')), [90, 10]);
    deepEqual(values(edited('1', '2', 'backspace', 'enter')), [1, 99]);
    deepEqual(values(edited('j', '4', '0', 'k')), [60, 40]);
    deepEqual(values(edited('9', '9', '9', 'enter')), [100, 0]);
    deepEqual(values(edited('.', 'enter')), [90, 10]);
    const shownText = frameText(dashboardFrame(edited('1', '2')));
    ok(shownText.includes('12%'), shownText);
    const planned = edited('2', '5', 'enter', 'enter');
    deepEqual(planned.overlay?.kind === 'plan' ? planned.overlay.words : [], ['shift', 'shop', 'blue=25', 'green=75']);
  });
});

describe('an act without a service to be about', () => {
  const canary: Action = { type: 'act', act: 'canary' };
  const wide = { columns: 120, rows: 40 };

  test('asks which one, what is under way first, and goes on with the one that was chosen', () => {
    const state = after(liveState(wide, changingStatus()), { type: 'screen', screen: 'changes' }, canary);
    ok(state.overlay?.kind === 'menu');
    deepEqual(
      state.overlay.items.map(({ label }) => label),
      ['shop: rollout to green, running', 'search: rollout to canary, frozen'],
    );
    const chosen = after(state, ...press('enter'));
    ok(chosen.overlay?.kind === 'menu');
    deepEqual(chosen.overlay.title, 'rollout of shop to green, running');
    equal(applies(after(chosen, ...press('enter', 'enter', 'enter'))), 0);
    const clicked = after(state, { type: 'overlayItem', index: 1 }, { type: 'overlayItem', index: 1 });
    ok(clicked.overlay?.kind === 'menu');
    equal(clicked.overlay.title, 'rollout of search to canary, frozen');
  });

  test('of many services shows those around the chosen one', () => {
    const [service] = busyStatus().services;
    ok(service !== undefined);
    const services = Array.from({ length: 60 }, (_, index) => ({ ...service, name: `service-${index}` }));
    const state = after(liveState({ columns: 80, rows: 24 }, busyStatus({ services })), { type: 'act', act: 'switch' });
    const far = frameText(dashboardFrame(after(state, ...press(...Array.from({ length: 50 }, () => 'j')))));
    ok(far.includes('▸ service-50'), far);
  });
});

test('what is copied from a plan is a line for a shell', () => {
  const state = openPlan(liveState({ columns: 120, rows: 40 }), ['drain', 'eu-west', '--reason', "it's late"]);
  const shownPlan = after({ ...state, asks: [] }, { type: 'planned', ask: state.asks[0]?.number ?? 0, request, result });
  const [copied] = after({ ...shownPlan, asks: [] }, ...press('c')).asks;
  deepEqual(copied?.kind === 'copy' ? splitWords(copied.text) : [], ['weir', 'drain', 'eu-west', '--reason', "it's late"]);
});

test('a line is the words that a shell would read from it', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.string({ minLength: 1 }).filter((word) => !/[\0\n]/.test(word)),
        { minLength: 1 },
      ),
      (words) => {
        deepEqual(splitWords(lineOf(words)), ['weir', ...words]);
      },
    ),
    { seed: 31, numRuns: 500 },
  );
});
