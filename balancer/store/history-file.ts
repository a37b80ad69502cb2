// The history on disk: one SQLite file beside the store, bounded in size, whose loss costs nothing but the past.
import { chmodSync, closeSync, openSync, renameSync, rmSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { Chunk, HistoryStore, Range, SeriesName } from '../telemetry/history/history.ts';
import { chunkMs, chunkStart, TIERS, type Tier } from '../telemetry/history/tiers.ts';

/** `wehi` in ASCII. */
const APPLICATION_ID = 0x77656869;
const SCHEMA = 1;
/** Of a row besides its bytes: keys, lengths and its part of the pages. */
const ROW_BYTES = 24;
const PAGE_BYTES = 8192;
/** Rows are in pages that are never quite full, and the log of SQLite comes on top. */
const ROOM = 1.5;
/** Names that are kept without looking whether anything is known of them. */
const MOST_NAMES = 60_000;

const TABLES = `
  CREATE TABLE series (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE chunk (
    tier   INTEGER NOT NULL,
    start  INTEGER NOT NULL,
    series INTEGER NOT NULL,
    bytes  BLOB NOT NULL,
    PRIMARY KEY (tier, start, series)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE tier (tier INTEGER PRIMARY KEY, size INTEGER NOT NULL) STRICT;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA};
`;

/** Steps of the chunk that is not written yet, each with all its series: what a process that is killed leaves behind. */
const RUNNING = 'CREATE TABLE IF NOT EXISTS running (step INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT';
/** In front of the piece of each series: the number of the series, and how long the piece is. */
const PIECE_HEAD_BYTES = 8;

/** SQLite's result code for a file that is no database, and that is damaged. */
const UNUSABLE: ReadonlySet<number> = new Set([11, 26]);

export interface HistoryFileOptions {
  readonly path: string;
  readonly maxBytes: () => number;
  readonly warn: (problem: string) => void;
}

/** Opens or makes the file. One that cannot be used is put aside, as it is better to begin anew than not to run. */
export function openHistoryFile(options: HistoryFileOptions): HistoryStore {
  try {
    return new HistoryFile(options);
  } catch (error) {
    const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
    if (!UNUSABLE.has(code) && !(error instanceof ForeignFile)) throw error;
    const aside = `${options.path}.unusable`;
    renameSync(options.path, aside);
    for (const suffix of ['-wal', '-shm']) rmSync(`${options.path}${suffix}`, { force: true });
    options.warn(`${options.path} cannot be read; it is at ${aside} now, and the history begins anew`);
    return new HistoryFile(options);
  }
}

class ForeignFile extends Error {}

class HistoryFile implements HistoryStore {
  readonly #options: HistoryFileOptions;
  readonly #database: DatabaseSync;
  readonly #ids = new Map<SeriesName, number>();
  readonly #names = new Map<number, SeriesName>();
  /** Of each tier, by its place in TIERS. */
  readonly #sizes: number[];
  readonly #statements = new Map<string, StatementSync>();

  constructor(options: HistoryFileOptions) {
    this.#options = options;
    makePrivate(options.path);
    this.#database = new DatabaseSync(options.path, { timeout: 0 });
    try {
      this.#prepare();
      this.#readSeries();
      this.#sizes = TIERS.map((_, tier) => Number(this.#all('SELECT size FROM tier WHERE tier = ?', tier)[0]?.['size'] ?? 0));
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  put(tier: Tier, startMs: number, chunks: readonly Omit<Chunk, 'startMs'>[], nowMs: number): void {
    const number = TIERS.indexOf(tier);
    this.#atOnce(() => {
      const insert = this.#statement('INSERT OR REPLACE INTO chunk (tier, start, series, bytes) VALUES (?, ?, ?, ?)');
      for (const { series, bytes } of chunks) {
        insert.run(number, startMs, this.#idOf(series), bytes);
        this.#sizes[number] = (this.#sizes[number] ?? 0) + bytes.length + ROW_BYTES;
      }
      // The last of a chunk is kept for as long as the tier says.
      this.#drop(number, nowMs - tier.keepMs - chunkMs(tier));
      for (let oldest = this.#oldest(number); oldest !== null && this.#isFull(number); oldest = this.#oldest(number))
        this.#drop(number, oldest + chunkMs(tier));
      this.#statement('INSERT OR REPLACE INTO tier (tier, size) VALUES (?, ?)').run(number, this.#sizes[number] ?? 0);
      if (number === 0) this.#statement('DELETE FROM running WHERE step < ?').run(startMs + chunkMs(tier));
    });
  }

  keep(stepMs: number, pieces: readonly Omit<Chunk, 'startMs'>[]): void {
    this.#atOnce(() => {
      const heads = pieces.map(({ series, bytes }) => {
        const head = Buffer.allocUnsafe(PIECE_HEAD_BYTES);
        head.writeUInt32LE(this.#idOf(series), 0);
        head.writeUInt32LE(bytes.length, 4);
        return head;
      });
      const row = Buffer.concat(pieces.flatMap(({ bytes }, index) => [heads[index] ?? Buffer.alloc(0), bytes]));
      this.#statement('INSERT OR REPLACE INTO running (step, bytes) VALUES (?, ?)').run(stepMs, row);
    });
  }

  *kept(): Iterable<Chunk> {
    for (const { step, bytes } of this.#all('SELECT step, bytes FROM running ORDER BY step')) {
      if (!(bytes instanceof Uint8Array)) continue;
      const row = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
      for (let at = 0; at + PIECE_HEAD_BYTES <= row.length;) {
        const series = this.#names.get(row.readUInt32LE(at));
        const from = at + PIECE_HEAD_BYTES;
        at = from + row.readUInt32LE(at + 4);
        if (series !== undefined) yield { series, startMs: chunkStart(TIERS[0], Number(step)), bytes: row.subarray(from, at) };
      }
    }
  }

  #atOnce(write: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      write();
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      // Of series that are in the file.
      this.#readSeries();
      throw error;
    }
  }

  chunks(tier: Tier, series: SeriesName, { fromMs, toMs }: Range): readonly Chunk[] {
    const id = this.#ids.get(series);
    if (id === undefined) return [];
    const number = TIERS.indexOf(tier);
    const chunks: Chunk[] = [];
    // By its key each: between two of a series are those of all others.
    const get = this.#statement('SELECT bytes FROM chunk WHERE tier = ? AND start = ? AND series = ?');
    const oldest = this.#oldest(number);
    if (oldest === null) return [];
    const length = chunkMs(tier);
    for (let startMs = Math.max(oldest, Math.ceil(fromMs / length) * length); startMs < toMs; startMs += length) {
      const bytes: unknown = get.get(number, startMs, id)?.['bytes'];
      if (bytes instanceof Uint8Array) chunks.push({ series, startMs, bytes });
    }
    return chunks;
  }

  *allChunks(tier: Tier, { fromMs, toMs }: Range): Iterable<Chunk> {
    const select = this.#statement('SELECT start, series, bytes FROM chunk WHERE tier = ? AND start >= ? AND start < ? ORDER BY start');
    for (const { start, series, bytes } of select.iterate(TIERS.indexOf(tier), fromMs, toMs)) {
      const name = this.#names.get(Number(series));
      if (name !== undefined && bytes instanceof Uint8Array) yield { series: name, startMs: Number(start), bytes };
    }
  }

  newest(tier: Tier): number | null {
    return this.#edge('max', TIERS.indexOf(tier));
  }

  oldest(tier: Tier): number | null {
    return this.#oldest(TIERS.indexOf(tier));
  }

  names(): readonly SeriesName[] {
    return [...this.#ids.keys()];
  }

  close(): void {
    this.#database.close();
  }

  /** Written behind the process at once, and to the disk when the system likes: a crash of the machine may cost the last seconds, and nothing else. */
  #prepare(): void {
    this.#database.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL`);
    const application = Number(this.#all('PRAGMA application_id')[0]?.['application_id']);
    const version = Number(this.#all('PRAGMA user_version')[0]?.['user_version']);
    if (application === 0 && version === 0) this.#database.exec(TABLES);
    else if (application !== APPLICATION_ID || version !== SCHEMA) throw new ForeignFile('not a history of this version');
    this.#database.exec(RUNNING);
    this.#database.exec('PRAGMA wal_autocheckpoint = 500; PRAGMA journal_size_limit = 8388608');
    const pages = Math.ceil((Math.max(this.#options.maxBytes(), 1) * ROOM) / PAGE_BYTES);
    this.#database.exec(`PRAGMA max_page_count = ${pages}`);
    // It looks at everything there is, so only where names have come and gone for a long time.
    if (Number(this.#all('SELECT count(*) AS count FROM series')[0]?.['count']) > MOST_NAMES)
      this.#database.exec('DELETE FROM series WHERE id NOT IN (SELECT DISTINCT series FROM chunk)');
  }

  #isFull(tier: number): boolean {
    return (this.#sizes[tier] ?? 0) > this.#options.maxBytes() / TIERS.length;
  }

  #oldest(tier: number): number | null {
    return this.#edge('min', tier);
  }

  #edge(which: 'min' | 'max', tier: number): number | null {
    const found: unknown = this.#all(`SELECT ${which}(start) AS start FROM chunk WHERE tier = ?`, tier)[0]?.['start'];
    return typeof found === 'number' ? found : null;
  }

  /** What begins before `untilMs`. */
  #drop(tier: number, untilMs: number): void {
    const oldest = this.#oldest(tier);
    if (oldest === null || oldest >= untilMs) return;
    const size = Number(
      this.#all(
        `SELECT coalesce(sum(length(bytes) + ${ROW_BYTES}), 0) AS size FROM chunk WHERE tier = ? AND start < ?`,
        tier,
        untilMs,
      )[0]?.['size'] ?? 0,
    );
    this.#statement('DELETE FROM chunk WHERE tier = ? AND start < ?').run(tier, untilMs);
    this.#sizes[tier] = Math.max(0, (this.#sizes[tier] ?? 0) - size);
  }

  #idOf(series: SeriesName): number {
    const known = this.#ids.get(series);
    if (known !== undefined) return known;
    const { lastInsertRowid } = this.#statement('INSERT INTO series (name) VALUES (?)').run(series);
    this.#remember(Number(lastInsertRowid), series);
    return Number(lastInsertRowid);
  }

  #readSeries(): void {
    this.#ids.clear();
    this.#names.clear();
    for (const { id, name } of this.#all('SELECT id, name FROM series')) this.#remember(Number(id), String(name));
  }

  #remember(id: number, name: SeriesName): void {
    this.#ids.set(name, id);
    this.#names.set(id, name);
  }

  #all(sql: string, ...values: readonly number[]): readonly Readonly<Record<string, unknown>>[] {
    return this.#statement(sql).all(...values);
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) this.#statements.set(sql, (statement = this.#database.prepare(sql)));
    return statement;
  }
}

/** Made only if missing: closing a file that this process has a lock on would let go of the lock. */
function makePrivate(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  chmodSync(path, 0o600);
}
