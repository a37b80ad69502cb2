// What a config does to the intent: once, and after that only where the file changed its mind.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { applyChange, type DirectChange } from '../../../balancer/intent/apply-change.ts';
import type { Intent } from '../../../balancer/intent/intent.ts';
import { seedIntent } from '../../../balancer/intent/seed.ts';
import { fleetConfig, type FleetSketch, type ServiceSketch } from '../../support/fleet-config.ts';

const SHOP: ServiceSketch = { versions: { blue: { eu: 70, us: 30 }, green: { us: 1 } }, split: { blue: 90, green: 10 } };
const fleet = (shop: ServiceSketch = SHOP, other: Partial<FleetSketch> = {}) => fleetConfig({ services: { shop }, ...other });

function changed(sketch: ServiceSketch, ...changes: readonly DirectChange[]): Intent {
  return changes.reduce(
    (intent: Intent, change) => {
      const outcome = applyChange(intent, change, fleet(sketch));
      assert.ok(outcome.ok, outcome.ok ? '' : outcome.refusal.message);
      return outcome.intent;
    },
    seedIntent(fleet(sketch), null).intent,
  );
}

const shift = (percents: Readonly<Record<string, number>>): DirectChange => ({ kind: 'shift', service: 'shop', percents });

function refused(config: ReturnType<typeof fleet>, previous: Intent): string {
  const { intent, touched, problems } = seedIntent(config, previous);
  assert.equal(intent, previous, 'a refused file changes nothing');
  assert.deepEqual(touched, []);
  assert.deepEqual(
    problems.map(({ kind }) => kind),
    ['unsafe'],
  );
  return problems[0]?.message ?? '';
}

describe('the first config', () => {
  test('makes revision 1 with its splits and weights, and clusters that are active at 100 %', () => {
    const { intent, touched, problems } = seedIntent(fleet(), null);
    assert.deepEqual(problems, []);
    assert.equal(intent.revision, 1);
    assert.deepEqual(intent.services['shop']?.split, { blue: 900_000, green: 100_000 });
    assert.deepEqual(intent.services['shop'].clusterWeights, { blue: { eu: 70, us: 30 }, green: { us: 1 } });
    assert.deepEqual(intent.clusters, { eu: { admin: 'active', dialPercent: 100 }, us: { admin: 'active', dialPercent: 100 } });
    assert.ok(touched.every(({ before }) => before === null));
  });
});

describe('the same config again', () => {
  test('touches nothing, whatever operators did since', () => {
    for (const intent of [changed(SHOP), changed(SHOP, shift({ green: 50 }), { kind: 'admin', cluster: 'us', state: 'drain' })]) {
      const again = seedIntent(fleet(), intent);
      assert.equal(again.intent, intent);
      assert.deepEqual(again.touched, []);
    }
  });

  test('with the same proportions in other numbers says the same', () => {
    const intent = changed(SHOP, shift({ green: 50 }));
    assert.equal(seedIntent(fleet({ ...SHOP, split: { blue: 9, green: 1 } }), intent).intent, intent);
  });
});

describe('a config that changed', () => {
  test('changes only the fields that changed in the file', () => {
    const intent = changed(SHOP, shift({ green: 50 }), { kind: 'dial', cluster: 'eu', percent: 40 });
    const reloaded = seedIntent(fleet({ ...SHOP, versions: { blue: { eu: 50, us: 50 }, green: { us: 1 } } }), intent).intent;
    assert.equal(reloaded.revision, intent.revision + 1);
    assert.deepEqual(reloaded.services['shop']?.split, { blue: 500_000, green: 500_000 }, 'the split is still the operator’s');
    assert.deepEqual(reloaded.services['shop'].clusterWeights['blue'], { eu: 50, us: 50 });
    assert.equal(reloaded.clusters['eu']?.dialPercent, 40);
  });

  test('takes its new split over the operator’s', () => {
    const intent = changed(SHOP, shift({ green: 50 }));
    const reloaded = seedIntent(fleet({ ...SHOP, split: { blue: 80, green: 20 } }), intent).intent;
    assert.deepEqual(reloaded.services['shop']?.split, { blue: 800_000, green: 200_000 });
  });

  test('gives a new version 0 and leaves the other shares alone', () => {
    const intent = changed(SHOP, shift({ green: 50 }));
    const reloaded = seedIntent(fleet({ ...SHOP, versions: { ...SHOP.versions, red: { eu: 1 } } }), intent).intent;
    assert.deepEqual(reloaded.services['shop']?.split, { blue: 500_000, green: 500_000, red: 0 });
    assert.deepEqual(reloaded.services['shop'].clusterWeights['red'], { eu: 1 });
  });

  test('starts a new cluster active and forgets one that left', () => {
    const intent = changed(SHOP);
    const added = seedIntent(fleet(SHOP, { clusters: { asia: {} } }), intent).intent;
    assert.deepEqual(added.clusters['asia'], { admin: 'active', dialPercent: 100 });
    assert.equal(seedIntent(fleet(), added).intent.clusters['asia'], undefined);
  });
});

