// How rollouts of a service go, as the file says it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loaded, problemsOf, SMALL_CONFIG } from '../../support/config-text.ts';

const withRollout = (rollout: string): string => SMALL_CONFIG.replace('{ one: {} } } } }', `{ one: {} } } }, rollout: ${rollout} }`);

test('a service that says nothing has five steps of a minute, and rolls back', () => {
  assert.deepEqual(loaded(SMALL_CONFIG).services['shop']?.rollout, {
    steps: [10_000, 50_000, 250_000, 500_000, 1_000_000],
    holdMs: [60_000],
    minRequests: 100,
    gates: [],
    onFail: 'rollback',
  });
});

test('steps are percentages with up to four decimals, and gates are kept as they are written', () => {
  const text = withRollout('{ steps: [0.5, 100], hold: 3m, minRequests: 20, gates: ["errors<1%"], onFail: freeze }');
  assert.deepEqual(loaded(text).services['shop']?.rollout, {
    steps: [5000, 1_000_000],
    holdMs: [180_000],
    minRequests: 20,
    gates: ['errors<1%'],
    onFail: 'freeze',
  });
});

test('waves are clusters joined by +, and are there only where the file has some', () => {
  assert.deepEqual(loaded(withRollout('{ waves: [one] }')).services['shop']?.rollout.waves, [['one']]);
});

for (const [wrong, said] of [
  ['{ waves: [] }', /rollout\.waves: .*at least one, such as \[eu-west\+eu-north, us-east\]/],
  ['{ waves: ["one,two"] }', /rollout\.waves\[0\]: .*clusters joined by \+/],
  ['{ steps: [5, 5] }', /rollout\.steps\[1\]: 5 is not more than the step before it; steps rise/],
  ['{ steps: [] }', /rollout\.steps: .*at least one, such as \[10, 100\]/],
  ['{ gates: [luck] }', /rollout\.gates\[0\]: "luck" is no gate/],
  ['{ onFail: panic }', /rollout\.onFail: .*rollback/],
] as const) {
  test(`${wrong} is refused with its place and what was expected`, () => {
    assert.match(problemsOf(withRollout(wrong)).join('\n'), said);
  });
}
