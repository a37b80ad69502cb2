// What operators may ask for: the percent rules, names that do not exist, and changes that would leave requests nowhere.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fastCheck from 'fast-check';
import { MILLION } from '../../../balancer/config/config.ts';
import { applyChange, type Applied, type DirectChange, type Facts } from '../../../balancer/intent/apply-change.ts';
import type { Intent, Refusal } from '../../../balancer/intent/intent.ts';
import { seedIntent } from '../../../balancer/intent/seed.ts';
import { fleetConfig, type ServiceSketch } from '../../support/fleet-config.ts';

const SHOP: ServiceSketch = {
  versions: { blue: { eu: 70, us: 30 }, green: { us: 1 }, red: { eu: 1, us: 1 } },
  split: { blue: 60, green: 30, red: 10 },
};

interface Scene {
  readonly facts: Facts;
  readonly intent: Intent;
}

function scene(shop: ServiceSketch = SHOP, usable?: Facts['usable']): Scene {
  const config = fleetConfig({ services: { shop } });
  return { facts: usable === undefined ? config : { ...config, usable }, intent: seedIntent(config, null).intent };
}

function made({ facts, intent }: Scene, change: DirectChange): Applied {
  const outcome = applyChange(intent, change, facts);
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.refusal.message);
  return outcome;
}

function refused({ facts, intent }: Scene, change: DirectChange): Refusal {
  const outcome = applyChange(intent, change, facts);
  assert.ok(!outcome.ok, `should be refused, but made: ${outcome.ok ? outcome.summary : ''}`);
  return outcome.refusal;
}

const shift = (percents: Readonly<Record<string, number>>, service = 'shop'): DirectChange => ({ kind: 'shift', service, percents });
const clusters = (percents: Readonly<Record<string, number>>): DirectChange => ({ kind: 'shift_clusters', service: 'shop', percents });
const admin = (cluster: string, state: 'active' | 'drain' | 'maintenance'): DirectChange => ({ kind: 'admin', cluster, state });
const dial = (cluster: string, percent: number): DirectChange => ({ kind: 'dial', cluster, percent });

function after(start: Scene, ...changes: readonly DirectChange[]): Scene {
  return changes.reduce((at, change) => ({ ...at, intent: made(at, change).intent }), start);
}

