// Tokens of a fleet: changes like any other, that others follow and that are stored; what is undone is traffic, never who may act.
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { describe, it } from 'node:test';
import { canonicalJson } from '../../../balancer/config/canonical-json.ts';
import { applyChange, type DirectChange } from '../../../balancer/intent/apply-change.ts';
import { diffIntent } from '../../../balancer/intent/diff.ts';
import type { Intent, Revision } from '../../../balancer/intent/intent.ts';
import { patchIntent } from '../../../balancer/intent/patch.ts';
import { seedIntent } from '../../../balancer/intent/seed.ts';
import { freeName, type TokenChange } from '../../../balancer/intent/tokens.ts';
import { undo, type History } from '../../../balancer/intent/undo.ts';
import { decodeIntent, decodeRevision } from '../../../balancer/store/decode.ts';
import { loaded } from '../../support/config-text.ts';

const config = loaded(`version: 1
listeners: { web: { bind: "127.0.0.1:8080" } }
clusters: { one: { endpoints: ["http://127.0.0.1:9001"] } }
services: { shop: { versions: { blue: { clusters: { one: {} } }, green: { clusters: { one: {} } } } } }
routes: [{ service: shop }]
`);
const NOW = Date.parse('2026-03-01T00:00:00Z');
const LATER = '2026-03-02T00:00:00.000Z';
const facts = { ...config, wallMs: NOW };
const seeded = seedIntent(config, null).intent;

type Making = Extract<TokenChange, { kind: 'token_make' }>;

const make = (name: string, more: Partial<Making> = {}): Making => ({
  ...{ kind: 'token_make', name, owner: null, role: 'operate', cluster: null, secretHash: hash('sha256', name), expiresAt: null },
  ...{ othersExpireAt: null, ...more },
});
const ofAgent = (name: string, more: Partial<Making> = {}): Making => make(name, { role: 'agent', cluster: 'one', ...more });
const shift: DirectChange = { kind: 'shift', service: 'shop', percents: { green: 40 } };

function after(intent: Intent, ...changes: readonly DirectChange[]): Intent {
  let now = intent;
  for (const change of changes) {
    const outcome = applyChange(now, change, facts);
    assert.ok(outcome.ok, outcome.ok ? '' : outcome.refusal.message);
    // What others make of the record is the same, and so is what is read back.
    const patched = patchIntent(now, { revision: outcome.intent.revision, touched: diffIntent(now, outcome.intent) });
    assert.equal(canonicalJson(patched), canonicalJson(outcome.intent));
    assert.deepEqual(decodeIntent(JSON.stringify(outcome.intent), 'intent'), outcome.intent);
    now = outcome.intent;
  }
  return now;
}

function refusal(intent: Intent, change: TokenChange, wallMs = NOW): string {
  const outcome = applyChange(intent, change, { ...facts, wallMs });
  assert.ok(!outcome.ok);
  return `${outcome.refusal.kind}: ${outcome.refusal.message}`;
}

function record(revision: number, change: DirectChange, before: Intent, now: Intent): Revision {
  return {
    ...{ revision, at: '', author: { name: 'alice', how: 'token alice' }, source: 'operator', reason: '', change, undoes: null },
    ...{ touched: diffIntent(before, now), previousHash: '', hash: '' },
  };
}

function historyOf(...steps: readonly (readonly [Intent, DirectChange, Intent])[]): History {
  const intents = [...steps.map(([before]) => before), ...steps.map(([, , now]) => now)];
  return {
    revisions: steps.map(([before, change, now]) => record(now.revision, change, before, now)).toReversed(),
    intentAt: (revision) => intents.find((intent) => intent.revision === revision) ?? null,
  };
}

