// When callers were seen last on this host, by what proved them, and kept over a restart: who has not been seen for long is let go of.
import type { Clock } from '../../health/clock.ts';
import type { WorkMessage } from '../ipc-work.ts';
import { members, number, StoredTextError } from '../store/decode-parts.ts';
import type { Store } from '../store/store.ts';

/** Between two writes: a controller that is killed forgets at most this. */
const WRITE_MS = 60_000;
/** Beyond, those that were seen the longest ago are forgotten. */
const MOST = 20_000;
/** No name has one. */
const BETWEEN = '\n';

export class CallersSeen {
  readonly #store: Pick<Store, 'getValue' | 'putValue'>;
  readonly #clock: Pick<Clock, 'wallMs' | 'nowMs'>;
  /** Under it the store has them. */
  readonly #key: string;
  /** Consumer and credential → milliseconds since 1970; the longest ago first. */
  readonly #seenMs: Map<string, number>;
  #changed = false;
  #writtenMs = -Infinity;

  constructor(store: Pick<Store, 'getValue' | 'putValue'>, clock: Pick<Clock, 'wallMs' | 'nowMs'>, key = 'callers.seen') {
    this.#store = store;
    this.#clock = clock;
    this.#key = key;
    this.#seenMs = read(store.getValue(key), key);
  }

  /** What a worker has let on since it told last: consumers with the credentials that proved them. */
  add(_worker: string, { callers = {} }: Pick<WorkMessage, 'callers'>): void {
    const wallMs = this.#clock.wallMs();
    for (const [consumer, credentials] of Object.entries(callers))
      for (const credential of credentials) {
        const key = `${consumer}${BETWEEN}${credential}`;
        this.#seenMs.delete(key);
        this.#seenMs.set(key, wallMs);
        this.#changed = true;
      }
    for (const key of this.#seenMs.keys()) {
      if (this.#seenMs.size <= MOST) break;
      this.#seenMs.delete(key);
    }
  }

  /** By this credential. Null: not that this host knows. */
  at(consumer: string, credential: string): string | null {
    const ms = this.#seenMs.get(`${consumer}${BETWEEN}${credential}`);
    return ms === undefined ? null : new Date(ms).toISOString();
  }

  /** By any of its credentials, for each consumer. */
  all(): ReadonlyMap<string, string> {
    const last = new Map<string, string>();
    // In the order of time, so that the last word counts.
    for (const [key, ms] of this.#seenMs) last.set(key.slice(0, key.indexOf(BETWEEN)), new Date(ms).toISOString());
    return last;
  }

  /** Once a second; with `all` at the end. */
  write(all = false): void {
    const nowMs = this.#clock.nowMs();
    if (!this.#changed || (!all && nowMs - this.#writtenMs < WRITE_MS)) return;
    this.#store.putValue(this.#key, JSON.stringify(Object.fromEntries(this.#seenMs)));
    this.#changed = false;
    this.#writtenMs = nowMs;
  }
}

/** What cannot be read was not seen. */
function read(text: string | null, key: string): Map<string, number> {
  try {
    const seen = Object.entries(text === null ? {} : members(JSON.parse(text), key)).map(([name, ms]): [string, number] => [
      name,
      number(ms, key),
    ]);
    return new Map(seen.sort(([, one], [, other]) => one - other));
  } catch (error) {
    if (error instanceof StoredTextError || error instanceof SyntaxError) return new Map();
    throw error;
  }
}
