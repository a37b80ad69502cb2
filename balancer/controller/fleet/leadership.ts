// Who leads the fleet: a lease that is renewed while all is well, and given up by the host's own monotonic clock before anybody else can take it.
import type { Clock } from '../../../health/clock.ts';
import type { Lease, Ledger } from '../../store/ledger.ts';

const NAME = 'lead';
/** A leader that is lost is replaced after this, and one more look of another host. */
const LEASE_MS = 10_000;
const RENEW_MS = 3000;
/** Given up so much before the ledger gives it to another: clocks do not run at quite the same speed. */
const MARGIN_MS = 2000;

export class Leadership {
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #holder: string;
  #lease: Lease | null = null;
  /** When it was asked for: it counts from before the question, never from the answer. */
  #askedMs = -Infinity;

  constructor(ledger: Ledger, clock: Clock, holder: string) {
    this.#ledger = ledger;
    this.#clock = clock;
    this.#holder = holder;
  }

  /** Null: somebody else leads, or nobody. */
  get lease(): Lease | null {
    return this.#clock.nowMs() < this.#askedMs + LEASE_MS - MARGIN_MS ? this.#lease : null;
  }

  /** Takes or keeps the lead; once a second. Throws `LedgerAwayError`. */
  async look(): Promise<void> {
    const nowMs = this.#clock.nowMs();
    if (this.#lease !== null && nowMs < this.#askedMs + RENEW_MS) return;
    if (this.#lease !== null && (await this.#ledger.renewLease(this.#lease, LEASE_MS))) {
      this.#askedMs = nowMs;
      return;
    }
    this.#lease = await this.#ledger.takeLease(NAME, this.#holder, LEASE_MS);
    this.#askedMs = nowMs;
  }

  /** Lets another host lead at once. */
  async release(): Promise<void> {
    const lease = this.#lease;
    this.#lease = null;
    if (lease !== null) await this.#ledger.releaseLease(lease);
  }
}
