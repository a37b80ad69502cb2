// Lines to a file or to stdout, by the thread pool: a disk that is slow or a reader that has stopped holds up nobody but the lines behind it.
import { write } from 'node:fs';
import { open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import type { LineTarget } from './access-log.ts';

/** Lines beyond this much that are not written yet are dropped. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024;
/** How often it is looked whether the file is still where it was. */
const LOOK_MS = 1000;
/** After an error, such as a full disk. */
const AGAIN_MS = 1000;
/** A pipe that is full and does not block. */
const FULL_MS = 20;
/** For what waits, at the end. */
const CLOSE_MS = 2000;
/** Whoever rotates is done long before. */
const ROTATING_MS = 10_000;
const STDOUT = 1;

export interface LogFilePlace {
  /** Null: stdout. */
  readonly path: string | null;
  /** 0: never rotated. */
  readonly maxBytes: number;
  readonly keep: number;
}

/** Workers share a file: each appends whole lines, one of them moves it away, and the others see that and open the new one. */
export class LogFile implements LineTarget {
  readonly #place: LogFilePlace;
  readonly #waiting: { readonly lines: string; readonly count: number }[] = [];
  #waitingBytes = 0;
  #file: FileHandle | null = null;
  #lookMs = 0;
  #writing: Promise<void> | null = null;
  #closing = false;

  /** Opened with the first line; created with mode 0600. */
  constructor(place: LogFilePlace) {
    this.#place = place;
  }

  write(lines: string, count: number): boolean {
    if (this.#closing || this.#waitingBytes + lines.length > MAX_WAITING_BYTES) return false;
    this.#waiting.push({ lines, count });
    this.#waitingBytes += lines.length;
    this.#writing ??= this.#writeAll().finally(() => (this.#writing = null));
    return true;
  }

  async close(): Promise<number> {
    this.#closing = true;
    // A disk that hangs, or a pipe that nobody reads, does not hold up the end of the process.
    await Promise.race([this.#writing, pauseMs(CLOSE_MS)]);
    if (this.#writing === null) await this.#file?.close();
    this.#file = null;
    return this.#waiting.reduce((sum, { count }) => sum + count, 0);
  }

  async #writeAll(): Promise<void> {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      const { lines } = next;
      try {
        const { path } = this.#place;
        const fd = path === null ? STDOUT : (await this.#opened(path)).fd;
        await writeWhole(fd, Buffer.from(lines, 'utf8'));
      } catch {
        // What is in the way is most likely there for the next line too. At the end nobody waits for better times.
        if (this.#closing) return;
        await this.#file?.close().catch(() => undefined);
        this.#file = null;
        await pauseMs(AGAIN_MS);
        continue;
      }
      this.#waiting.shift();
      this.#waitingBytes -= lines.length;
    }
  }

  async #opened(path: string): Promise<FileHandle> {
    if (this.#file !== null && Date.now() >= this.#lookMs) await this.#look(path, this.#file);
    this.#file ??= await open(path, 'a', 0o600);
    if (this.#lookMs <= Date.now()) this.#lookMs = Date.now() + LOOK_MS;
    return this.#file;
  }

  /** Lets go of a file that is not where it was any more, and moves away one that is full. */
  async #look(path: string, file: FileHandle): Promise<void> {
    const mine = await file.stat();
    const there = await stat(path).catch(() => null);
    const moved = there === null || there.ino !== mine.ino || there.dev !== mine.dev;
    const { maxBytes } = this.#place;
    if (!moved && (maxBytes === 0 || mine.size < maxBytes)) return;
    if (!moved) await this.#rotate(path, mine.ino);
    await file.close();
    this.#file = null;
  }

  async #rotate(path: string, ino: number): Promise<void> {
    const lock = `${path}.rotating`;
    const mine = await open(lock, 'wx', 0o600).catch(() => null);
    if (mine === null) {
      // Another one is at it, or died at it.
      const before = await stat(lock).catch(() => null);
      if (before !== null && Date.now() - before.mtimeMs > ROTATING_MS) await rm(lock, { force: true });
      return;
    }
    try {
      const there = await stat(path).catch(() => null);
      if (there?.ino !== ino) return;
      const { keep } = this.#place;
      if (keep === 0) {
        await rm(path, { force: true });
        return;
      }
      for (let number = keep - 1; number >= 1; number -= 1)
        await rename(`${path}.${number}`, `${path}.${number + 1}`).catch(() => undefined);
      await rename(path, `${path}.1`);
    } finally {
      await mine.close();
      await rm(lock, { force: true });
    }
  }
}

/** A pipe may take a part, or nothing for the moment. */
async function writeWhole(fd: number, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    write(fd, bytes, at, bytes.length - at, null, (error, written) => {
      if (error === null) resolve(written);
      else if (error.code === 'EAGAIN') resolve(0);
      else reject(error);
    });
    const written = await promise;
    if (written === 0) await pauseMs(FULL_MS);
    at += written;
  }
}

function pauseMs(ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  setTimeout(() => resolve(undefined), ms).unref();
  return promise;
}
