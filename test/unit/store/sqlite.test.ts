// What is particular to the embedded store: who may read its files, one writer, schemas, and damage.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test, type TestContext } from 'node:test';
import type { Revision } from '../../../balancer/intent/intent.ts';
import { verifyChain } from '../../../balancer/intent/revision.ts';
import { openSqliteStore } from '../../../balancer/store/sqlite.ts';
import { StoreUnavailableError } from '../../../balancer/store/sqlite-errors.ts';
import { type Store, type StoredToken, StoreTakesNothingError } from '../../../balancer/store/store.ts';
import { mountSmallDisk, type SmallDisk } from '../../support/small-disk.ts';
import { intentOf, recordOf } from '../../support/revision-chain.ts';

const DISK_BYTES = 1024 * 1024;
const TOKEN: StoredToken = {
  name: 'ci',
  owner: 'ada',
  role: 'read',
  cluster: null,
  secretHash: 'a'.repeat(64),
  createdAt: '2026-01-01T00:00:00.000Z',
  expiresAt: null,
};

function temporary(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'weir-sqlite-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Does something to the file behind the store's back. */
function behind(directory: string, sql: string): void {
  const database = new DatabaseSync(join(directory, 'weir.sqlite'));
  database.exec(sql);
  database.close();
}

/** A closed store with this many revisions. */
function filled(t: TestContext, revisions: number): string {
  const directory = temporary(t);
  const store = openSqliteStore(directory);
  let previous: Revision | null = null;
  for (let revision = 1; revision <= revisions; revision += 1) {
    previous = recordOf(revision, previous);
    store.commit(revision - 1, intentOf(revision), previous);
  }
  store.close();
  return directory;
}

const mode = (path: string) => statSync(path).mode & 0o777;

function unavailable(message: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof StoreUnavailableError && message.test(error.message);
}

describe('the files', () => {
  test('are for their owner alone, whatever the umask and whatever the directory was', (t) => {
    const mask = process.umask(0);
    t.after(() => process.umask(mask));
    const directory = join(temporary(t), 'deep', 'state');
    mkdirSync(directory, { recursive: true, mode: 0o755 });
    const store = openSqliteStore(directory);
    t.after(() => store.close());
    store.putValue('plan', '1');
    assert.equal(mode(directory), 0o700);
    const files = readdirSync(directory);
    assert.ok(files.includes('weir.sqlite') && files.includes('weir.sqlite-wal'), files.join(', '));
    for (const file of files) assert.equal(mode(join(directory, file)), 0o600, file);
  });
});

describe('a second store on the same directory', () => {
  test('is refused while the first is open, and the first goes on', (t) => {
    const directory = temporary(t);
    const store = openSqliteStore(directory);
    assert.throws(
      () => openSqliteStore(directory),
      unavailable(/in use by another weir \(process \d+\); stop that one, or give this one another state\.dir/),
    );
    store.putValue('plan', '1');
    store.close();
    const second = openSqliteStore(directory);
    assert.equal(second.getValue('plan'), '1');
    second.close();
  });
});

describe('a file that cannot be used', () => {
  test('of a newer weir is left alone', (t) => {
    const directory = filled(t, 1);
    behind(directory, 'PRAGMA user_version = 99');
    assert.throws(() => openSqliteStore(directory), unavailable(/written by a newer weir \(schema 99/));
  });

  test('of another program is left alone', (t) => {
    const directory = temporary(t);
    behind(directory, 'CREATE TABLE theirs (x); PRAGMA user_version = 1');
    assert.throws(() => openSqliteStore(directory), unavailable(/database of another program/));
  });

  test('that is no database is said to be damaged', (t) => {
    const directory = temporary(t);
    writeFileSync(join(directory, 'weir.sqlite'), 'not a database '.repeat(100));
    assert.throws(() => openSqliteStore(directory), unavailable(/is not a database; it was damaged/));
  });
});

/** A directory that is a disk of its own; null: there can be none here, which the test says. */
function smallDisk(t: TestContext): { readonly directory: string; readonly disk: SmallDisk } | null {
  const directory = mkdtempSync(join(tmpdir(), 'weir-sqlite-'));
  const disk = mountSmallDisk(t, directory, DISK_BYTES);
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  if (typeof disk !== 'string') return { directory, disk };
  t.skip(`NOT TESTED: no disk of its own can be made here: ${disk}`);
  return null;
}

const trouble = ({ trouble: told }: Store): string => told ?? '';

describe('a disk without a byte left', () => {
  test('is told of by the first thing that is not written, and until there is room again, whatever else has nothing to write', (t) => {
    const made = smallDisk(t);
    if (made === null) return;
    const { directory, disk } = made;
    const store = openSqliteStore(directory);
    t.after(() => store.close());
    assert.equal(trouble(store), '');
    disk.fill();
    assert.throws(() => store.putTokens([TOKEN]), StoreTakesNothingError);
    assert.match(trouble(store), /full/);
    store.findRoom();
    assert.match(trouble(store), /full/);
    disk.makeRoom();
    store.findRoom();
    assert.equal(trouble(store), '');
    store.putTokens([TOKEN]);
    assert.deepEqual(store.tokens(), [TOKEN]);
  });

  test('is told of by a store that is opened there', (t) => {
    const made = smallDisk(t);
    if (made === null) return;
    const { directory, disk } = made;
    openSqliteStore(directory).close();
    disk.fill();
    const store = openSqliteStore(directory);
    t.after(() => store.close());
    assert.match(trouble(store), /full/);
    disk.makeRoom();
    store.findRoom();
    assert.equal(trouble(store), '');
  });
});

describe('a record that was changed in the file', () => {
  test('breaks the chain where it was changed', (t) => {
    const directory = filled(t, 4);
    behind(directory, `UPDATE revision SET record = replace(record, 'number 2', 'number two') WHERE revision = 2`);
    const store = openSqliteStore(directory);
    t.after(() => store.close());
    assert.deepEqual(verifyChain(store.chain(), 4), { records: 4, intact: false, brokenAt: 2 });
  });

  test('breaks it also when it can no longer be read, and says what is wrong when asked for', (t) => {
    const directory = filled(t, 4);
    behind(
      directory,
      `UPDATE revision SET record = '{"revision":3' WHERE revision = 3; UPDATE revision SET intent = '{"revision":"x"}' WHERE revision = 4`,
    );
    const store = openSqliteStore(directory);
    t.after(() => store.close());
    assert.deepEqual(verifyChain(store.chain(), 4), { records: 4, intact: false, brokenAt: 3 });
    assert.throws(() => store.revision(3), /the stored text at revision 3 is not JSON; it was damaged/);
    assert.throws(() => store.readIntent(), /the stored text at intent\.revision is not a number/);
  });

  test('was cut off: the newest revision tells', (t) => {
    const directory = filled(t, 4);
    behind(directory, 'DELETE FROM revision WHERE revision = 4');
    const store = openSqliteStore(directory);
    t.after(() => store.close());
    assert.equal(verifyChain(store.chain(), 4).brokenAt, 4);
  });
});
