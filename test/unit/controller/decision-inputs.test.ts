// What stands in the record of a change besides the change: what its maker saw of the services and clusters that it is about.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decisionInputs } from '../../../balancer/controller/decision-inputs.ts';
import type { DecisionInputs, TouchedField } from '../../../balancer/intent/intent.ts';
import { revisionHash } from '../../../balancer/intent/revision.ts';
import { seedIntent } from '../../../balancer/intent/seed.ts';
import { plan } from '../../../balancer/steer/plan.ts';
import { decodeRevision } from '../../../balancer/store/decode.ts';
import { fleetConfig, healthView } from '../../support/fleet-config.ts';

const config = fleetConfig({
  services: {
    shop: { versions: { blue: { eu: 1 }, green: { us: 1 } }, split: { blue: 75, green: 25 } },
    pay: { versions: { only: { us: 1 } } },
  },
  clusters: { eu: { capacity: { rps: 1000, learn: false } }, us: {}, asia: {} },
});

function seen(...paths: readonly string[]): DecisionInputs | undefined {
  const touched = paths.map((path): TouchedField => ({ path: path.split('.'), before: null, after: 1 }));
  const health = healthView({ eu: 'up', us: 'degraded', asia: 'down' });
  const demand = { shop: 400, pay: 50.04 };
  const { intent } = seedIntent(config, null);
  const planned = plan({ ...config, intent, health, capacity: {}, demand, nowMs: 0, previous: null });
  return decisionInputs(touched, { planned, demand, assigned: { us: 7 } });
}

test('of a service: what it was asked for, where it went, and how its clusters stood', () => {
  assert.deepEqual(seen('services.shop.split'), {
    services: { shop: { rps: 400, shares: { 'blue/eu': 750_000, 'green/us': 250_000 }, lost: 0 } },
    clusters: { eu: { state: 'up', rps: 300, capacityRps: 1000 }, us: { state: 'degraded', rps: 157, capacityRps: null } },
  });
});

test('of a cluster: how it stood', () => {
  assert.deepEqual(seen('clusters.asia.admin'), { services: {}, clusters: { asia: { state: 'down', rps: 0, capacityRps: null } } });
});

test('of what is about neither, or of what is gone: nothing', () => {
  assert.equal(seen('tokens.ci', 'config'), undefined);
  assert.equal(seen('services.gone.split', 'clusters.gone.admin'), undefined);
});

test('the chain covers it, and it is read back as it was written', () => {
  const inputs = seen('services.shop.split');
  assert.ok(inputs !== undefined);
  const record = {
    ...({ revision: 1, at: '2026-11-27T00:00:00.000Z', author: { name: 'ada', how: 'socket' }, source: 'operator', reason: '' } as const),
    ...{ change: null, touched: [], undoes: null, inputs, previousHash: '0'.repeat(64) },
  };
  const hash = revisionHash(record);
  assert.deepEqual(decodeRevision(JSON.stringify({ ...record, hash }), 'revision 1'), { ...record, hash });
  const [shop] = Object.values(inputs.services);
  assert.ok(shop !== undefined);
  assert.notEqual(revisionHash({ ...record, inputs: { ...inputs, services: { shop: { ...shop, lost: 1 } } } }), hash);
});
