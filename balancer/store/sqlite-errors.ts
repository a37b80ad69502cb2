// What errors of SQLite mean to whoever keeps something in it.
import { readFileSync } from 'node:fs';
import { StoreTakesNothingError } from './store.ts';

/** Primary result codes for a file that another connection holds, and for one that is no database. */
const SQLITE_BUSY = 5;
const SQLITE_NOTADB = 26;

/** For a disk that takes nothing: SQLITE_READONLY, SQLITE_IOERR, SQLITE_FULL, SQLITE_CANTOPEN. */
const TAKES_NOTHING: ReadonlySet<number> = new Set([8, 10, 13, 14]);

/** The store cannot be opened, with what to do about it. */
export class StoreUnavailableError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreUnavailableError';
  }
}

/** 0: it is not an error of SQLite. */
function primaryCode(error: unknown): number {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
}

/** A disk that takes nothing is told of as such; what else may happen is a defect and stays as it is. */
export function writing<T>(write: () => T): T {
  try {
    return write();
  } catch (error) {
    if (error instanceof Error && TAKES_NOTHING.has(primaryCode(error))) throw new StoreTakesNothingError(error.message, { cause: error });
    throw error;
  }
}

/** Why the store cannot be opened, as far as something can be done about it. */
export function explain(error: unknown, at: { readonly directory: string; readonly path: string; readonly owner: string }): unknown {
  const code = primaryCode(error);
  if (code === SQLITE_BUSY) {
    const holder = readOwner(at.owner);
    return new StoreUnavailableError(
      `the store in ${at.directory} is in use by another weir${holder === null ? '' : ` (process ${holder})`}; stop that one, or give this one another state.dir`,
      { cause: error },
    );
  }
  if (code === SQLITE_NOTADB) {
    return new StoreUnavailableError(
      `${at.path} is not a database; it was damaged or replaced: restore it from a backup, or move it away to start empty`,
      { cause: error },
    );
  }
  if (error instanceof StoreTakesNothingError || TAKES_NOTHING.has(code)) {
    const reason = error instanceof Error ? error.message : String(error);
    return new StoreUnavailableError(
      `the store in ${at.directory} cannot be begun or brought to this version, because the disk takes nothing (${reason}): make room there, or choose another state.dir`,
      { cause: error },
    );
  }
  return error;
}

function readOwner(path: string): string | null {
  try {
    const text = readFileSync(path, 'utf8').trim();
    return /^\d{1,10}$/.test(text) ? text : null;
  } catch {
    return null;
  }
}