describe('what left the file', () => {
  const blueOnly: ServiceSketch = { versions: { blue: { eu: 70, us: 30 } } };

  test('a version with a share is refused, with how to go on', () => {
    const seeded: ServiceSketch = { versions: SHOP.versions };
    const message = refused(fleet(blueOnly), changed(seeded, shift({ green: 25 })));
    assert.match(message, /^services\.shop\.versions\.green: .*25 % of "shop".*weir shift shop green=0.*services\.shop\.split/);
  });

  test('a version with a share may leave when the same file changes the split', () => {
    const { intent, problems } = seedIntent(fleet(blueOnly), changed(SHOP));
    assert.deepEqual(problems, []);
    assert.deepEqual(intent.services['shop']?.split, { blue: 1_000_000 });
  });

  test('a version at 0 just leaves', () => {
    const seeded: ServiceSketch = { versions: SHOP.versions };
    const { intent, problems } = seedIntent(fleet(blueOnly), changed(seeded));
    assert.deepEqual(problems, []);
    assert.deepEqual(Object.keys(intent.services['shop']?.clusterWeights ?? {}), ['blue']);
  });

  const equal: ServiceSketch = { versions: { blue: { eu: 1, us: 1 } } };

  test('a cluster with a share is refused, and may go once it is drained', () => {
    const message = refused(fleet({ versions: { blue: { eu: 1 } } }), changed(equal));
    assert.match(message, /^services\.shop\.versions\.blue\.clusters\.us: .*weir drain us.*split/);
    const drained = changed(equal, { kind: 'admin', cluster: 'us', state: 'drain' });
    assert.deepEqual(seedIntent(fleet({ versions: { blue: { eu: 1 } } }), drained).problems, []);
  });

  test('a cluster with a share may go when the file weighs the others anew', () => {
    const { intent, problems } = seedIntent(fleet({ versions: { blue: { eu: 100 } } }), changed(equal));
    assert.deepEqual(problems, []);
    assert.deepEqual(intent.services['shop']?.clusterWeights['blue'], { eu: 100 });
  });

  test('a cluster with a share may go when the file says a new split', () => {
    const drop: ServiceSketch = { versions: { blue: { eu: 70 }, green: { us: 1 } }, split: { blue: 80, green: 20 } };
    const { intent, problems } = seedIntent(fleet(drop), changed(SHOP));
    assert.deepEqual(problems, []);
    assert.deepEqual(intent.services['shop']?.clusterWeights['blue'], { eu: 70 });
    assert.match(refused(fleet({ ...drop, split: { blue: 90, green: 10 } }), changed(SHOP)), /blue\.clusters\.us/);
  });

  test('a service that takes its routes with it is refused; one whose routes lead elsewhere, or left before, may go', () => {
    const two = (routes: Readonly<Record<string, string>>) => fleetConfig({ services: { shop: equal, mail: equal }, routes });
    const one = (routes: Readonly<Record<string, string>>) => fleetConfig({ services: { shop: equal }, routes });
    const intent = seedIntent(two({ front: 'shop', post: 'mail' }), null).intent;
    assert.match(refused(one({ front: 'shop' }), intent), /^services\.mail: .*"post"/);
    assert.deepEqual(seedIntent(one({ front: 'shop', post: 'shop' }), intent).problems, []);
    const unrouted = seedIntent(two({ front: 'shop' }), intent);
    assert.deepEqual(unrouted.problems, []);
    const gone = seedIntent(one({ front: 'shop' }), unrouted.intent);
    assert.deepEqual(gone.problems, []);
    assert.deepEqual(Object.keys(gone.intent.services), ['shop']);
  });

  test('every problem is told at once', () => {
    const intent = changed({ versions: SHOP.versions }, shift({ green: 25 }));
    const { problems } = seedIntent(fleet({ versions: { blue: { eu: 70 } } }), intent);
    assert.equal(problems.length, 2);
  });
});
