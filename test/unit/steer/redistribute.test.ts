// Where shares go: Envoy's arithmetic recomputed, the order of places, limits, and what must hold for any targets at all.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fastCheck from 'fast-check';
import { MILLION } from '../../../balancer/config/config.ts';
import type { PlanTarget } from '../../../balancer/steer/plan-shape.ts';
import { OVERPROVISIONING, redistribute } from '../../../balancer/steer/redistribute.ts';

/** A healthy target that receives if it has a share, with what differs. */
function target(place: string, desired: number, other: Partial<PlanTarget> = {}): PlanTarget {
  const [version = '', cluster = ''] = place.split('@');
  return {
    version,
    cluster,
    desired,
    effective: 0,
    available: 1,
    receives: desired > 0,
    lastResort: false,
    priority: 0,
    limit: null,
    reasons: [],
    ...other,
  };
}

/** What a cluster with this part of its endpoints healthy is available for. */
const healthy = (fraction: number) => ({ available: Math.min(1, OVERPROVISIONING * fraction) });
const down = { available: 0 };

/** Percent, rounded as Envoy's tables are. */
function percents(targets: readonly PlanTarget[]): readonly number[] {
  return redistribute(targets, 'redistribute').effective.map((share) => Math.round(share / 10_000));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, value) => total + value, 0);
}

describe('partial health, by the formulas of Envoy', () => {
  // Priority levels: health = min(1, 1.4 * healthy / total), load of a level = what its health allows of what is left, normalised.
  const levels: readonly (readonly [healthy: readonly number[], shares: readonly number[]])[] = [
    [
      [1, 1],
      [100, 0],
    ],
    [
      [0.72, 1],
      [100, 0],
    ],
    [
      [0.71, 1],
      [99, 1],
    ],
    [
      [0.5, 1],
      [70, 30],
    ],
    [
      [0.25, 1],
      [35, 65],
    ],
    [
      [0, 1],
      [0, 100],
    ],
    [
      [0.25, 0.25],
      [50, 50],
    ],
    [
      [0.25, 0.25, 0.2],
      [36, 36, 29],
    ],
  ];
  for (const [fractions, shares] of levels) {
    test(`priorities that are ${fractions.join(', ')} healthy carry ${shares.join('/')}`, () => {
      const targets = fractions.map((fraction, priority) =>
        target(`v@c${priority}`, priority === 0 ? MILLION : 0, { priority, weight: MILLION, receives: true, ...healthy(fraction) }),
      );
      assert.deepEqual(percents(targets), shares);
    });
  }

  test('weights 1:2 with the first half healthy carry 26/74', () => {
    assert.deepEqual(percents([target('v@x', 333_333, healthy(0.5)), target('v@y', 666_667)]), [26, 74]);
  });
});

describe('a place that is gone', () => {
  const blueGreen = [target('blue@eu', 600_000, down), target('blue@us', 300_000), target('green@us', 100_000)];

  test('gives its share to the same version in other clusters first', () => {
    assert.deepEqual(redistribute(blueGreen, 'redistribute'), { effective: [0, 900_000, 100_000], lost: 0, panic: false });
  });

  test('gives it to the other versions when its version is nowhere', () => {
    const targets = [target('blue@eu', 800_000, down), target('green@us', 150_000), target('red@us', 50_000)];
    assert.deepEqual(redistribute(targets, 'redistribute').effective, [0, 750_000, 250_000]);
  });

  test('gives the other versions only what its own version cannot take', () => {
    const targets = [target('blue@eu', 600_000, down), target('blue@us', 300_000, { limit: 500_000 }), target('green@us', 100_000)];
    assert.deepEqual(redistribute(targets, 'redistribute').effective, [0, 500_000, 500_000]);
  });

  test('loses what is above every limit', () => {
    const targets = [
      target('blue@eu', 600_000, down),
      target('blue@us', 300_000, { limit: 500_000 }),
      target('green@us', 100_000, { limit: 200_000 }),
    ];
    assert.deepEqual(redistribute(targets, 'redistribute'), { effective: [0, 500_000, 200_000], lost: 300_000, panic: false });
  });

  test('gives nothing to weight 0, to maintenance, or to a drained cluster', () => {
    const closed = { receives: false, available: 0 };
    const targets = [
      target('v@a', 400_000, down),
      target('v@b', 600_000),
      target('v@zero', 0),
      target('v@maintained', 0, { ...closed, weight: 500_000 }),
    ];
    assert.deepEqual(redistribute(targets, 'redistribute').effective, [0, MILLION, 0, 0]);
  });

  test('gives it to a last resort only when nothing else is left', () => {
    const resort = target('v@drained', 0, { receives: true, lastResort: true, weight: MILLION });
    assert.deepEqual(redistribute([target('v@a', 500_000, down), target('v@b', 500_000), resort], 'redistribute').effective, [
      0,
      MILLION,
      0,
    ]);
    assert.deepEqual(redistribute([target('v@a', 500_000, down), target('v@b', 500_000, down), resort], 'redistribute').effective, [
      0,
      0,
      MILLION,
    ]);
    const full = target('v@b', 500_000, { limit: 600_000 });
    assert.deepEqual(redistribute([target('v@a', 500_000, down), full, resort], 'redistribute').effective, [0, 600_000, 400_000]);
  });

  test('with fail loses its share and nobody else gets more', () => {
    assert.deepEqual(redistribute(blueGreen, 'fail'), { effective: [0, 300_000, 100_000], lost: 600_000, panic: false });
  });

  test('with hold keeps its share, unless an operator closed it', () => {
    assert.deepEqual(redistribute(blueGreen, 'hold'), { effective: [600_000, 300_000, 100_000], lost: 0, panic: false });
    const closed = [target('v@a', 400_000, { available: 0, receives: false }), target('v@b', 600_000)];
    assert.deepEqual(redistribute(closed, 'hold'), { effective: [0, 600_000], lost: 400_000, panic: false });
  });
});

