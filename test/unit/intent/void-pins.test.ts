// Voiding pins is a change like any other, and no epoch comes twice.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyChange } from '../../../balancer/intent/apply-change.ts';
import { seedIntent } from '../../../balancer/intent/seed.ts';
import { diffIntent, restoreFields } from '../../../balancer/intent/diff.ts';
import { canonicalJson } from '../../../balancer/config/canonical-json.ts';
import { loaded } from '../../support/config-text.ts';

const config = loaded(`version: 1
listeners: { web: { bind: "127.0.0.1:8080" } }
clusters: { one: { endpoints: ["http://127.0.0.1:9001"] } }
services:
  shop: { versions: { blue: { clusters: { one: {} } } }, sticky: { mode: cookie } }
  cart: { versions: { blue: { clusters: { one: {} } } } }
routes: [{ service: shop }]
`);
const EPOCH = ['services', 'shop', 'pinEpoch'];

test('the epoch is the revision that voided the pins; an undo restores the one before, and the next is new all the same', () => {
  const seeded = seedIntent(config, null).intent;
  const once = applyChange(seeded, { kind: 'void_pins', service: 'shop' }, config);
  assert.ok(once.ok);
  assert.deepEqual(once.touched, [{ path: EPOCH, before: null, after: 2 }]);
  assert.equal(seedIntent(config, once.intent).intent.services['shop']?.pinEpoch, 2);
  const undone = { ...restoreFields(once.intent, seeded, new Set([canonicalJson(EPOCH)])), revision: 3 };
  assert.deepEqual(diffIntent(seeded, undone), []);
  const twice = applyChange(undone, { kind: 'void_pins', service: 'shop' }, config);
  assert.equal(twice.ok && twice.intent.services['shop']?.pinEpoch, 4);
});

test('a service that gives no pins has none to void', () => {
  const outcome = applyChange(seedIntent(config, null).intent, { kind: 'void_pins', service: 'cart' }, config);
  assert.ok(!outcome.ok);
  assert.match(outcome.refusal.message, /gives no pins.*sticky\.mode cookie/);
});
