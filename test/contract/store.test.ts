// What every store keeps to, whatever it keeps its records in.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import type { Revision } from '../../balancer/intent/intent.ts';
import { verifyChain } from '../../balancer/intent/revision.ts';
import { openSqliteStore } from '../../balancer/store/sqlite.ts';
import type { Store, StoredToken } from '../../balancer/store/store.ts';
import { chainOf } from '../support/ledger-chain.ts';
import { intentOf, recordOf } from '../support/revision-chain.ts';

/** A place that outlives a store; a store opened on it again finds everything. */
interface Home {
  open(): Store;
  remove(): void;
}

const KINDS: Readonly<Record<string, () => Home>> = {
  sqlite: () => {
    const directory = mkdtempSync(join(tmpdir(), 'weir-store-'));
    return { open: () => openSqliteStore(directory), remove: () => rmSync(directory, { recursive: true, force: true }) };
  },
};

function fill(store: Store, revisions: number): readonly Revision[] {
  const records: Revision[] = [];
  for (let revision = 1; revision <= revisions; revision += 1) {
    const record = recordOf(revision, records.at(-1) ?? null);
    assert.deepEqual(store.commit(revision - 1, intentOf(revision), record), { ok: true });
    records.push(record);
  }
  return records;
}

for (const [kind, makeHome] of Object.entries(KINDS)) {
  const open = (t: TestContext): { readonly store: Store; readonly reopen: () => Store } => {
    const home = makeHome();
    let store = home.open();
    t.after(() => {
      store.close();
      home.remove();
    });
    const reopen = () => {
      store.close();
      store = home.open();
      return store;
    };
    return { store, reopen };
  };

  describe(`a ${kind} store`, () => {
    test('is empty at first', (t) => {
      const { store } = open(t);
      assert.equal(store.readIntent(), null);
      assert.deepEqual(store.revisions(10), []);
      assert.equal(store.revision(1), null);
      assert.equal(store.intentAt(1), null);
      assert.deepEqual([...store.chain()], []);
      assert.deepEqual(store.tokens(), []);
      assert.equal(store.appliedConfig(), null);
      assert.equal(store.getValue('plan'), null);
    });

    test('gives back every intent and record as it was, also after it was closed and opened', (t) => {
      const { store, reopen } = open(t);
      const records = fill(store, 5);
      const check = (now: Store) => {
        assert.deepEqual(now.readIntent(), intentOf(5));
        assert.deepEqual(now.intentAt(3), intentOf(3));
        assert.deepEqual(now.revision(3), records[2]);
        assert.equal(now.revision(6), null);
        assert.deepEqual([...now.chain()], records);
      };
      check(store);
      check(reopen());
    });

    test('refuses a commit on another revision than the stored one, and tells which that is', (t) => {
      const { store } = open(t);
      const records = fill(store, 2);
      const last = records[1] ?? null;
      assert.deepEqual(store.commit(1, intentOf(2), recordOf(2, records[0] ?? null)), { ok: false, revision: 2 });
      assert.deepEqual(store.commit(3, intentOf(4), recordOf(4, last)), { ok: false, revision: 2 });
      assert.deepEqual(store.readIntent(), intentOf(2));
      assert.equal([...store.chain()].length, 2);
    });

    test('lets no revision be skipped, and no record tell another revision than its intent', (t) => {
      const { store } = open(t);
      assert.throws(() => store.commit(0, intentOf(2), recordOf(2, null)), /makes revision 1/);
      assert.throws(() => store.commit(0, intentOf(1), recordOf(2, null)), /record 2/);
      assert.equal(store.readIntent(), null);
    });

    test('puts another end in place of the one it has, and keeps what was taken out as a conflict', (t) => {
      const { store, reopen } = open(t);
      const records = fill(store, 4);
      const chain = [...records.slice(0, 2).map((record) => ({ record, intent: intentOf(record.revision) }))];
      const other = chainOf(3, 'bob', chain[1] ?? null);
      store.replaceAfter(2, other);
      const check = (now: Store) => {
        assert.deepEqual([...now.chain()], [...records.slice(0, 2), ...other.map(({ record }) => record)]);
        assert.deepEqual(now.readIntent(), other[2]?.intent);
        assert.deepEqual(now.conflicts(10), records.slice(2).toReversed());
        assert.deepEqual(now.conflicts(1), records.slice(3));
      };
      check(store);
      check(reopen());
    });

    test('lists records newest first, in pages', (t) => {
      const { store } = open(t);
      fill(store, 7);
      const numbers = (records: readonly Revision[]) => records.map(({ revision }) => revision);
      assert.deepEqual(numbers(store.revisions(3)), [7, 6, 5]);
      assert.deepEqual(numbers(store.revisions(3, 5)), [4, 3, 2]);
      assert.deepEqual(numbers(store.revisions(3, 2)), [1]);
    });

    test('goes through a long chain while commits come in between', (t) => {
      const { store } = open(t);
      const records = fill(store, 600);
      let seen = 0;
      for (const record of store.chain()) {
        seen += 1;
        assert.equal(record.revision, seen);
        if (seen === 300) store.commit(600, intentOf(601), recordOf(601, records[599] ?? null));
      }
      assert.equal(seen, 601);
      assert.deepEqual(verifyChain(store.chain(), 601), { records: 601, intact: true, brokenAt: null });
    });

    test('keeps tokens by name, the newest of a name, until they are deleted', (t) => {
      const { store, reopen } = open(t);
      const token: StoredToken = {
        name: 'ci',
        owner: 'alice',
        role: 'operate',
        cluster: null,
        secretHash: 'ab',
        createdAt: '2026-01-01T00:00:00Z',
        expiresAt: null,
      };
      const agent: StoredToken = { ...token, name: 'agent-eu', role: 'agent', cluster: 'eu', expiresAt: '2027-01-01T00:00:00Z' };
      store.putTokens([token, agent]);
      store.putTokens([{ ...token, secretHash: 'cd' }]);
      assert.deepEqual(reopen().tokens(), [agent, { ...token, secretHash: 'cd' }]);
      const again = reopen();
      assert.equal(again.deleteToken('ci'), true);
      assert.equal(again.deleteToken('ci'), false);
      assert.deepEqual(again.tokens(), [agent]);
    });

    test('keeps the config in service, applied or not, beside a revision too', (t) => {
      const { store, reopen } = open(t);
      assert.equal(store.servedText(), null);
      store.putServed({ text: 'version: 1', applied: { text: 'version: 1', at: '2026-01-01T00:00:00Z', fileHash: 'aa' } });
      const applied = { text: 'version: 1 # again', at: '2026-01-02T00:00:00Z', fileHash: 'bb' };
      assert.deepEqual(store.commit(0, intentOf(1), recordOf(1, null), { text: 'version: 1 # again', applied }), { ok: true });
      assert.deepEqual(reopen().appliedConfig(), applied);
      assert.equal(reopen().servedText(), 'version: 1 # again');
      // A commit that does not happen leaves it.
      assert.deepEqual(reopen().commit(7, intentOf(8), recordOf(8, null), { text: 'other', applied: null }), { ok: false, revision: 1 });
      assert.deepEqual([reopen().appliedConfig(), reopen().servedText()], [applied, 'version: 1 # again']);
      reopen().putServed({ text: 'version: 1 # the file', applied: null });
      assert.deepEqual([reopen().appliedConfig(), reopen().servedText()], [null, 'version: 1 # the file']);
    });

    test('keeps small values by key, the newest of a key', (t) => {
      const { store, reopen } = open(t);
      store.putValue('plan', '7');
      store.putValue('plan', '8');
      store.putValue('health', '');
      const again = reopen();
      assert.equal(again.getValue('plan'), '8');
      assert.equal(again.getValue('health'), '');
    });

    test('may be closed twice', (t) => {
      const { store } = open(t);
      store.close();
      store.close();
    });
  });
}
