// A reset of quotas is a change like any other: no number comes twice, an undo counts on as before, others follow it, and it is stored.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalJson } from '../../../balancer/config/canonical-json.ts';
import { applyChange } from '../../../balancer/intent/apply-change.ts';
import { diffIntent, restoreFields } from '../../../balancer/intent/diff.ts';
import type { Intent } from '../../../balancer/intent/intent.ts';
import { withOverrides } from '../../../balancer/intent/override.ts';
import { patchIntent } from '../../../balancer/intent/patch.ts';
import { seedIntent } from '../../../balancer/intent/seed.ts';
import { decodeIntent } from '../../../balancer/store/decode.ts';
import { loaded } from '../../support/config-text.ts';

const config = loaded(`version: 1
listeners: { web: { bind: "127.0.0.1:8080" } }
clusters: { one: { endpoints: ["http://127.0.0.1:9001"] } }
services: { shop: { versions: { blue: { clusters: { one: {} } } } } }
routes: [{ service: shop }]
consumers: { acme: {}, other: {} }
limits:
  monthly: { by: [consumer], allow: 10, per: month }
  daily: { by: [route, consumer], allow: 10, per: day }
  by-address: { by: [address], allow: 10, per: day }
  pace: { by: [consumer], allow: 10 }
`);
const seeded = seedIntent(config, null).intent;

function reset(intent: Intent, consumer: string, limit: string | null): Intent {
  const outcome = applyChange(intent, { kind: 'reset_quota', consumer, limit }, config);
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.refusal.message);
  return outcome.intent;
}

test('a reset outlives what is set for a time', () => {
  const all = reset(seeded, 'acme', null);
  assert.deepEqual(withOverrides({ ...all, overrides: {} }, {}), all);
});

test('the epoch of a count is the revision that reset it, of all quotas of the consumer or of one', () => {
  const all = reset(seeded, 'acme', null);
  assert.deepEqual(all.quotaEpochs, { acme: { monthly: 2, daily: 2 } });
  const one = reset(all, 'acme', 'daily');
  assert.deepEqual(one.quotaEpochs, { acme: { monthly: 2, daily: 3 } });
  assert.deepEqual(reset(one, 'other', 'monthly').quotaEpochs, { acme: { monthly: 2, daily: 3 }, other: { monthly: 4 } });
  assert.deepEqual(seedIntent(config, one).intent.quotaEpochs, one.quotaEpochs);
});

test('an undo counts on as before, and the next reset is new all the same', () => {
  const once = reset(seeded, 'acme', 'monthly');
  const touched = diffIntent(seeded, once);
  assert.deepEqual(touched, [{ path: ['quotaEpochs', 'acme', 'monthly'], before: null, after: 2 }]);
  const paths = new Set(touched.map(({ path }) => canonicalJson(path)));
  const undone = { ...restoreFields(once, seeded, paths), revision: 3 };
  assert.deepEqual({ ...undone, revision: 1 }, seeded);
  assert.deepEqual(reset(undone, 'acme', 'monthly').quotaEpochs, { acme: { monthly: 4 } });
});

test('it is stored, and other hosts of a fleet follow it', () => {
  const steps = [seeded, reset(seeded, 'acme', null)];
  steps.push({ ...seeded, revision: 3 });
  for (const [index, after] of steps.entries()) {
    assert.deepEqual(decodeIntent(JSON.stringify(after), 'intent'), after);
    const before = steps[index - 1];
    if (before !== undefined)
      assert.deepEqual(patchIntent(before, { revision: after.revision, touched: diffIntent(before, after) }), after);
  }
});

test('nobody and nothing that is no quota of consumers is reset', () => {
  for (const [consumer, limit, said] of [
    ['acmee', null, /there is no consumer "acmee"; did you mean "acme"/],
    ['acme', 'pace', /"pace" is no quota of consumers; .* as monthly, daily$/],
    ['acme', 'by-address', /"by-address" is no quota of consumers/],
  ] as const) {
    const outcome = applyChange(seeded, { kind: 'reset_quota', consumer, limit }, config);
    assert.ok(!outcome.ok);
    assert.match(outcome.refusal.message, said);
  }
});
