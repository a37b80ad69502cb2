// The key of a host alone: made here, and kept in a file of its own over restarts.
import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import type { Clock } from '../../health/clock.ts';
import { TICKET_KEY_BYTES } from '../ipc.ts';
import type { Log } from '../log.ts';
import type { KeyHome } from './rotating-key.ts';

export interface KeptKeyOptions {
  /** Of the file, in the state directory. */
  readonly path: string;
  /** What it is for, as the log says it. */
  readonly purpose: string;
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly log: Log;
}

interface TimedKey {
  readonly key: Buffer;
  readonly madeAtMs: number;
}

export class KeptKey implements KeyHome {
  readonly #options: KeptKeyOptions;
  #current: TimedKey | null = null;

  constructor(options: KeptKeyOptions) {
    this.#options = options;
  }

  /** A period counts from when the present key was made. */
  now(rotateMs: number): ReturnType<KeyHome['now']> {
    this.#current ??= this.#read();
    if (this.#current === null || this.#isOld(this.#current, rotateMs)) this.#current = this.#made();
    const { key, madeAtMs } = this.#current;
    return { key, leftMs: madeAtMs + rotateMs - this.#options.clock.wallMs() };
  }

  /** Also when it comes from the future: the clock was set back, and nothing is known of its age. */
  #isOld({ madeAtMs }: TimedKey, rotateMs: number): boolean {
    const ageMs = this.#options.clock.wallMs() - madeAtMs;
    return ageMs < 0 || ageMs >= rotateMs;
  }

  #made(): TimedKey {
    const { clock, log, purpose } = this.#options;
    const next = { key: randomBytes(TICKET_KEY_BYTES), madeAtMs: clock.wallMs() };
    try {
      this.#write(next);
    } catch (error) {
      // It serves all the same; only after a restart what was made with it counts no more.
      log.warn({ problem: error instanceof Error ? error.message : String(error) }, `the key of the ${purpose} cannot be kept`);
    }
    return next;
  }

  #write({ key, madeAtMs }: TimedKey): void {
    const { path } = this.#options;
    const text = `${JSON.stringify({ madeAtMs, key: key.toString('base64') })}\n`;
    writeFileSync(`${path}.new`, text, { mode: 0o600, flush: true });
    renameSync(`${path}.new`, path);
  }

  /** Null: there is none, or none that can be trusted; another one is made. */
  #read(): TimedKey | null {
    const { path, log, purpose } = this.#options;
    try {
      if ((statSync(path).mode & 0o077) !== 0) {
        log.warn({ path }, `the key of the ${purpose} could be read by others and is replaced`);
        return null;
      }
      return decodeKey(readFileSync(path, 'utf8'));
    } catch {
      return null;
    }
  }
}

function decodeKey(text: string): TimedKey | null {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || !('key' in value) || !('madeAtMs' in value)) return null;
  const { key, madeAtMs } = value;
  if (typeof key !== 'string' || typeof madeAtMs !== 'number' || !Number.isFinite(madeAtMs)) return null;
  const bytes = Buffer.from(key, 'base64');
  return bytes.length === TICKET_KEY_BYTES ? { key: bytes, madeAtMs } : null;
}
