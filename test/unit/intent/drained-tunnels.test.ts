// What a drain says of the tunnels: a deadline that is part of the intent for as long as the cluster is drained, and not a moment longer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diffIntent } from '../../../balancer/intent/diff.ts';
import type { Intent, Revision, TimedChange } from '../../../balancer/intent/intent.ts';
import { chainRevision } from '../../../balancer/intent/revision.ts';
import { seedIntent } from '../../../balancer/intent/seed.ts';
import { applyTimed, endOverride } from '../../../balancer/intent/timed-change.ts';
import { undo } from '../../../balancer/intent/undo.ts';
import { decodeIntent } from '../../../balancer/store/decode.ts';
import { fleetConfig } from '../../support/fleet-config.ts';

const config = fleetConfig({ services: { shop: { versions: { blue: { eu: 70, us: 30 } } } } });
const seeded = seedIntent(config, null).intent;
const NOW = Date.parse('2026-01-01T00:00:00.000Z');
const facts = { ...config, wallMs: NOW };

type Admin = Extract<TimedChange, { kind: 'admin' }>;

const drain = (deadlineMs: number | null, other: Partial<Admin> = {}): Admin => ({
  ...{ kind: 'admin', cluster: 'eu', state: 'drain', tunnels: { deadlineMs, tunnelsPerSecond: 5 } },
  ...other,
});

function made(intent: Intent, change: Admin): Intent {
  const outcome = applyTimed(intent, change, facts, { wallMs: NOW, permanent: false });
  assert.ok(outcome.ok);
  return outcome.intent;
}

test('the deadline is kept in the intent, and read back from the store as it was', () => {
  const outcome = applyTimed(seeded, drain(600_000), facts, { wallMs: NOW, permanent: false });
  assert.ok(outcome.ok);
  assert.match(outcome.summary, /^eu: active → draining, its tunnels close from 00:10:00 UTC on$/);
  const { intent } = outcome;
  assert.deepEqual(intent.clusters['eu']?.tunnels, { at: '2026-01-01T00:10:00.000Z', perSecond: 5 });
  assert.deepEqual(decodeIntent(JSON.stringify(intent), 'intent'), intent);
  assert.deepEqual(
    diffIntent(seeded, intent).map(({ path }) => path.join('.')),
    ['clusters.eu.admin', 'clusters.eu.tunnels'],
  );
});

test('a drain that says nothing of them changes nothing of a deadline, one that says stay ends it', () => {
  const drained = made(seeded, drain(600_000));
  const again = made(drained, { kind: 'admin', cluster: 'eu', state: 'maintenance' });
  assert.deepEqual(again.clusters['eu']?.tunnels, drained.clusters['eu']?.tunnels);
  assert.equal('tunnels' in (made(again, drain(null)).clusters['eu'] ?? {}), false);
});

test('it is gone when the cluster is active again: restored, taken back, or at the end of its time', () => {
  const drained = made(seeded, drain(600_000, { forMs: 3_600_000 }));
  const restored = made(drained, { kind: 'admin', cluster: 'eu', state: 'active' });
  const ended = endOverride(drained, drained.revision, facts);
  const back = undo(drained, { to: null }, historyOf([seeded, drained]), facts);
  assert.ok(ended.ok && back.ok);
  for (const intent of [restored, ended.intent, back.intent])
    assert.deepEqual([intent.clusters['eu']?.admin, intent.clusters['eu']?.tunnels], ['active', undefined]);
});

/** Of operators. */
function historyOf(intents: readonly Intent[]) {
  const revisions = intents.slice(1).map((intent, index): Revision => {
    const touched = diffIntent(intents[index] ?? intent, intent);
    const facts = { revision: intent.revision, at: '', reason: '', change: null, touched, undoes: null };
    return chainRevision({ ...facts, author: { name: 'alice', how: 'token' }, source: 'operator' }, null);
  });
  return {
    revisions: revisions.toReversed(),
    intentAt: (revision: number) => intents.find((intent) => intent.revision === revision) ?? null,
  };
}