describe('when nothing is up', () => {
  test('redistribute serves by intent rather than not at all, but nothing that is closed', () => {
    const targets = [
      target('v@a', 300_000, down),
      target('v@b', 500_000, down),
      target('v@closed', 200_000, { available: 0, receives: false }),
    ];
    assert.deepEqual(redistribute(targets, 'redistribute'), { effective: [375_000, 625_000, 0], lost: 0, panic: true });
  });

  test('fail loses everything', () => {
    assert.deepEqual(redistribute([target('v@a', MILLION, down)], 'fail'), { effective: [0], lost: MILLION, panic: false });
  });

  test('and everything is closed, all is lost', () => {
    const targets = [target('v@a', MILLION, { available: 0, receives: false })];
    assert.deepEqual(redistribute(targets, 'redistribute'), { effective: [0], lost: MILLION, panic: false });
  });

  test('a service without any share has none to lose', () => {
    assert.deepEqual(redistribute([target('v@a', 0)], 'redistribute'), { effective: [0], lost: 0, panic: false });
  });
});

describe('a place above its target utilisation', () => {
  test('hands on what is above to places with room, then fills up to the limit, then keeps what nobody takes', () => {
    const at = (desired: number, limit: number) => ({ desired, limit, spillAt: limit * 0.8 });
    const spilled = [target('v@a', 700_000, at(700_000, 500_000)), target('v@b', 300_000, at(300_000, 900_000))];
    assert.deepEqual(redistribute(spilled, 'redistribute').effective, [400_000, 600_000]);
    const tight = [target('v@a', 700_000, at(700_000, 500_000)), target('v@b', 300_000, at(300_000, 550_000))];
    // Rest after 400,000 and 440,000 is 160,000, given 7:3: 100,000 and 48,000 come to rest at 500,000 and 488,000, the last 12,000 at b.
    assert.deepEqual(redistribute(tight, 'redistribute').effective, [500_000, 500_000]);
    const short = [target('v@a', 700_000, at(700_000, 400_000)), target('v@b', 300_000, at(300_000, 400_000))];
    assert.deepEqual(redistribute(short, 'redistribute'), { effective: [600_000, 400_000], lost: 0, panic: false });
  });
});

