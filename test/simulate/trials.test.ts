// Gates of rollouts for some seeds; `npm run simulate` asks for a thousand.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { secondsToFail } from './trials.ts';

const GOOD = { rps: 40, errorRatio: 0.001, latencyMs: 20 };
const SEEDS = Array.from({ length: 200 }, (_, index) => index + 1);

test('a version with 5 % errors against 0.1 % at 10 requests a second is found out in 15 seconds, and at the latest in 30', () => {
  const found = SEEDS.map(
    (seed) => secondsToFail({ blue: GOOD, green: { rps: 10, errorRatio: 0.05, latencyMs: 20 } }, 120, seed)?.seconds ?? Infinity,
  );
  found.sort((one, other) => one - other);
  assert.ok((found[Math.floor(SEEDS.length / 2)] ?? Infinity) <= 15, `median ${found[Math.floor(SEEDS.length / 2)]} s`);
  assert.ok((found[Math.floor(SEEDS.length * 0.95)] ?? Infinity) <= 30, `of ${found.join(' ')}`);
});

test('a version that answers in twice the time is found out by p95<1.2x', () => {
  for (const seed of SEEDS.slice(0, 10)) {
    const found = secondsToFail({ blue: GOOD, green: { rps: 10, errorRatio: 0.001, latencyMs: 40 } }, 300, seed);
    assert.match(found?.decision.note ?? '', /^gate p95<1.2x: /);
  }
});

test('a version that is like the others is never sent back within hours, whatever all of them suffer', () => {
  for (const errorRatio of [0.001, 0.02]) {
    for (const seed of SEEDS.slice(0, 3)) {
      const same = { errorRatio, latencyMs: 20 };
      assert.equal(
        secondsToFail({ blue: { rps: 40, ...same }, green: { rps: 10, ...same } }, 3600, seed)?.decision.note.replace(
          /errors<1%.*/,
          'errors<1%',
        ),
        errorRatio > 0.01 ? 'gate errors<1%' : undefined,
      );
    }
  }
});
