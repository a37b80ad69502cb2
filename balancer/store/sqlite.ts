// The embedded store: one SQLite file in the state directory, one writer, every acknowledged commit on disk.
import { chmodSync, closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import type { Intent, Revision } from '../intent/intent.ts';
import { decodeIntent, decodeRevision } from './decode.ts';
import { number, string, StoredTextError } from './decode-parts.ts';
import { decodeToken } from './decode-tokens.ts';
import type { StoredUse } from './one-time-uses.ts';
import type { StoredMark } from './session-ends.ts';
import { StoreUnavailableError, explain, writing } from './sqlite-errors.ts';
import { MIGRATIONS } from './sqlite-schema.ts';
import type { AppliedConfig, CommitResult, QuotaCount, ServedConfig, Store, StoredRevision, StoredToken } from './store.ts';

/** Marks a file as ours, so that another program's database is never taken for a store: `weir` in ASCII. */
const APPLICATION_ID = 0x77656972;

/** Records that are read at a time while going through the chain. */
const CHAIN_PAGE = 256;

/** Uses that have ended and are forgotten with each write, however few come. */
const FORGOTTEN_AT_LEAST = 20;

/** In the table of small values: what was served last. */
const SERVED_TEXT = 'config.served';

/**
 * Opens the store in `directory`, which is made when it is missing. The file is locked for as long as the store is open, by a lock
 * that the kernel releases when the process ends in whatever way. Throws `StoreUnavailableError` when another process has it, when a
 * newer weir wrote it, or when it is damaged.
 */
export function openSqliteStore(directory: string): Store {
  const path = join(directory, 'weir.sqlite');
  const owner = join(directory, 'weir.sqlite.owner');
  makePrivate(directory, path);
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    lock(database);
    migrate(database, path);
  } catch (error) {
    database.close();
    throw explain(error, { directory, path, owner });
  }
  writeOwner(owner);
  return new SqliteStore(database);
}

/** Made only if missing: opening and closing a file that this process has a lock on would let go of the lock (POSIX record locks). */
function makePrivate(directory: string, path: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  chmodSync(directory, 0o700);
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  // SQLite gives its journals the mode of the file they belong to.
  chmodSync(path, 0o600);
}

/** In exclusive mode the first transaction takes the lock and the connection keeps it; the index of the log is in memory, not in a shared file. */
function lock(database: DatabaseSync): void {
  database.exec('PRAGMA locking_mode = EXCLUSIVE');
  database.exec('PRAGMA journal_mode = WAL');
  database.exec('PRAGMA synchronous = FULL');
  database.exec('BEGIN EXCLUSIVE; COMMIT');
}

function migrate(database: DatabaseSync, path: string): void {
  const application = pragma(database, 'application_id');
  const version = pragma(database, 'user_version');
  if (application !== APPLICATION_ID && (application !== 0 || version !== 0)) {
    throw new StoreUnavailableError(`${path} is the database of another program; choose another state.dir, or move that file away`);
  }
  if (version > MIGRATIONS.length) {
    throw new StoreUnavailableError(
      `${path} was written by a newer weir (schema ${version}, this one knows ${MIGRATIONS.length}); start the newer weir, or restore the state directory from before the upgrade`,
    );
  }
  if (version === MIGRATIONS.length) return;
  const steps = MIGRATIONS.slice(version).join('\n');
  inTransaction(database, () =>
    database.exec(`${steps} PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${MIGRATIONS.length};`),
  );
}

function pragma(database: DatabaseSync, name: string): number {
  return number(database.prepare(`PRAGMA ${name}`).get()?.[name], `pragma ${name}`);
}

