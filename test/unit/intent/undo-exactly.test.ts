// Undo to a revision restores what operators had set bit for bit: also over rollouts begun since and changes whose time is over.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { canonicalJson } from '../../../balancer/config/canonical-json.ts';
import { AT_ONCE } from '../../../balancer/config/rollout-config.ts';
import type { ChangeOutcome, DirectChange } from '../../../balancer/intent/apply-change.ts';
import type { Intent } from '../../../balancer/intent/intent.ts';
import { seedIntent } from '../../../balancer/intent/seed.ts';
import { applyTimed, endOverride } from '../../../balancer/intent/timed-change.ts';
import { undo } from '../../../balancer/intent/undo.ts';
import { applyRollout } from '../../../balancer/rollout/apply-rollout.ts';
import { fleetConfig } from '../../support/fleet-config.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const HOUR = 3_600_000;
const MOMENT = { at: '2026-01-01T00:00:00.000Z', note: 'alice', usualErrorRatio: 0 };

const config = fleetConfig({
  services: {
    shop: { versions: { blue: { eu: 70, us: 30 }, green: { eu: 1, us: 1 } }, split: { blue: 90, green: 10 } },
    mail: { versions: { one: { eu: 1, us: 1 }, two: { eu: 1, us: 1 } } },
  },
});

test('undo to any revision restores the digest of what operators had set, across rollouts and ended times', () => {
  const intents = journey();
  const newest = intents.at(-1);
  assert.ok(newest !== undefined);
  assert.equal(newest.revision, intents.length);
  const digests = intents.map(digest);
  assert.ok(new Set(digests).size >= 6, 'the revisions differ in what was set');
  for (const then of intents) {
    const intentAt = (revision: number): Intent | null => intents[revision - 1] ?? null;
    const outcome = undo(newest, { to: then.revision }, { revisions: [], intentAt }, config);
    assert.ok(outcome.ok, outcome.ok ? '' : outcome.refusal.message);
    assert.equal(digest(outcome.intent), digests[then.revision - 1], `revision ${then.revision}`);
  }
});

/** Revision 1 first: timed changes, a rollout of another service, the end of a time, and changes that stay. */
function journey(): readonly Intent[] {
  const { intent } = seedIntent(config, null);
  const intents: Intent[] = [intent];
  const next = (change: (intent: Intent) => ChangeOutcome): void => {
    const outcome = change(intents.at(-1) ?? intent);
    assert.ok(outcome.ok, outcome.ok ? '' : outcome.refusal.message);
    intents.push(outcome.intent);
  };
  const asked = (change: DirectChange) => next((now) => applyTimed(now, change, config, { wallMs: NOW, permanent: false }));
  asked({ kind: 'shift', service: 'shop', percents: { green: 33.3333 }, forMs: 2 * HOUR });
  asked({ kind: 'dial', cluster: 'us', percent: 62.5, forMs: HOUR });
  next((now) =>
    applyRollout(now, { kind: 'rollout_start', service: 'mail', to: 'two', ...AT_ONCE, steps: [50_000, 1_000_000] }, config, MOMENT),
  );
  next((now) => endOverride(now, 3, config));
  asked({ kind: 'admin', cluster: 'eu', state: 'drain', tunnels: { deadlineMs: HOUR, tunnelsPerSecond: 5 }, forMs: HOUR });
  next((now) => applyRollout(now, { kind: 'rollout', service: 'mail', action: 'promote' }, config, MOMENT));
  next((now) => endOverride(now, 6, config));
  asked({ kind: 'shift_clusters', service: 'shop', percents: { eu: 12.5 } });
  asked({ kind: 'shift', service: 'shop', percents: { green: 80 }, overMs: HOUR });
  asked({ kind: 'dial', cluster: 'us', percent: 10, overMs: 2 * HOUR });
  asked({ kind: 'shift', service: 'shop', percents: { green: 0 } });
  return intents;
}

/** Of what operators set: the rest says how it came about (rollouts, returns) or what the file had. */
function digest({ services, clusters, overrides, glides }: Intent): string {
  const set = {
    services: Object.entries(services).map(([name, { split, clusterWeights, clusterSplits = {}, pinEpoch = 0 }]) => [
      name,
      { split, clusterWeights, clusterSplits, pinEpoch },
    ]),
    clusters: Object.entries(clusters).map(([name, { admin, dialPercent, tunnels = null }]) => [name, { admin, dialPercent, tunnels }]),
    overrides: overrides ?? {},
    glides: glides ?? {},
  };
  return createHash('sha256').update(canonicalJson(set)).digest('hex');
}
