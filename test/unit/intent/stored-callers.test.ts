// Callers that are added by command: changes like any other, that others follow and that are stored; what was taken from callers does not come back.
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { describe, it } from 'node:test';
import { canonicalJson } from '../../../balancer/config/canonical-json.ts';
import { applyChange, type DirectChange } from '../../../balancer/intent/apply-change.ts';
import { NO_CALLERS, type CallerChange, type StoredConsumer } from '../../../balancer/intent/callers.ts';
import { diffIntent } from '../../../balancer/intent/diff.ts';
import type { Intent, Revision } from '../../../balancer/intent/intent.ts';
import { patchIntent } from '../../../balancer/intent/patch.ts';
import { seedIntent } from '../../../balancer/intent/seed.ts';
import { undo, type History } from '../../../balancer/intent/undo.ts';
import { Consumers } from '../../../balancer/filter/authenticate/consumers.ts';
import { decodeIntent, decodeRevision } from '../../../balancer/store/decode.ts';
import { loaded } from '../../support/config-text.ts';

const config = loaded(`version: 1
listeners: { web: { bind: "127.0.0.1:8080" } }
clusters: { one: { endpoints: ["http://127.0.0.1:9001"] } }
services: { shop: { versions: { blue: { clusters: { one: {} } }, green: { clusters: { one: {} } } } } }
routes: [{ service: shop }]
consumers: { declared: { keys: [{ id: declared_1, hash: "sha256:${'a'.repeat(64)}" }] } }
limits: { monthly: { by: [consumer], allow: 10, per: month } }
plans: { gold: { limits: { monthly: 100 } } }
`);
const NOW = Date.parse('2026-03-01T00:00:00Z');
const facts = { ...config, wallMs: NOW };
const seeded = seedIntent(config, null).intent;
const PLAIN: StoredConsumer = { groups: [], scopes: [], tags: [], plan: '' };

const add = (consumer: string, profile: Partial<StoredConsumer> = {}): CallerChange => ({
  kind: 'consumer_add',
  consumer,
  profile: { ...PLAIN, ...profile },
});
const keyOf = (id: string): string => `${id}.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA`;
const issue = (consumer: string, id: string, more: Partial<Extract<CallerChange, { kind: 'key_issue' }>> = {}): CallerChange => ({
  ...{ kind: 'key_issue', consumer, id, hash: hash('sha256', keyOf(id)), expiresAt: null, from: [], scopes: [], othersExpireAt: null },
  ...more,
});

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

function refusal(intent: Intent, change: CallerChange): string {
  const outcome = applyChange(intent, change, facts);
  assert.ok(!outcome.ok);
  return `${outcome.refusal.kind}: ${outcome.refusal.message}`;
}

