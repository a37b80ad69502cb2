// What is looked at before all of a service goes to another version.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { switchBreaches } from '../../../balancer/controller/switch-check.ts';
import { applyChange, type DirectChange } from '../../../balancer/intent/apply-change.ts';
import type { Intent } from '../../../balancer/intent/intent.ts';
import { seedIntent } from '../../../balancer/intent/seed.ts';
import { plan } from '../../../balancer/steer/plan.ts';
import { fleetConfig, healthView } from '../../support/fleet-config.ts';

const capacity = (rps: number) => ({ capacity: { rps, learn: false } });
const config = fleetConfig({
  services: {
    shop: { versions: { blue: { eu: 1, us: 1 }, green: { us: 1, asia: 1 } }, split: { blue: 100, green: 0 } },
    pay: { versions: { only: { us: 1 } } },
  },
  clusters: { eu: capacity(1000), us: capacity(100), asia: capacity(100) },
});
const seeded = seedIntent(config, null).intent;

test('a version that is up and has room is not refused', () => {
  assert.deepEqual(rules({ rps: 160, growth: 1.2 }), []);
});

test('its clusters have to take the requests of now and the growth, beside those of other services', () => {
  const [breach] = breaches({ rps: 180, growth: 1.2 });
  assert.equal(breach?.rule, 'switch.capacity');
  assert.match(
    breach.message,
    /would not take 216 requests\/s, 1\.2 times those of now \(.*16 would find no room\).*weir canary start shop/,
  );
  assert.deepEqual(rules({ rps: 180, growth: 1 }), []);
  assert.deepEqual(rules({ rps: 160, growth: 1.2, pay: 50 }), ['switch.capacity']);
});

test('a cluster that is dialled down has the room that its dial leaves', () => {
  assert.deepEqual(rules({ rps: 130, growth: 1.2, changes: [{ kind: 'dial', cluster: 'us', percent: 50 }] }), ['switch.capacity']);
});

test('a version that is down in an open cluster is refused; one that is drained there is not', () => {
  const [breach] = breaches({ rps: 50, growth: 1.2, down: 'asia' });
  assert.equal(breach?.rule, 'switch.health');
  assert.match(breach.message, /"green" cannot take requests in asia now; .*weir drain asia/);
  assert.deepEqual(rules({ rps: 50, growth: 1.2, down: 'asia', changes: [{ kind: 'admin', cluster: 'asia', state: 'drain' }] }), []);
  assert.deepEqual(rules({ rps: 50, growth: 1.2, down: 'eu' }), [], 'it does not run there');
});

interface Sketch {
  readonly rps: number;
  readonly growth: number;
  readonly pay?: number;
  readonly down?: string;
  readonly changes?: readonly DirectChange[];
}

function breaches({ rps, growth, pay = 0, down, changes = [] }: Sketch): ReturnType<typeof switchBreaches> {
  const intent = changes.reduce((present: Intent, change) => {
    const outcome = applyChange(present, change, config);
    assert.ok(outcome.ok);
    return outcome.intent;
  }, seeded);
  const health = healthView(Object.fromEntries(Object.keys(config.clusters).map((name) => [name, name === down ? 'down' : 'up'])));
  const facts = { ...config, usable: (_service: string, _version: string, cluster: string) => cluster !== down };
  const observed = { clusters: {}, targets: {} };
  return switchBreaches(
    { service: 'shop', to: 'green', growth },
    {
      ...{ intent, facts, demand: { shop: rps, pay } },
      preview: (after, demand) => plan({ ...config, intent: after, health, capacity: {}, demand, observed, nowMs: 0, previous: null }),
    },
  );
}

function rules(sketch: Sketch): readonly string[] {
  return breaches(sketch).map(({ rule }) => rule);
}