describe('a shift', () => {
  const split = (at: Scene, percents: Readonly<Record<string, number>>) => made(at, shift(percents)).intent.services['shop']?.split;

  test('gives the named versions their percentages and lets the others share the rest in proportion', () => {
    assert.deepEqual(split(scene(), { green: 50 }), { blue: 428_571, green: 500_000, red: 71_429 });
    assert.deepEqual(split(scene(), { green: 50, red: 10 }), { blue: 400_000, green: 500_000, red: 100_000 });
    assert.deepEqual(split(scene(), { green: 100 }), { blue: 0, green: MILLION, red: 0 });
    assert.deepEqual(split(scene(), { blue: 0.0001, green: 99.9999, red: 0 }), { blue: 1, green: 999_999, red: 0 });
  });

  test('makes the next revision and says in one line what moved, from what to what', () => {
    const at = scene();
    const { intent, touched, summary } = made(at, shift({ green: 50, red: 10 }));
    assert.equal(intent.revision, at.intent.revision + 1);
    assert.equal(summary, 'shop: blue 60 % → 40 %, green 30 % → 50 %');
    assert.deepEqual(touched, [
      {
        path: ['services', 'shop', 'split'],
        before: { blue: 600_000, green: 300_000, red: 100_000 },
        after: { blue: 400_000, green: 500_000, red: 100_000 },
      },
    ]);
  });

  test('to what is already so makes no revision', () => {
    const at = scene();
    const { intent, touched } = made(at, shift({ green: 30 }));
    assert.equal(intent, at.intent);
    assert.deepEqual(touched, []);
  });

  test('sums to exactly a million and keeps named parts exact, for any percentages', () => {
    const parts = fastCheck
      .tuple(fastCheck.integer({ min: 0, max: MILLION }), fastCheck.integer({ min: 0, max: MILLION }))
      .filter(([a, b]) => a + b <= MILLION);
    fastCheck.assert(
      fastCheck.property(parts, ([blue, green]) => {
        const result = split(scene(), { blue: blue / 10_000, green: green / 10_000 });
        assert.deepEqual(result, { blue, green, red: MILLION - blue - green });
      }),
      { seed: 42, numRuns: 300 },
    );
  });

  const two: ServiceSketch = { versions: { blue: { eu: 1 }, green: { eu: 1 } } };
  const wrong: readonly (readonly [string, ServiceSketch, Readonly<Record<string, number>>, RegExp])[] = [
    ['negative', SHOP, { green: -1 }, /version "green": -1 % is negative/],
    ['not a number', SHOP, { green: Number.NaN }, /version "green": NaN is not a percentage/],
    ['infinite', SHOP, { green: Infinity }, /not a percentage/],
    ['above 100', SHOP, { green: 100.5 }, /100.5 % is more than everything/],
    ['finer than four decimals', SHOP, { green: 0.00001 }, /too fine.*up to 4 decimals/],
    ['above 100 together', SHOP, { green: 60, red: 41 }, /green=60 red=41 add up to 101 %/],
    ['all named and short of 100', SHOP, { blue: 33.3333, green: 33.3333, red: 33.3333 }, /must add up to 100; .* add up to 99.9999$/],
    ['all named and all 0', two, { blue: 0, green: 0 }, /every version 0 %/],
    ['below 100 while the others have 0', two, { blue: 90 }, /leaves 10 % for green, which has 0 now.*name every version: blue=90 green=…/],
    ['empty', SHOP, {}, /no version is named.*blue, green, red/],
  ];
  for (const [what, sketch, percents, message] of wrong) {
    test(`that is ${what} is refused as a usage error that says how to fix it`, () => {
      const refusal = refused(scene(sketch), shift(percents));
      assert.equal(refusal.kind, 'usage');
      assert.match(refusal.message, message);
    });
  }

  test('of what does not exist names the nearest and lists what does', () => {
    assert.deepEqual(refused(scene(), shift({ green: 50 }, 'shpo')), {
      kind: 'not_found',
      message: 'there is no service "shpo"; did you mean "shop"? the config has shop',
    });
    assert.deepEqual(refused(scene(), shift({ gren: 50 })), {
      kind: 'not_found',
      message: 'there is no version "gren"; did you mean "green"? service "shop" has blue, green, red',
    });
    assert.equal(refused(scene(), shift({ __proto__x: 50 })).kind, 'not_found');
    assert.equal(refused(scene(), shift({ green: 50 }, 'constructor')).kind, 'not_found');
  });

  test('onto nothing that is up is refused, and one that leaves something up is not', () => {
    const at = scene(SHOP, (_service, version) => version !== 'green');
    const refusal = refused(at, shift({ green: 100 }));
    assert.equal(refusal.kind, 'unsafe');
    assert.match(refusal.message, /green in us/);
    made(at, shift({ green: 99 }));
  });
});

describe('a shift of clusters', () => {
  const weights = (at: Scene, percents: Readonly<Record<string, number>>) =>
    made(at, clusters(percents)).intent.services['shop']?.clusterWeights;

  test('sets the weights of every version among the clusters it has', () => {
    assert.deepEqual(weights(scene(), { eu: 20, us: 80 }), {
      blue: { eu: 200_000, us: 800_000 },
      green: { us: 800_000 },
      red: { eu: 200_000, us: 800_000 },
    });
    assert.deepEqual(weights(scene(), { eu: 20 }), {
      blue: { eu: 200_000, us: 800_000 },
      green: { us: 1 },
      red: { eu: 200_000, us: 800_000 },
    });
  });

  test('tells the resulting totals', () => {
    // Before: eu has 60 % * 70/100 + 10 % * 1/2 = 47 %. After: 20 % of the 70 % that run in both.
    assert.equal(made(scene(), clusters({ eu: 20 })).summary, 'shop: eu 47 % → 14 %, us 53 % → 86 %');
  });

  test('lets the clusters that are not named share in proportion', () => {
    const three: ServiceSketch = { versions: { blue: { eu: 1, us: 3, asia: 1 } } };
    assert.deepEqual(weights(scene(three), { eu: 60 }), { blue: { eu: 600_000, us: 300_000, asia: 100_000 } });
  });

  test('follows the percent rules and knows what runs where', () => {
    assert.match(
      refused(scene(), clusters({ eu: 20, us: 70 })).message,
      /version "blue" of service "shop": every cluster is named.*add up to 90/,
    );
    assert.deepEqual(refused(scene(), clusters({ ue: 20 })), {
      kind: 'not_found',
      message: 'there is no cluster "ue"; did you mean "eu"? the config has eu, us',
    });
  });

  test('away from the only cluster of a version is refused while the version has a share, and leaves it alone when not', () => {
    assert.match(refused(scene(), clusters({ eu: 100, us: 0 })).message, /version "green"/);
    const idle = after(scene(), shift({ green: 0 }));
    assert.deepEqual(weights(idle, { eu: 100, us: 0 })?.['green'], { us: 1 });
  });
});

