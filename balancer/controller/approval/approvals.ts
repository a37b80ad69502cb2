// The changes of this host that wait for a second person: kept in its store, so that they outlive the controller, until they are approved, rejected or too old.
import type { Clock } from '../../../health/clock.ts';
import type { Log } from '../../log.ts';
import type { Store } from '../../store/store.ts';
import type { ApprovalView } from '../api/approval-view.ts';
import { sameJson } from '../../config/canonical-json.ts';
import { decodeKept, type Pending } from './pending.ts';

const KEY = 'approvals';
/** Asking is open to every operator; more than this nobody reads. */
export const MOST_PENDING = 100;

export interface ApprovalsOptions {
  readonly store: Pick<Store, 'getValue' | 'putValue'>;
  readonly clock: Clock;
  readonly log: Log;
  /** What follows the number of one: the host in a fleet, nothing where it is alone. */
  readonly suffix: () => string;
  /** The time of one is over. */
  readonly onExpired: (pending: Pending) => void;
}

export class Approvals {
  readonly #options: ApprovalsOptions;
  #last: number;
  #pending: readonly Pending[];

  constructor(options: ApprovalsOptions) {
    this.#options = options;
    const { last, pending } = decodeKept(options.store.getValue(KEY));
    this.#last = last;
    this.#pending = pending;
  }

  /** Oldest first. */
  all(): readonly Pending[] {
    const nowMs = this.#options.clock.wallMs();
    return this.#pending.filter(({ until }) => Date.parse(until) > nowMs);
  }

  /** Of this host. */
  find(id: string): Pending | null {
    return this.all().find((pending) => pending.id === id) ?? null;
  }

  /** Null: too many wait. Who asks for the same again, on the same, gets the one that waits; on something else it takes its place. */
  keep(asked: Omit<Pending, 'id' | 'at' | 'until'>, waitMs: number): Pending | null {
    const { clock, suffix } = this.#options;
    const same = this.all().find(({ waiting, caller }) => sameJson(waiting, asked.waiting) && sameJson(caller.author, asked.caller.author));
    if (same?.basis === asked.basis) return same;
    const others = this.all().filter((pending) => pending !== same);
    if (others.length >= MOST_PENDING) return null;
    const nowMs = clock.wallMs();
    const [at, until] = [new Date(nowMs).toISOString(), new Date(nowMs + waitMs).toISOString()];
    this.#last += 1;
    const pending = { ...asked, id: `${this.#last}${suffix()}`, at, until };
    this.#write([...others, pending]);
    return pending;
  }

  drop(id: string): void {
    this.#write(this.#pending.filter((pending) => pending.id !== id));
  }

  /** Once a second: tells of those whose time is over. */
  tick(): void {
    const left = this.all();
    if (left.length === this.#pending.length) return;
    const over = this.#pending.filter((pending) => !left.includes(pending));
    this.#write(left);
    for (const pending of over) this.#options.onExpired(pending);
  }

  #write(pending: readonly Pending[]): void {
    const { store, log } = this.#options;
    this.#pending = pending;
    try {
      store.putValue(KEY, JSON.stringify({ last: this.#last, pending }));
    } catch (error) {
      // It waits in memory all the same; a restart would forget it, and somebody asks again.
      log.error({ problem: error instanceof Error ? error.message : String(error) }, 'what waits for approval cannot be stored');
    }
  }
}

/** `remaining` by the clock of whoever shows it. */
export type ToldApproval = Omit<ApprovalView, 'remainingSeconds' | 'host' | 'services'> & { readonly services: string[] };

export function toldApproval({ id, waiting, summary, reason, services, caller, at, until }: Pending): ToldApproval {
  return { id, kind: waiting.kind, summary, services: [...services], by: caller.author.name, how: caller.author.how, reason, at, until };
}