function inTransaction<T>(database: DatabaseSync, act: () => T): T {
  return writing(() => {
    database.exec('BEGIN IMMEDIATE');
    try {
      const result = act();
      database.exec('COMMIT');
      return result;
    } catch (error) {
      // A full disk may have ended the transaction already.
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  });
}

/** Read only by a process that was refused, to say who is in its way; the lock is what counts, and a full disk must not stop a start. */
function writeOwner(path: string): void {
  try {
    writeFileSync(path, String(process.pid), { mode: 0o600 });
  } catch {
    // Who is refused is told that there is another one, and not which.
  }
}

type Row = Readonly<Record<string, unknown>>;

class SqliteStore implements Store {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  readIntent(): Intent | null {
    const row = this.#one('SELECT intent FROM revision ORDER BY revision DESC LIMIT 1');
    return row === null ? null : decodeIntent(string(row['intent'], 'intent'), 'intent');
  }

  commit(expected: number, intent: Intent, record: Revision, served?: ServedConfig): CommitResult {
    if (intent.revision !== expected + 1 || record.revision !== intent.revision) {
      throw new Error(
        `a commit on revision ${expected} makes revision ${expected + 1}; got intent ${intent.revision} with record ${record.revision}`,
      );
    }
    return inTransaction(this.#database, (): CommitResult => {
      const stored = this.#revisionNow();
      if (stored !== expected) return { ok: false, revision: stored };
      this.#insert({ record, intent });
      if (served !== undefined) this.#putServed(served);
      return { ok: true };
    });
  }

  replaceAfter(after: number, revisions: readonly StoredRevision[]): void {
    inTransaction(this.#database, () => {
      const kept = new Set(revisions.map(({ record }) => record.hash));
      const lost = this.#all('SELECT revision, record FROM revision WHERE revision > ?', after).map(toRevision);
      this.#run('DELETE FROM revision WHERE revision > ?', after);
      for (const record of lost) {
        if (kept.has(record.hash)) continue;
        this.#run(
          'INSERT OR REPLACE INTO conflict (hash, revision, record) VALUES (?, ?, ?)',
          ...[record.hash, record.revision, JSON.stringify(record)],
        );
      }
      for (const revision of revisions) this.#insert(revision);
    });
  }

  conflicts(limit: number): readonly Revision[] {
    return this.#all('SELECT revision, record FROM conflict ORDER BY revision DESC, hash LIMIT ?', limit).map(toRevision);
  }

  revisions(limit: number, before = Number.MAX_SAFE_INTEGER): readonly Revision[] {
    return this.#all('SELECT revision, record FROM revision WHERE revision < ? ORDER BY revision DESC LIMIT ?', before, limit).map(
      toRevision,
    );
  }

  revision(revision: number): Revision | null {
    const row = this.#one('SELECT revision, record FROM revision WHERE revision = ?', revision);
    return row === null ? null : toRevision(row);
  }

  intentAt(revision: number): Intent | null {
    const row = this.#one('SELECT intent FROM revision WHERE revision = ?', revision);
    return row === null ? null : decodeIntent(string(row['intent'], `intent ${revision}`), `intent ${revision}`);
  }

  /** In pages, so that commits may come in between. A record that cannot be read comes as one whose hash does not fit. */
  *chain(): Iterable<Revision> {
    let after = 0;
    for (;;) {
      const rows = this.#all('SELECT revision, record FROM revision WHERE revision > ? ORDER BY revision LIMIT ?', after, CHAIN_PAGE);
      for (const row of rows) {
        after = number(row['revision'], 'revision');
        yield readable(row, after);
      }
      if (rows.length < CHAIN_PAGE) return;
    }
  }

  tokens(): readonly StoredToken[] {
    return this.#all('SELECT name, owner, role, cluster, secret_hash, created_at, expires_at FROM token ORDER BY name').map(decodeToken);
  }

  putTokens(tokens: readonly StoredToken[]): void {
    inTransaction(this.#database, () => {
      for (const { name, owner, role, cluster, secretHash, createdAt, expiresAt } of tokens)
        this.#run(
          'INSERT OR REPLACE INTO token (name, owner, role, cluster, secret_hash, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
          ...[name, owner, role, cluster, secretHash, createdAt, expiresAt],
        );
    });
  }

  deleteToken(name: string): boolean {
    return this.#run('DELETE FROM token WHERE name = ?', name) > 0;
  }

  appliedConfig(): AppliedConfig | null {
    const row = this.#one('SELECT text, at, file_hash FROM applied_config');
    if (row === null) return null;
    const column = (name: string) => string(row[name], `applied_config.${name}`);
    return { text: column('text'), at: column('at'), fileHash: column('file_hash') };
  }

  servedText(): string | null {
    return this.getValue(SERVED_TEXT);
  }

  putServed(served: ServedConfig): void {
    inTransaction(this.#database, () => this.#putServed(served));
  }

  quotaCounts(afterMs: number): readonly QuotaCount[] {
    return this.#all('SELECT quota, key, start, until, used FROM quota WHERE until > ?', afterMs).map((row) => ({
      limit: string(row['quota'], 'quota'),
      key: string(row['key'], 'quota.key'),
      startMs: number(row['start'], 'quota.start'),
      endMs: number(row['until'], 'quota.until'),
      used: number(row['used'], 'quota.used'),
    }));
  }

  putQuotaCounts(counts: readonly QuotaCount[], endedMs: number): void {
    inTransaction(this.#database, () => {
      this.#run('DELETE FROM quota WHERE until <= ?', endedMs);
      for (const { limit, key, startMs, endMs, used } of counts)
        this.#run(
          'INSERT OR REPLACE INTO quota (quota, key, start, until, used) VALUES (?, ?, ?, ?, ?)',
          ...[limit, key, startMs, endMs, used],
        );
    });
  }

  sessionMarks(afterMs: number): readonly StoredMark[] {
    return this.#all('SELECT key, at, until FROM session_mark WHERE until > ? ORDER BY at', afterMs).map((row) => ({
      key: string(row['key'], 'session_mark.key'),
      atMs: number(row['at'], 'session_mark.at'),
      untilMs: number(row['until'], 'session_mark.until'),
    }));
  }

  putSessionMarks(marks: readonly StoredMark[], forgotten: readonly string[], endedMs: number): void {
    inTransaction(this.#database, () => {
      this.#run('DELETE FROM session_mark WHERE until <= ?', endedMs);
      for (const key of forgotten) this.#run('DELETE FROM session_mark WHERE key = ?', key);
      for (const { key, atMs, untilMs } of marks)
        this.#run('INSERT OR REPLACE INTO session_mark (key, at, until) VALUES (?, ?, ?)', key, atMs, untilMs);
    });
  }

  *oneTimeUses(afterMs: number): Iterable<StoredUse> {
    for (const { key, until } of this.#prepare('SELECT key, until FROM one_time_use WHERE until > ?').iterate(afterMs))
      yield { key: string(key, 'one_time_use.key'), untilMs: number(until, 'one_time_use.until') };
  }

  /** In the order of coming, which makes no page of its own for each; a few at a time are forgotten, so that no write is long. */
  putOneTimeUses(uses: readonly StoredUse[], endedMs: number): void {
    this.#unsynced(() =>
      inTransaction(this.#database, () => {
        this.#run(
          'DELETE FROM one_time_use WHERE rowid IN (SELECT rowid FROM one_time_use WHERE until <= ? LIMIT ?)',
          ...[endedMs, 2 * uses.length + FORGOTTEN_AT_LEAST],
        );
        for (const { key, untilMs } of uses) this.#run('INSERT INTO one_time_use (until, key) VALUES (?, ?)', untilMs, key);
      }),
    );
  }

  getValue(key: string): string | null {
    const row = this.#one('SELECT value FROM value WHERE key = ?', key);
    return row === null ? null : string(row['value'], `value ${key}`);
  }

  putValue(key: string, value: string): void {
    this.#unsynced(() => this.putDurably(key, value));
  }

  putDurably(key: string, value: string): void {
    this.#run('INSERT OR REPLACE INTO value (key, value) VALUES (?, ?)', key, value);
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  /** It survives the end of the process, and a power failure once a commit or checkpoint has followed. */
  #unsynced(write: () => void): void {
    this.#database.exec('PRAGMA synchronous = NORMAL');
    try {
      write();
    } finally {
      this.#database.exec('PRAGMA synchronous = FULL');
    }
  }

  #putServed({ text: servedText, applied }: ServedConfig): void {
    this.putDurably(SERVED_TEXT, servedText);
    if (applied === null) this.#run('DELETE FROM applied_config');
    else {
      const { text, at, fileHash } = applied;
      this.#run('INSERT OR REPLACE INTO applied_config (only, text, at, file_hash) VALUES (1, ?, ?, ?)', text, at, fileHash);
    }
  }

  #insert({ record, intent }: StoredRevision): void {
    this.#run(
      'INSERT INTO revision (revision, record, intent) VALUES (?, ?, ?)',
      ...[record.revision, JSON.stringify(record), JSON.stringify(intent)],
    );
  }

  #revisionNow(): number {
    return number(this.#one('SELECT coalesce(max(revision), 0) AS revision FROM revision')?.['revision'], 'revision');
  }

  #one(sql: string, ...values: readonly SQLInputValue[]): Row | null {
    return this.#prepare(sql).get(...values) ?? null;
  }

  #all(sql: string, ...values: readonly SQLInputValue[]): readonly Row[] {
    return this.#prepare(sql).all(...values);
  }

  /** How many rows it changed. */
  #run(sql: string, ...values: readonly SQLInputValue[]): number {
    return writing(() => Number(this.#prepare(sql).run(...values).changes));
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const prepared = this.#database.prepare(sql);
    this.#statements.set(sql, prepared);
    return prepared;
  }
}

function toRevision(row: Row): Revision {
  const what = `revision ${number(row['revision'], 'revision')}`;
  return decodeRevision(string(row['record'], what), what);
}

function readable(row: Row, revision: number): Revision {
  try {
    const record = toRevision(row);
    if (record.revision !== revision) throw new StoredTextError(`revision ${revision}`, 'the record of that revision');
    return record;
  } catch (error) {
    if (!(error instanceof StoredTextError)) throw error;
    const author = { name: '', how: '' };
    return {
      revision,
      at: '',
      author,
      source: 'config',
      reason: error.message,
      change: null,
      touched: [],
      undoes: null,
      previousHash: '',
      hash: '',
    };
  }
}