describe('for any targets', () => {
  const targetLists = fastCheck
    .array(
      fastCheck.record({
        version: fastCheck.constantFrom('blue', 'green', 'red'),
        weight: fastCheck.oneof(fastCheck.constant(0), fastCheck.integer({ min: 1, max: 1000 })),
        available: fastCheck.oneof(fastCheck.constantFrom(0, 0, 1, 1), fastCheck.double({ min: 0, max: 1, noNaN: true })),
        closed: fastCheck.constantFrom(false, false, false, true),
        lastResort: fastCheck.constantFrom(false, false, false, true),
        limit: fastCheck.oneof(fastCheck.constant(null), fastCheck.integer({ min: 0, max: MILLION })),
        spills: fastCheck.boolean(),
      }),
      { minLength: 1, maxLength: 8 },
    )
    .map((sketches) => {
      const total = sum(sketches.map(({ weight }) => weight));
      let left = MILLION;
      const lastWeighted = sketches.findLastIndex(({ weight }) => weight > 0);
      return sketches.map((sketch, index) => {
        const desired = index === lastWeighted ? left : total === 0 ? 0 : Math.floor((sketch.weight * MILLION) / total);
        left -= desired;
        const receives = desired > 0 && !sketch.closed;
        return target(`${sketch.version}@c${index}`, desired, {
          receives,
          available: receives ? sketch.available : 0,
          lastResort: receives && sketch.lastResort,
          limit: sketch.limit,
          spillAt: sketch.spills && sketch.limit !== null ? Math.floor(sketch.limit * 0.8) : null,
        });
      });
    })
    .filter((targets) => sum(targets.map(({ desired }) => desired)) === MILLION);
  const policies = fastCheck.constantFrom('redistribute' as const, 'fail' as const, 'hold' as const);

  test('what is served and what is lost sum to exactly a million, all whole and none negative', () => {
    fastCheck.assert(
      fastCheck.property(targetLists, policies, (targets, onUnavailable) => {
        const { effective, lost } = redistribute(targets, onUnavailable);
        assert.equal(sum(effective) + lost, MILLION);
        for (const share of [...effective, lost]) assert.ok(Number.isInteger(share) && share >= 0);
      }),
      { seed: 42, numRuns: 500 },
    );
  });

  test('weight 0 and what is closed get exactly 0', () => {
    fastCheck.assert(
      fastCheck.property(targetLists, policies, (targets, onUnavailable) => {
        const { effective } = redistribute(targets, onUnavailable);
        for (const [index, { receives }] of targets.entries()) if (!receives) assert.equal(effective[index], 0);
      }),
      { seed: 42, numRuns: 500 },
    );
  });

  test('nobody is above its limit for the sake of another, nor for its own while another has room', () => {
    fastCheck.assert(
      fastCheck.property(targetLists, (targets) => {
        const { effective, panic } = redistribute(targets, 'redistribute');
        if (panic) return;
        for (const [index, { limit, desired, spillAt }] of targets.entries()) {
          const share = effective[index] ?? 0;
          if (limit === null || share <= limit) continue;
          assert.ok(share <= desired, `target ${index} got ${share} with limit ${limit} and desired ${desired}`);
          if (spillAt === null || spillAt === undefined) continue;
          for (const [other, { receives, available, limit: otherLimit, desired: otherDesired }] of targets.entries()) {
            // A double that is barely above 0 may round to no share at all.
            if (other === index || !receives || available < 1e-6 || otherDesired === 0) continue;
            assert.ok(
              otherLimit !== null && (effective[other] ?? 0) >= otherLimit,
              `target ${other} has room while ${index} is above its limit`,
            );
          }
        }
      }),
      { seed: 42, numRuns: 500 },
    );
  });

  test('a place that gets healthier never gets less, but for rounding', () => {
    fastCheck.assert(
      fastCheck.property(targetLists, fastCheck.nat(), fastCheck.double({ min: 0, max: 1, noNaN: true }), (targets, pick, better) => {
        const index = pick % targets.length;
        const chosen = targets[index];
        fastCheck.pre(chosen?.receives === true && !chosen.lastResort && better > chosen.available);
        const unwell = redistribute(targets, 'redistribute');
        // Panic knows no limits; the first place that is well again ends it, and gets what its limit allows.
        fastCheck.pre(!unwell.panic);
        const before = unwell.effective[index] ?? 0;
        const after = redistribute(
          targets.map((each, at) => (at === index ? { ...each, available: better } : each)),
          'redistribute',
        ).effective[index];
        // Every pour rounds each part by less than 1; a share is the sum of at most a handful of pours per version.
        assert.ok((after ?? 0) >= before - 3 * targets.length, `${before} → ${after}`);
      }),
      { seed: 42, numRuns: 1000 },
    );
  });

  test('with everything up and without limits every target has what was desired', () => {
    fastCheck.assert(
      fastCheck.property(targetLists, policies, (targets, onUnavailable) => {
        const up = targets.map((each) => ({
          ...each,
          available: 1,
          receives: each.desired > 0,
          lastResort: false,
          limit: null,
          spillAt: null,
        }));
        assert.deepEqual(
          redistribute(up, onUnavailable).effective,
          up.map(({ desired }) => desired),
        );
      }),
      { seed: 42, numRuns: 200 },
    );
  });
});
