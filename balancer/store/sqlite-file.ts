// The file of the embedded store: for its owner alone, one process at a time, in the schema that this weir knows.
import { chmodSync, closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { number } from './decode-parts.ts';
import { StoreUnavailableError, explain, writing } from './sqlite-errors.ts';
import { MIGRATIONS } from './sqlite-schema.ts';

/** Marks a file as ours, so that another program's database is never taken for a store: `weir` in ASCII. */
const APPLICATION_ID = 0x77656972;

/**
 * Opens the file in `directory`, which is made when it is missing. It is locked for as long as it is open, by a lock
 * that the kernel releases when the process ends in whatever way. Throws `StoreUnavailableError` when another process has it, when a
 * newer weir wrote it, or when it is damaged.
 */
export function openDatabase(directory: string): DatabaseSync {
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
  return database;
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

/** All that `act` writes, or nothing of it. */
export function inTransaction<T>(database: DatabaseSync, act: () => T): T {
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