describe('tokens of a fleet', () => {
  it('are made and revoked, and what is empty is not there', () => {
    const made = after(seeded, make('ci', { owner: 'alice', expiresAt: LATER }));
    assert.deepEqual(made.tokens?.['ci'], {
      ...{ owner: 'alice', role: 'operate', cluster: null, secretHash: hash('sha256', 'ci') },
      ...{ createdAt: '2026-03-01T00:00:00.000Z', expiresAt: LATER },
    });
    const revoked = after(made, { kind: 'token_revoke', name: 'ci' });
    assert.equal(revoked.tokens, undefined);
    assert.equal(revoked.revision, seeded.revision + 2);
    for (const change of [make('ci'), { kind: 'token_revoke', name: 'ci' } as const, ofAgent('agent-one', { othersExpireAt: LATER })])
      assert.deepEqual(decodeRevision(JSON.stringify(record(2, change, seeded, made)), 'record'), record(2, change, seeded, made));
  });

  it('are refused where they cannot be meant', () => {
    const made = after(seeded, make('ci'));
    assert.match(refusal(made, make('ci')), /^conflict: a token named ci exists; revoke it first/);
    assert.match(refusal(made, { kind: 'token_revoke', name: 'cd' }), /^not_found: there is no token named cd; weir token list/);
    assert.match(refusal(seeded, make('A b')), /^usage: "A b" is no name of a token/);
    assert.match(refusal(seeded, make('ci', { secretHash: 'weir_ci_secret' })), /^usage: .* the token itself is never sent/);
    assert.match(refusal(seeded, make('ci', { expiresAt: '2026-02-28T00:00:00.000Z' })), /^usage: .* has passed/);
    assert.match(refusal(seeded, make('ci', { cluster: 'one' })), /^usage: a token of an agent is for a cluster/);
    assert.match(refusal(seeded, ofAgent('agent', { cluster: 'moon' })), /^not_found: there is no cluster "moon"; the config has one/);
  });

  it('of an agent take over from the one before while both hold, and no third one holds', () => {
    const first = after(seeded, ofAgent('agent-one'));
    assert.equal(freeName('agent-one', first.tokens ?? {}, NOW), 'agent-one-2');
    const two = after(first, ofAgent('agent-one-2', { othersExpireAt: LATER }));
    assert.deepEqual([two.tokens?.['agent-one']?.expiresAt, two.tokens?.['agent-one-2']?.expiresAt], [LATER, null]);
    const third = ofAgent('agent-one-3', { othersExpireAt: LATER });
    assert.match(refusal(two, third), /^conflict: agent-one \(until 2026-03-02.*\) and agent-one-2 are valid for one, and no more than 2/);
    // When the first is over, its name is free again.
    assert.equal(freeName('agent-one', two.tokens ?? {}, Date.parse(LATER)), 'agent-one');
    const outcome = applyChange(two, ofAgent('agent-one', { othersExpireAt: '2026-03-03T00:00:00.000Z' }), {
      ...facts,
      wallMs: Date.parse(LATER),
    });
    assert.ok(outcome.ok);
    assert.equal(outcome.intent.tokens?.['agent-one']?.expiresAt, null);
  });

  it('stay when the config is taken over anew, and when traffic is taken back', () => {
    const shifted = after(seeded, shift);
    const made = after(shifted, make('ci'));
    assert.deepEqual(seedIntent(config, made).intent.tokens, made.tokens);
    // The last change of an operator that an undo can take back is the shift before the token.
    const history = historyOf([seeded, shift, shifted], [shifted, make('ci'), made]);
    const undone = undo(made, { to: null }, history, facts);
    assert.ok(undone.ok, undone.ok ? '' : undone.refusal.message);
    assert.deepEqual(undone.intent.tokens, made.tokens);
    assert.deepEqual(undone.intent.services['shop']?.split, seeded.services['shop']?.split);
    const back = undo(made, { to: seeded.revision }, history, facts);
    assert.ok(back.ok);
    assert.deepEqual(back.intent.tokens, made.tokens);
  });

  it('that were revoked do not come back with what an undo brings back', () => {
    const made = after(seeded, make('ci'), shift);
    const revoke: DirectChange = { kind: 'token_revoke', name: 'ci' };
    const revoked = after(made, revoke);
    const back = undo(revoked, { to: made.revision }, historyOf([made, revoke, revoked]), facts);
    assert.ok(back.ok);
    assert.equal(back.intent.tokens, undefined);
  });
});