describe('admin state and dial', () => {
  test('are set, and say from what to what', () => {
    const at = scene();
    assert.equal(made(at, admin('eu', 'drain')).summary, 'eu: active → draining');
    assert.deepEqual(made(at, admin('eu', 'maintenance')).intent.clusters['eu'], { admin: 'maintenance', dialPercent: 100 });
    assert.deepEqual(made(at, dial('eu', 12.5)).touched, [{ path: ['clusters', 'eu', 'dialPercent'], before: 100, after: 12.5 }]);
    assert.equal(made(at, admin('eu', 'active')).intent, at.intent);
  });

  test('a release is counted, and is a change however often it is made', () => {
    const at = scene();
    const once = made(at, { kind: 'release', cluster: 'eu' });
    assert.deepEqual([once.intent.clusters['eu']?.releases, once.summary], [1, 'eu: released']);
    assert.equal(made({ ...at, intent: once.intent }, { kind: 'release', cluster: 'eu' }).intent.clusters['eu']?.releases, 2);
    assert.match(refused(at, { kind: 'release', cluster: 'ue' }).message, /did you mean "eu"/);
  });

  test('refuse what is no percentage and what does not exist', () => {
    assert.equal(refused(scene(), dial('eu', 101)).kind, 'usage');
    assert.equal(refused(scene(), dial('eu', -1)).kind, 'usage');
    assert.deepEqual(refused(scene(), admin('uss', 'drain')), {
      kind: 'not_found',
      message: 'there is no cluster "uss"; did you mean "us"? the config has eu, us',
    });
  });

  const solo = (onUnavailable: 'redistribute' | 'fail' | 'hold'): ServiceSketch => ({
    ...SHOP,
    versions: { blue: { eu: 1 }, green: { us: 1 } },
    split: { blue: 1, green: 1 },
    onUnavailable,
  });

  for (const close of [admin('us', 'drain'), admin('us', 'maintenance'), dial('us', 0)]) {
    const what = close.kind === 'dial' ? 'a dial of 0' : close.kind === 'admin' ? close.state : close.kind;
    test(`${what} that leaves a version nowhere follows onUnavailable, and is refused where its share would be lost`, () => {
      made(scene(solo('redistribute')), close);
      for (const onUnavailable of ['fail', 'hold'] as const) {
        const refusal = refused(scene(solo(onUnavailable)), close);
        assert.equal(refusal.kind, 'unsafe');
        assert.match(refusal.message, /version "green" of service "shop".*weir shift shop green=0/);
      }
    });

    test(`${what} of the last open cluster is refused`, () => {
      const refusal = refused(after(scene(), admin('eu', 'drain')), close);
      assert.equal(refusal.kind, 'unsafe');
      assert.match(refusal.message, /service "shop" would have no cluster left.*eu is draining.*weir restore/);
    });
  }

  test('may be changed for a service that had nothing left before', () => {
    const nothing: ServiceSketch = { versions: { blue: { eu: 0 }, green: { us: 1 } } };
    made(scene(nothing), admin('us', 'drain'));
  });

  test('closing the last cluster that is up is refused, closing one while all are down is not', () => {
    const refusal = refused(
      scene(SHOP, (_service, _version, cluster) => cluster === 'us'),
      admin('us', 'drain'),
    );
    assert.equal(refusal.kind, 'unsafe');
    made(
      scene(SHOP, () => false),
      admin('us', 'drain'),
    );
  });
});