describe('a caller that is added', () => {
  it('is known with its keys, until it is removed with them', () => {
    const added = after(seeded, add('acme', { groups: ['partners'], plan: 'gold' }), issue('acme', 'acme_1'));
    assert.deepEqual(Object.keys(added.callers?.keys ?? {}), ['acme_1']);
    assert.equal(added.callers?.consumers?.['acme']?.plan, 'gold');
    const set = after(added, { kind: 'consumer_set', consumer: 'acme', profile: { plan: '' } });
    assert.deepEqual(set.callers?.consumers?.['acme'], { ...PLAIN, groups: ['partners'] });
    const removed = after(set, { kind: 'consumer_remove', consumer: 'acme' });
    assert.equal(removed.callers, undefined);
  });

  it('is refused by name, plan, words and keys that are none, and by what the config declares', () => {
    const acme = after(seeded, add('acme'), issue('acme', 'acme_1'));
    assert.match(refusal(seeded, add('Acme')), /^usage: "Acme" is no name/);
    assert.match(refusal(acme, add('acme')), /^conflict: .*weir consumer set acme/);
    assert.match(
      refusal(seeded, add('acme', { plan: 'silver' })),
      /^usage: plan "silver" is not declared in the config; expected one of plans: gold/,
    );
    assert.match(refusal(seeded, add('acme', { groups: ['a b'] })), /"a b" is no name of a group/);
    assert.match(refusal(seeded, add('acme', { scopes: ['a b'] })), /"a b" is no scope/);
    assert.match(refusal(seeded, add('declared')), /^conflict: consumer "declared" is declared in the config, which holds/);
    assert.match(refusal(seeded, issue('declared', 'declared_2')), /is declared in the config, which holds/);
    assert.match(refusal(seeded, issue('none', 'none_1')), /^not_found: there is no consumer "none" in the store/);
    assert.match(refusal(acme, issue('acme', 'declared_1')), /^conflict: there is a key declared_1 already/);
    assert.match(refusal(acme, issue('acme', 'acme_2', { hash: keyOf('acme_2') })), /the key itself is never sent/);
    assert.match(refusal(acme, issue('acme', 'acme_2', { from: ['10.0.0.0/33'] })), /is no block of addresses/);
    assert.match(refusal(acme, issue('acme', 'acme_2', { expiresAt: '2026-02-01T00:00:00Z' })), /has passed/);
    assert.match(refusal(acme, { kind: 'key_revoke', consumer: 'acme', id: 'acme_9' }), /^not_found: .*it has acme_1/);
  });

  it('has two keys that hold and no third; what is over makes room, and the others may be given an end', () => {
    const two = after(
      seeded,
      add('acme'),
      issue('acme', 'acme_1'),
      issue('acme', 'acme_2', { othersExpireAt: '2026-03-02T00:00:00.000Z' }),
    );
    assert.equal(two.callers?.keys?.['acme_1']?.expiresAt, '2026-03-02T00:00:00.000Z');
    assert.equal(two.callers.keys['acme_2']?.expiresAt, null);
    assert.match(refusal(two, issue('acme', 'acme_3')), /has 2 keys that hold, acme_1 and acme_2; revoke the one/);
    const later = applyChange(two, issue('acme', 'acme_3'), { ...facts, wallMs: NOW + 2 * 86_400_000 });
    assert.ok(later.ok);
    assert.deepEqual(Object.keys(later.intent.callers?.keys ?? {}), ['acme_2', 'acme_3']);
  });

  it('stays over a reload of the config', () => {
    const acme = after(seeded, add('acme'));
    assert.deepEqual(seedIntent(config, acme).intent.callers, acme.callers);
  });
});

/** Changes of an operator, one after the other. */
function chainOf(...changes: readonly DirectChange[]): { readonly intent: Intent; readonly history: History } {
  const intents = [seeded];
  const revisions: Revision[] = [];
  for (const change of changes) {
    const before = intents.at(-1) ?? seeded;
    const now = after(before, change);
    intents.push(now);
    revisions.unshift({
      ...{
        revision: now.revision,
        at: '2026-01-01T00:00:00Z',
        author: { name: 'anna', how: 'token t' },
        source: 'operator',
        reason: '',
        change,
      },
      ...{ touched: diffIntent(before, now), undoes: null, previousHash: '', hash: '' },
    });
  }
  const history = { revisions, intentAt: (revision: number) => intents.find((one) => one.revision === revision) ?? null };
  return { intent: intents.at(-1) ?? seeded, history };
}

