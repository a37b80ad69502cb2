// The audit chain: whatever is changed, taken out, put in or moved shows.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fastCheck from 'fast-check';
import { canonicalJson } from '../../../balancer/config/canonical-json.ts';
import { diffIntent, EMPTY_INTENT } from '../../../balancer/intent/diff.ts';
import { CONFIG_PATH, type Intent, type Revision } from '../../../balancer/intent/intent.ts';
import { chainRevision, FIRST_PREVIOUS_HASH, revisionHash, verifyChain, verifyingChain } from '../../../balancer/intent/revision.ts';

function chain(length: number): readonly Revision[] {
  const records: Revision[] = [];
  for (let revision = 1; revision <= length; revision += 1) {
    const facts = {
      revision,
      at: '2026-01-01T00:00:00.000Z',
      author: { name: 'alice', how: 'token alice' },
      source: 'operator' as const,
      reason: `reason ${revision}`,
      change: { kind: 'dial' as const, cluster: 'eu', percent: revision },
      touched: [{ path: ['clusters', 'eu', 'dialPercent'], before: revision - 1, after: revision }],
      undoes: null,
    };
    records.push(chainRevision(facts, records.at(-1) ?? null));
  }
  return records;
}

/** The chain of five with something done to it. */
function tampered(change: (records: Revision[]) => void): readonly Revision[] {
  const records = [...chain(5)];
  change(records);
  return records;
}

test('who approved is a part of what the chain covers', () => {
  const [record] = chain(1);
  assert.ok(record !== undefined);
  const bob = { name: 'bob', how: 'token bob' };
  assert.notEqual(revisionHash({ ...record, approvedBy: bob }), record.hash);
  assert.notEqual(revisionHash({ ...record, approvedBy: bob }), revisionHash({ ...record, approvedBy: { ...bob, name: 'eve' } }));
});

function replaced(at: number, other: Partial<Revision>): readonly Revision[] {
  return tampered((records) => {
    const record = records[at];
    assert.ok(record !== undefined);
    records[at] = { ...record, ...other };
  });
}

test('a chain as it was written is intact, and an empty one too', () => {
  assert.deepEqual(verifyChain(chain(5), 5), { records: 5, intact: true, brokenAt: null });
  assert.deepEqual(verifyChain([], 0), { records: 0, intact: true, brokenAt: null });
  assert.equal(chain(1)[0]?.previousHash, FIRST_PREVIOUS_HASH);
});

test('what is chained on while a long chain is looked at belongs to it', () => {
  const records = [...chain(3)];
  const steps = verifyingChain(records, () => records.length);
  assert.equal(steps.next().done, false, 'one record in each step');
  records.push(...chain(5).slice(3));
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  assert.deepEqual(step.value, { records: 5, intact: true, brokenAt: null });
});

describe('a chain is broken where', () => {
  const cases: readonly (readonly [string, readonly Revision[], number])[] = [
    ['a reason was rewritten', replaced(2, { reason: 'another' }), 3],
    ['an author was rewritten', replaced(1, { author: { name: 'bob', how: 'token bob' } }), 2],
    ['a value was rewritten', replaced(0, { touched: [] }), 1],
    ['a hash was rewritten', replaced(3, { hash: 'f'.repeat(64) }), 4],
    ['a record was taken out', tampered((records) => records.splice(1, 1)), 3],
    ['a record was put in twice', tampered((records) => records.splice(1, 0, ...records.slice(1, 2))), 2],
    ['the first record was taken out', tampered((records) => records.shift()), 2],
    ['two records changed places', tampered((records) => records.splice(1, 2, ...records.slice(1, 3).reverse())), 3],
  ];
  for (const [what, records, brokenAt] of cases) {
    test(what, () => {
      const { intact, brokenAt: found } = verifyChain(records);
      assert.deepEqual({ intact, brokenAt: found }, { intact: false, brokenAt });
    });
  }

  test('records were cut off at its end, if the newest revision is known', () => {
    assert.deepEqual(verifyChain(chain(4), 5), { records: 4, intact: false, brokenAt: 5 });
  });

  test('a record was rewritten together with its own hash: the next one no longer fits', () => {
    const records = [...replaced(1, { reason: 'another' })];
    const forged = records[1];
    assert.ok(forged !== undefined);
    records[1] = { ...forged, hash: revisionHash(forged) };
    assert.equal(verifyChain(records).brokenAt, 3);
  });
});

test('an intent that was changed behind its record is found, and so is one that is gone', () => {
  const intentAt = (revision: number): Intent => ({
    revision,
    services: {},
    clusters: { eu: { admin: 'active', dialPercent: revision } },
  });
  const records: Revision[] = [];
  for (let revision = 1; revision <= 4; revision += 1) {
    const touched = [
      ...diffIntent(revision === 1 ? EMPTY_INTENT : intentAt(revision - 1), intentAt(revision)),
      ...(revision === 2 ? [{ path: CONFIG_PATH, before: 'aa', after: 'bb' }] : []),
    ];
    const facts = { ...chain(1)[0], revision, touched } as Revision;
    records.push(chainRevision(facts, records.at(-1) ?? null));
  }
  assert.equal(verifyChain(records, 4, intentAt).brokenAt, null);
  const other: Intent = { ...intentAt(3), clusters: { eu: { admin: 'active', dialPercent: 99 } } };
  assert.equal(verifyChain(records, 4, (revision) => (revision === 3 ? other : intentAt(revision))).brokenAt, 3);
  assert.equal(verifyChain(records, 4, (revision) => (revision === 4 ? other : intentAt(revision))).brokenAt, 4);
  assert.equal(verifyChain(records, 4, (revision) => (revision === 2 ? null : intentAt(revision))).brokenAt, 2);
});

test('the hash does not depend on the order of keys, nor on a way through JSON', () => {
  const record = chain(1)[0];
  assert.ok(record !== undefined);
  const reversed: unknown = JSON.parse(JSON.stringify(Object.fromEntries(Object.entries(record).reverse())));
  assert.equal(canonicalJson(reversed), canonicalJson(record));
  assert.equal(revisionHash({ ...record, hash: 'not part of it' } as Revision), record.hash);
});

test('canonical JSON is JSON, and one text per value', () => {
  fastCheck.assert(
    fastCheck.property(fastCheck.jsonValue(), (value) => {
      const text = canonicalJson(value);
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
      assert.equal(canonicalJson(JSON.parse(text)), text);
    }),
    { seed: 42 },
  );
});
