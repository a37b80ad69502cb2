// The questions of the simulator for a few seeds; `npm run simulate` asks them for a thousand.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulate } from '../../balancer/steer/simulate/simulate.ts';
import { splitError } from '../../balancer/steer/simulate/split-error.ts';
import { QUESTIONS } from './scenarios.ts';

const SEEDS = [1, 2];

for (const { name, goal, scenario, figure, most } of QUESTIONS) {
  test(`${name}: ${goal}, at most ${most}`, () => {
    for (const seed of SEEDS) {
      const found = figure(simulate(scenario, seed));
      assert.ok(found <= most, `${found} with seed ${seed}`);
    }
  });
}

test('24 workers together are within 0.1 points of a share of 1 % over any 10,000 requests, and within 0.15 over the first 2,000', () => {
  for (const seed of SEEDS) {
    const { any, first } = splitError({ workers: 24, share: 10_000, requests: 40_000, window: 10_000, first: 2000 }, seed);
    assert.ok(any <= 0.1 && first <= 0.15, `${any} and ${first} with seed ${seed}`);
  }
});

test('the same seed gives the same run, to the last request, and another one another', () => {
  const scenario = QUESTIONS.find(({ name }) => name === 'a place answers 30 % errors')?.scenario;
  assert.ok(scenario !== undefined);
  assert.deepEqual(simulate(scenario, 7), simulate(scenario, 7));
  assert.notDeepEqual({ ...simulate(scenario, 8), seed: 7 }, simulate(scenario, 7));
});
