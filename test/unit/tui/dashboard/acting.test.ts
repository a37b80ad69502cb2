// From keys to a change, without a terminal: what is asked for, what Enter and other keys do not do, and that weights always add up.
import { deepEqual, equal, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { ChangeRequest, ChangeResult } from '../../../../balancer/controller/api/views.ts';
import { lineOf } from '../../../../tui/dashboard/acting.ts';
import type { Action } from '../../../../tui/dashboard/model.ts';
import { withWeight } from '../../../../tui/dashboard/overlays/keys.ts';
import type { DashboardState } from '../../../../tui/dashboard/state.ts';
import { splitWords } from '../../../../tui/command-words.ts';
import { after, liveState } from '../../../support/dashboard-state.ts';

const press = (...keys: readonly string[]): readonly Action[] => keys.map((key) => ({ type: 'overlayKey', key }));
const request: ChangeRequest = { change: { kind: 'admin', cluster: 'eu-west', state: 'active' } };
const result: ChangeResult = {
  ...{ revision: 42, previousRevision: 42, changed: true, dryRun: true, local: false, summary: 'eu-west is active' },
  ...{ shares: [], forecast: null, needsApproval: [], applied: null, undo: 'weir undo' },
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

  test('answers that come late, for a plan that was left, change nothing that is shown', () => {
    const left = after(planned(), ...press('escape'));
    equal(left.overlay, null);
    equal(after(left, { type: 'planned', ask: 1, request, result }).overlay, null);
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
