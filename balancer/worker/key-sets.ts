// Keys of issuers as this worker was last told them; it asks the controller for those it misses, once for all requests that wait.
import type { Clock, Timer } from '../../health/clock.ts';
import type { FetchedKeySets, KeySet } from '../filter/authenticate/key-set.ts';
import type { KeySetMessage } from '../ipc-keys.ts';

/** The longest a request waits for a key. */
const PATIENCE_MS = 3000;
/** The controller decides how often the issuer is asked; this bounds how often the controller is. */
const QUIET_MS = 1000;

interface Wait {
  readonly promise: Promise<undefined>;
  readonly resolve: (value: undefined) => void;
  readonly timer: Timer;
}

export class KeySets implements FetchedKeySets {
  readonly #clock: Clock;
  readonly #ask: (url: string) => void;
  readonly #sets = new Map<string, KeySet>();
  readonly #waits = new Map<string, Wait>();
  readonly #askedAtMs = new Map<string, number>();

  constructor(clock: Clock, ask: (url: string) => void) {
    this.#clock = clock;
    this.#ask = ask;
  }

  get(url: string): KeySet | null {
    return this.#sets.get(url) ?? null;
  }

  renew(url: string): Promise<undefined> {
    const running = this.#waits.get(url);
    if (running !== undefined) return running.promise;
    const nowMs = this.#clock.nowMs();
    if (nowMs - (this.#askedAtMs.get(url) ?? -Infinity) < QUIET_MS) return Promise.resolve(undefined);
    this.#askedAtMs.set(url, nowMs);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#waits.set(url, { promise, resolve, timer: this.#clock.after(PATIENCE_MS, () => this.#settle(url), true) });
    this.#ask(url);
    return promise;
  }

  /** What the controller has. */
  take({ url, version, keys }: KeySetMessage): void {
    if (version > 0) this.#sets.set(url, { version, keys });
    this.#settle(url);
  }

  #settle(url: string): void {
    const wait = this.#waits.get(url);
    if (wait === undefined) return;
    this.#waits.delete(url);
    wait.timer.cancel();
    wait.resolve(undefined);
  }
}
