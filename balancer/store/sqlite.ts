// The embedded store: one SQLite file in the state directory, one writer, every acknowledged commit on disk.
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { Intent, Revision } from '../intent/intent.ts';
import { decodeIntent, decodeRevision } from './decode.ts';
import { number, string, StoredTextError } from './decode-parts.ts';
import { decodeToken } from './decode-tokens.ts';
import type { StoredUse } from './one-time-uses.ts';
import type { StoredMark } from './session-ends.ts';
import { writing } from './sqlite-errors.ts';
import { inTransaction, openDatabase } from './sqlite-file.ts';
import {
  type AppliedConfig,
  type CommitResult,
  type QuotaCount,
  type ServedConfig,
  type Store,
  type StoredRevision,
  type StoredToken,
  StoreTakesNothingError,
} from './store.ts';

/** Records that are read at a time while going through the chain. */
const CHAIN_PAGE = 256;

/** Uses that have ended and are forgotten with each write, however few come. */
const FORGOTTEN_AT_LEAST = 20;

/** In the table of small values: what was served last. */
const SERVED_TEXT = 'config.served';

/** There too, for a moment: more than what is left of a page, so that only a disk with room takes it. */
const ROOM = 'store.room';
const ROOM_FOUND = ' '.repeat(8192);

/** Opens the store in `directory`, as `openDatabase` does and with its errors. A disk that takes nothing is no error: the store says so. */
export function openSqliteStore(directory: string): Store {
  const store = new SqliteStore(openDatabase(directory));
  store.findRoom();
  return store;
}

type Row = Readonly<Record<string, unknown>>;

class SqliteStore implements Store {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #trouble: string | null = 'nothing was written yet';

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  get trouble(): string | null {
    return this.#trouble;
  }

  findRoom(): void {
    if (this.#trouble === null) return;
    try {
      // Not in one transaction: pages that are given back in the same one need not be written.
      this.putDurably(ROOM, ROOM_FOUND);
      this.#run('DELETE FROM value WHERE key = ?', ROOM);
      this.#trouble = null;
    } catch (error) {
      if (!(error instanceof StoreTakesNothingError)) throw error;
    }
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
    return this.#inTransaction((): CommitResult => {
      const stored = this.#revisionNow();
      if (stored !== expected) return { ok: false, revision: stored };
      this.#insert({ record, intent });
      if (served !== undefined) this.#putServed(served);
      return { ok: true };
    });
  }

  replaceAfter(after: number, revisions: readonly StoredRevision[]): void {
    this.#inTransaction(() => {
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
    this.#inTransaction(() => {
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
    this.#inTransaction(() => this.#putServed(served));
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
    this.#inTransaction(() => {
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
    this.#inTransaction(() => {
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
      this.#inTransaction(() => {
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

  #inTransaction<T>(act: () => T): T {
    return this.#writing(() => inTransaction(this.#database, act));
  }

  /** How many rows it changed. */
  #run(sql: string, ...values: readonly SQLInputValue[]): number {
    return this.#writing(() => Number(this.#prepare(sql).run(...values).changes));
  }

  #writing<T>(write: () => T): T {
    try {
      return writing(write);
    } catch (error) {
      if (error instanceof StoreTakesNothingError) this.#trouble = error.message;
      throw error;
    }
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
