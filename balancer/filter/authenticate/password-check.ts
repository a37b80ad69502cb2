// Passwords against their hashes. Hashing is slow on purpose, so what was right a moment ago is remembered, and few are tried at a time.
import { hash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../../health/clock.ts';

/** How long a password that was right need not be hashed again. */
const REMEMBERED_MS = 60_000;
const MAX_REMEMBERED = 10_000;
/** Hashing holds a thread of the pool and its memory each time. */
const MAX_AT_ONCE = 2;
const MAX_WAITING = 64;

/** True: right. False: wrong. Null: too many are waiting to be checked. */
export type Checked = boolean | null;

export class PasswordCheck {
  readonly #clock: Pick<Clock, 'nowMs'>;
  /** Digest of hash and password, keyed by bytes that die with the process → until when. */
  readonly #remembered = new Map<string, number>();
  readonly #key = randomBytes(32).toString('hex');
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
  }

  /** Hashing of one that was right a moment ago is left out. */
  check(password: string, expected: string): Checked | Promise<Checked> {
    const digest = hash('sha256', `${this.#key}\n${expected}\n${password}`, 'base64');
    if ((this.#remembered.get(digest) ?? 0) > this.#clock.nowMs()) return true;
    if (this.#waiting.length >= MAX_WAITING) return null;
    return this.#hashed(password, expected, digest);
  }

  async #hashed(password: string, expected: string, digest: string): Promise<boolean> {
    await this.#turn();
    try {
      const right = await isPassword(password, expected);
      if (right) this.#remember(digest);
      return right;
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }

  async #turn(): Promise<void> {
    if (this.#running >= MAX_AT_ONCE) {
      const { promise, resolve } = Promise.withResolvers<undefined>();
      this.#waiting.push(() => resolve(undefined));
      await promise;
    }
    this.#running += 1;
  }

  #remember(digest: string): void {
    this.#remembered.delete(digest);
    this.#remembered.set(digest, this.#clock.nowMs() + REMEMBERED_MS);
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > MAX_REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest);
  }
}

/** Of `scrypt:N:r:p:salt:hash` (RFC 7914). */
function isPassword(password: string, expected: string): Promise<boolean> {
  const [, cost = '', blockSize = '', parallelization = '', salt = '', wanted = ''] = expected.split(':');
  const key = Buffer.from(wanted, 'base64');
  const [N, r, p] = [Number(cost), Number(blockSize), Number(parallelization)];
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  // scrypt needs 128 · N · r bytes (RFC 7914 section 2).
  scrypt(password, Buffer.from(salt, 'base64'), key.length, { N, r, p, maxmem: 129 * N * r * p }, (error, derived) => {
    if (error === null) resolve(timingSafeEqual(derived, key));
    else reject(error);
  });
  return promise;
}
