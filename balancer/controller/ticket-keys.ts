// A key that all workers of the host share, of TLS session tickets or of pins: made here, kept in a file of its own, replaced in time.
import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import type { Clock, Timer } from '../../health/clock.ts';
import { TICKET_KEY_BYTES } from '../ipc.ts';
import type { Log } from '../log.ts';

export interface TicketKeysOptions {
  /** Of the file that keeps the key over restarts, in the state directory. */
  readonly path: string;
  /** Infinity: it stays. */
  readonly rotateMs: number;
  /** What it is for, as the log says it. */
  readonly purpose: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Gets each key, the first at once. */
  readonly onKey: (key: Buffer) => void;
}

interface TicketKey {
  readonly key: Buffer;
  readonly madeAtMs: number;
}

/** A timer waits no longer than this; it looks again then. */
const LOOK_MS = 3_600_000;

export interface KeySource {
  start(): void;
  /** Another period; the present key stays until it is over. */
  rotateEvery(rotateMs: number): void;
  close(): void;
}

export class TicketKeys implements KeySource {
  readonly #options: TicketKeysOptions;
  #rotateMs: number;
  #current: TicketKey | null = null;
  #timer: Timer | null = null;

  constructor(options: TicketKeysOptions) {
    this.#options = options;
    this.#rotateMs = options.rotateMs;
  }

  start(): void {
    this.#current = this.#read();
    if (this.#current !== null && !this.#isOld(this.#current)) this.#options.onKey(this.#current.key);
    this.#look();
  }

  /** Another period; it counts from when the present key was made. */
  rotateEvery(rotateMs: number): void {
    this.#rotateMs = rotateMs;
    this.#look();
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #look(): void {
    this.#timer?.cancel();
    const { clock } = this.#options;
    if (this.#current === null || this.#isOld(this.#current)) this.#renew();
    const leftMs = (this.#current?.madeAtMs ?? 0) + this.#rotateMs - clock.wallMs();
    this.#timer = clock.after(Math.min(Math.max(leftMs, 1), LOOK_MS), () => this.#look(), true);
  }

  /** Also when it comes from the future: the clock was set back, and nothing is known of its age. */
  #isOld({ madeAtMs }: TicketKey): boolean {
    const ageMs = this.#options.clock.wallMs() - madeAtMs;
    return ageMs < 0 || ageMs >= this.#rotateMs;
  }

  #renew(): void {
    const { clock, log, onKey, purpose } = this.#options;
    const next = { key: randomBytes(TICKET_KEY_BYTES), madeAtMs: clock.wallMs() };
    this.#current = next;
    try {
      this.#write(next);
    } catch (error) {
      // It serves all the same; only after a restart what was made with it counts no more.
      log.warn({ problem: error instanceof Error ? error.message : String(error) }, `the key of the ${purpose} cannot be kept`);
    }
    onKey(next.key);
  }

  #write({ key, madeAtMs }: TicketKey): void {
    const { path } = this.#options;
    const text = `${JSON.stringify({ madeAtMs, key: key.toString('base64') })}\n`;
    writeFileSync(`${path}.new`, text, { mode: 0o600, flush: true });
    renameSync(`${path}.new`, path);
  }

  /** Null: there is none, or none that can be trusted; another one is made. */
  #read(): TicketKey | null {
    const { path, log, purpose } = this.#options;
    try {
      if ((statSync(path).mode & 0o077) !== 0) {
        log.warn({ path }, `the key of the ${purpose} could be read by others and is replaced`);
        return null;
      }
      return decodeTicketKey(readFileSync(path, 'utf8'));
    } catch {
      return null;
    }
  }
}

function decodeTicketKey(text: string): TicketKey | null {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || !('key' in value) || !('madeAtMs' in value)) return null;
  const { key, madeAtMs } = value;
  if (typeof key !== 'string' || typeof madeAtMs !== 'number' || !Number.isFinite(madeAtMs)) return null;
  const bytes = Buffer.from(key, 'base64');
  return bytes.length === TICKET_KEY_BYTES ? { key: bytes, madeAtMs } : null;
}