describe('an undo', () => {
  it('takes back who was added and what was issued', () => {
    const chain = chainOf(add('acme'), issue('acme', 'acme_1'));
    const outcome = undo(chain.intent, { to: null }, chain.history, facts);
    assert.ok(outcome.ok);
    assert.deepEqual(outcome.intent.callers, { consumers: { acme: PLAIN } });
  });

  it('does not bring back what was revoked or removed', () => {
    const chain = chainOf(add('acme'), issue('acme', 'acme_1'), { kind: 'key_revoke', consumer: 'acme', id: 'acme_1' });
    const outcome = undo(chain.intent, { to: null }, chain.history, facts);
    assert.ok(!outcome.ok);
    assert.match(outcome.refusal.message, /took away acme_1, and what was taken from callers does not come back/);
  });

  it('to a revision leaves callers as they are', () => {
    const revoke: CallerChange = { kind: 'key_revoke', consumer: 'acme', id: 'acme_1' };
    const shift = { kind: 'shift', service: 'shop', percents: { green: 10 } } as const;
    const chain = chainOf(add('acme'), issue('acme', 'acme_1'), revoke, add('other'), shift);
    const outcome = undo(chain.intent, { to: 1 }, chain.history, facts);
    assert.ok(outcome.ok);
    assert.deepEqual(outcome.intent.callers, chain.intent.callers);
    assert.equal(outcome.intent.services['shop']?.split['green'], 0);
  });
});

describe('callers of a worker', () => {
  const callersOf = (...changes: readonly CallerChange[]) => after(seeded, ...changes).callers ?? NO_CALLERS;

  it('change while it serves, and those of the config hold', () => {
    const consumers = new Consumers(Object.values(config.consumers), 'a pepper');
    assert.equal(consumers.findKey(keyOf('acme_1')), null);
    consumers.setStored(
      callersOf(add('acme', { groups: ['partners'], tags: ['vip'], plan: 'gold' }), issue('acme', 'acme_1', { scopes: ['read'] })),
    );
    const known = consumers.findKey(keyOf('acme_1'));
    assert.deepEqual(known?.identity, {
      consumer: 'acme',
      method: 'key',
      credential: 'acme_1',
      groups: ['partners'],
      scopes: ['read'],
      claims: null,
    });
    assert.deepEqual([consumers.planOf('acme'), consumers.tagsOf('acme')], ['gold', ['vip']]);
    assert.equal(consumers.findKey(`${keyOf('acme_1')}x`), null);
    consumers.setStored(callersOf(add('acme')));
    assert.equal(consumers.findKey(keyOf('acme_1')), null);
    assert.deepEqual([consumers.planOf('acme'), consumers.tagsOf('acme')], ['', []]);
    consumers.setStored({
      consumers: { declared: { ...PLAIN, groups: ['admins'] } },
      keys: { declared_2: { ...theirs, consumer: 'declared' } },
    });
    assert.equal(consumers.findKey(keyOf('declared_2')), null);
  });

  const theirs = { hash: hash('sha256', keyOf('declared_2')), issuedAt: '2026-01-01T00:00:00Z', expiresAt: null, from: [], scopes: [] };

  it('are told of once, by what proved them', () => {
    const consumers = new Consumers([], null);
    for (const credential of ['a_1', 'a_2', 'a_1'])
      consumers.noteUse({ consumer: 'a', method: 'key', credential, groups: [], scopes: [], claims: null });
    consumers.noteUse({ consumer: '', method: 'jwt', credential: 'x', groups: [], scopes: [], claims: null });
    assert.deepEqual(consumers.takeUsed(), { a: ['a_1', 'a_2'] });
    assert.deepEqual(consumers.takeUsed(), {});
  });
});

it('a record of such a change is read back as it was written', () => {
  const changes: readonly CallerChange[] = [
    add('acme'),
    { kind: 'consumer_set', consumer: 'acme', profile: { tags: ['vip'] } },
    issue('acme', 'acme_1', { expiresAt: '2027-01-01T00:00:00Z' }),
    { kind: 'key_revoke', consumer: 'acme', id: 'acme_1' },
    { kind: 'consumer_remove', consumer: 'acme' },
  ];
  for (const change of changes) {
    const record: Revision = {
      ...{ revision: 2, at: '2026-01-01T00:00:00Z', author: { name: 'anna', how: 'token t' }, source: 'operator', reason: '', change },
      ...{ touched: [], undoes: null, previousHash: 'a', hash: 'b' },
    };
    assert.deepEqual(decodeRevision(JSON.stringify(record), 'revision'), record);
  }
});
