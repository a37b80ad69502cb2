// The split: right to one request in every process, right in the mean over many, and nobody starves when weights change.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fastCheck from 'fast-check';
import { SplitChooser } from '../../../balancer/steer/split.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const weightLists = fastCheck.array(
  fastCheck.oneof(fastCheck.constant(0), fastCheck.integer({ min: 1, max: 20 }), fastCheck.integer({ min: 1, max: 1_000_000 })),
  { minLength: 1, maxLength: 16 },
);

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, value) => total + value, 0);
}

/** Counts after `requests` choices; calls `check` after each. */
function choose(
  chooser: SplitChooser,
  targets: number,
  requests: number,
  check?: (counts: readonly number[], made: number) => void,
): readonly number[] {
  const counts = Array.from({ length: targets }, () => 0);
  for (let made = 1; made <= requests; made += 1) {
    const index = chooser.next();
    counts[index] = (counts[index] ?? 0) + 1;
    check?.(counts, made);
  }
  return counts;
}

test('after every request every target has its share to within one request', () => {
  fastCheck.assert(
    fastCheck.property(weightLists, fastCheck.integer(), (weights, seed) => {
      const total = sum(weights);
      fastCheck.pre(total > 0);
      choose(new SplitChooser(weights, seededRandom(seed)), weights.length, 300, (counts, made) => {
        for (const [index, weight] of weights.entries()) {
          const error = Math.abs((counts[index] ?? 0) - (made * weight) / total);
          assert.ok(error < 1, `target ${index} is off by ${error} after ${made} requests`);
        }
      });
    }),
    { seed: 42, numRuns: 150 },
  );
});

test('over as many requests as the weights sum to, every count is exact', () => {
  const weights = [1, 7, 0, 30, 62];
  for (const seed of [1, 2, 3]) {
    const chooser = new SplitChooser(weights, seededRandom(seed));
    choose(chooser, weights.length, 37);
    // Whatever phase the sequence is in, it repeats: what is owed after a whole period is what was owed before it.
    const first = choose(chooser, weights.length, 100);
    const second = choose(chooser, weights.length, 100);
    assert.deepEqual(second, first);
    assert.deepEqual(choose(new SplitChooser(weights, seededRandom(seed)), weights.length, 100), weights);
  }
});

test('10,000 requests at 1 % over 4 workers reach the 1 % version 100 times, give or take less than one per worker', () => {
  // Each worker is off by less than 1 from a hundredth of its own requests, however they are dealt to the workers: 4 workers are off by less than 4.
  for (const shares of [
    [2500, 2500, 2500, 2500],
    [9000, 700, 299, 1],
  ]) {
    const canary = shares.map((requests, seed) => choose(new SplitChooser([990_000, 10_000], seededRandom(seed)), 2, requests)[1] ?? 0);
    assert.ok(Math.abs(sum(canary) - 100) < 4, `${sum(canary)} of 10,000`);
  }
});

describe('the phase', () => {
  test('of workers that know of each other is spread evenly: together they are right from the first requests on', () => {
    const of = 8;
    for (let seed = 0; seed < 50; seed += 1) {
      const random = seededRandom(seed);
      const workers = Array.from({ length: of }, (_, index) => new SplitChooser([990_000, 10_000], random, { index, of }));
      let canary = 0;
      // Half a request of each: half of the workers have one, give or take the one in whose stratum the half lies.
      for (const worker of workers) for (let made = 0; made < 50; made += 1) canary += worker.next();
      assert.ok(Math.abs(canary - 4) <= 1, `${canary} of 400 with seed ${seed}`);
    }
  });

  test('is random: over many processes a small share is right long before one process alone could show it', () => {
    const processes = 2000;
    const requests = 20;
    const random = seededRandom(7);
    let canary = 0;
    for (let made = 0; made < processes; made += 1) canary += choose(new SplitChooser([990_000, 10_000], random), 2, requests)[1] ?? 0;
    // In 20 requests a process sends 0 or 1 to the canary, 1 with probability 0.2: binomial, five standard deviations are 5*sqrt(2000*0.2*0.8) = 89.4.
    assert.ok(Math.abs(canary - 400) < 89.4, `${canary} of 40,000 requests`);
  });

  test('gives equal weights an equal chance to be first', () => {
    const firsts = [0, 0, 0];
    const random = seededRandom(11);
    for (let made = 0; made < 3000; made += 1) {
      const first = new SplitChooser([1, 1, 1], random).next();
      firsts[first] = (firsts[first] ?? 0) + 1;
    }
    // Binomial with p = 1/3: five standard deviations are 5*sqrt(3000*2/9) = 129.1.
    for (const count of firsts) assert.ok(Math.abs(count - 1000) < 129.1, firsts.join(', '));
  });
});

describe('weight 0', () => {
  test('is never chosen, not even with requests owed from before', () => {
    const chooser = new SplitChooser([1, 1, 8], seededRandom(1));
    choose(chooser, 3, 5);
    chooser.setWeights([0, 2, 8]);
    assert.equal(choose(chooser, 3, 1000)[0], 0);
  });

  test('everywhere chooses nothing, until there is a weight again', () => {
    const chooser = new SplitChooser([0, 0], seededRandom(1));
    assert.equal(chooser.next(), -1);
    chooser.setWeights([0, 5]);
    assert.equal(chooser.next(), 1);
    chooser.setWeights([]);
    assert.equal(chooser.next(), -1);
  });
});

describe('a change of weights', () => {
  test('repeated after every few requests starves nobody', () => {
    const weights = [990_000, 10_000];
    const chooser = new SplitChooser(weights, seededRandom(3));
    let canary = 0;
    for (let round = 0; round < 1000; round += 1) {
      chooser.setWeights([...weights]);
      canary += choose(chooser, 2, 7)[1] ?? 0;
    }
    assert.ok(Math.abs(canary - 70) < 1, `${canary} of 7,000`);
  });

  test('to another total keeps what is owed', () => {
    const chooser = new SplitChooser([99, 1], seededRandom(5));
    let canary = 0;
    for (let round = 0; round < 100; round += 1) {
      chooser.setWeights(round % 2 === 0 ? [990_000, 10_000] : [99, 1]);
      canary += choose(chooser, 2, 10)[1] ?? 0;
    }
    // Going to the total of 100 rounds what is owed to a hundredth of a request: 50 times at most half of that, beside the 1 of the split.
    assert.ok(Math.abs(canary - 10) < 1 + 50 * 0.005, `${canary} of 1,000`);
  });

  test('moves the counts to the new shares at once', () => {
    fastCheck.assert(
      fastCheck.property(
        fastCheck.integer({ min: 1, max: 99 }),
        fastCheck.integer({ min: 1, max: 99 }),
        fastCheck.integer(),
        (first, second, seed) => {
          const chooser = new SplitChooser([100 - first, first], seededRandom(seed));
          choose(chooser, 2, 33);
          chooser.setWeights([100 - second, second]);
          const counts = choose(chooser, 2, 200);
          // What was owed before is less than 1, what is owed after is less than 1.
          assert.ok(Math.abs((counts[1] ?? 0) - 2 * second) < 2);
        },
      ),
      { seed: 42 },
    );
  });
});
