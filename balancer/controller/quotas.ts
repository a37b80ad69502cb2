// Quotas of the host: counted in the store, so that what was given stays given whatever ends. It is written before it is given, and a little in advance.
import { createHash } from 'node:crypto';
import type { Clock } from '../../health/clock.ts';
import type { Config } from '../config/config.ts';
import type { CalendarWindow, LimitConfig } from '../config/limit-config.ts';
import { windowAt } from '../config/limit-window.ts';
import type { AllowanceCharge, AllowanceGrant, AllowanceWish } from '../ipc-limits.ts';
import type { QuotaCount, Store } from '../store/store.ts';

/** The part of a quota that is written in advance, so that not each question is a write, and as much that all workers together have in hand. */
const AHEAD = 0.005;
const MOST_AHEAD = 1000;
/** Of one quota; all that come later share one, so that nobody fills the disk with keys of its own choice. */
const MAX_COUNTS = 100_000;
const OF_OTHERS = 'others';
/** Until it is worth asking again, after a write that failed. */
const AGAIN_MS = 250;

/** A count as it is given; of its window. */
interface Count {
  startMs: number;
  endMs: number;
  given: number;
  /** At least what is given. */
  stored: number;
}

interface Wanted {
  readonly limit: QuotaLimit;
  readonly wish: AllowanceWish;
  readonly give: (grants: readonly AllowanceGrant[]) => void;
}

type QuotaLimit = LimitConfig & { readonly calendar: CalendarWindow };

export const isQuota = (limit: LimitConfig): limit is QuotaLimit => limit.calendar !== null;

export interface QuotasOptions {
  readonly clock: Clock;
  readonly store: Pick<Store, 'quotaCounts' | 'putQuotaCounts'>;
  /** Of a consumer: the revision that reset this quota last; 0: none did. */
  readonly epochOf: (limit: string, consumer: string) => number;
  /** Something that an operator should know. */
  readonly tell: (text: string) => void;
  readonly count: (outcome: 'stored' | 'failed') => void;
}

export class Quotas {
  readonly #options: QuotasOptions;
  /** By limit, then by whose it is; null: not read yet. */
  #counts: Map<string, Map<string, Count>> | null = null;
  #workers = 1;
  #wanted: Wanted[] = [];
  /** Counts that are above what is written of them, by what they were beyond what was given. */
  #charged = new Map<Count, Pick<QuotaCount, 'limit' | 'key'>>();
  #waits = false;
  #fails = false;
  #closed = false;
  /** When the next window may have ended. */
  #nextEndMs = 0;

  constructor(options: QuotasOptions) {
    this.#options = options;
  }

  follow({ limits, workers }: Pick<Config, 'limits' | 'workers'>): void {
    this.#workers = workers;
    if (Object.values(limits).some((limit) => isQuota(limit) && limit.fleet === null)) this.#counts ??= this.#read();
  }

  /** Gives once it is stored; all wishes that come meanwhile are one write. */
  grant(limit: LimitConfig, wish: AllowanceWish, give: (grants: readonly AllowanceGrant[]) => void): void {
    if (!isQuota(limit) || this.#closed) return;
    this.#wanted.push({ limit, wish, give });
    this.#soon(0);
  }

  /** What comes back is written with what is given next, or at the end; what is more than was given at once. */
  charge(limit: LimitConfig, { key, count: more, ageMs }: AllowanceCharge): void {
    if (!isQuota(limit) || this.#closed) return;
    const { clock } = this.#options;
    const wallMs = clock.wallMs();
    const place = this.#place(limit.name, this.whose(limit, key));
    const count = more > 0 ? this.#countOf(limit, place, wallMs) : this.#counts?.get(limit.name)?.get(place);
    if (count === undefined || count.endMs <= wallMs || (more < 0 && count.startMs > wallMs - ageMs)) return;
    count.given = Math.max(0, count.given + more);
    if (count.given <= count.stored) return;
    count.stored = count.given;
    this.#charged.set(count, { limit: limit.name, key: place });
    this.#soon(0);
  }

  /** In the present window. */
  used(limit: LimitConfig, key: string): number {
    if (!isQuota(limit)) return 0;
    const { startMs } = windowAt(limit.calendar, this.#options.clock.wallMs());
    const count = this.#counts?.get(limit.name)?.get(this.whose(limit, key));
    return count !== undefined && count.startMs >= startMs ? count.given : 0;
  }

  /** The name of a counter: a value may be long and is nobody's business, and what was reset counts anew. */
  whose(limit: LimitConfig, key: string): string {
    const hash = createHash('sha256').update(key).digest('base64url').slice(0, 22);
    const consumer = consumerIn(limit, key);
    const epoch = limit.calendar === null || consumer === null ? 0 : this.#options.epochOf(limit.name, consumer);
    return epoch === 0 ? hash : `${hash}@${epoch}`;
  }

  /** What was written in advance and not given is free again. */
  close(): void {
    this.#closed = true;
    const rest: QuotaCount[] = [];
    for (const [limit, counts] of this.#counts ?? [])
      for (const [key, { given, stored, startMs, endMs }] of counts)
        if (given < stored) rest.push({ limit, key, startMs, endMs, used: given });
    for (const [{ startMs, endMs, given }, of] of this.#charged) rest.push({ ...of, startMs, endMs, used: given });
    if (rest.length > 0) this.#write(rest);
  }

  /** Not again before as long as the last write took: half of the time is for the rest of the controller. */
  #soon(afterMs: number): void {
    if (this.#waits) return;
    this.#waits = true;
    const act = (): void => {
      this.#waits = false;
      if (!this.#closed) this.#giveAll();
    };
    if (afterMs < 1) setImmediate(act);
    else this.#options.clock.after(afterMs, act);
  }

  #giveAll(): void {
    const wanted = this.#wanted;
    this.#wanted = [];
    const charged = this.#charged;
    this.#charged = new Map();
    if (wanted.length + charged.size === 0) return;
    const wallMs = this.#options.clock.wallMs();
    const before = new Map<Count, Count>();
    const changed = new Map<Count, QuotaCount>();
    const grants = wanted.map(({ limit, wish, give }) => {
      const key = this.#place(limit.name, this.whose(limit, wish.key));
      const count = this.#countOf(limit, key, wallMs);
      if (!before.has(count)) before.set(count, { ...count });
      const grant = this.#take(limit, wish, count, wallMs);
      const { startMs, endMs, stored } = count;
      if (stored !== before.get(count)?.stored) changed.set(count, { limit: limit.name, key, startMs, endMs, used: stored });
      return { give, grant };
    });
    for (const [count, { limit, key }] of charged) {
      const { startMs, endMs, stored } = count;
      if (endMs > wallMs) changed.set(count, { limit, key, startMs, endMs, used: stored });
    }
    const startedMs = this.#options.clock.nowMs();
    const isStored = changed.size === 0 || this.#write([...changed.values()]);
    if (!isStored) {
      for (const [count, was] of before) Object.assign(count, was);
      // It happened, whatever can be written of it now.
      for (const [count, of] of charged) this.#charged.set(count, of);
    }
    const answers = new Map<Wanted['give'], AllowanceGrant[]>();
    for (const { give, grant } of grants) {
      const answer = answers.get(give) ?? [];
      answers.set(give, answer);
      answer.push(isStored ? grant : { ...grant, granted: 0, remaining: 0, resetMs: AGAIN_MS, validMs: AGAIN_MS, isAway: true });
    }
    for (const [give, answer] of answers) give(answer);
    if (this.#wanted.length > 0 || this.#charged.size > 0) this.#soon(this.#options.clock.nowMs() - startedMs);
  }

  #take({ limit: amount, name }: QuotaLimit, { key, need, least = 0 }: AllowanceWish, count: Count, wallMs: number): AllowanceGrant {
    const ahead = Math.min(MOST_AHEAD, Math.floor(amount * AHEAD));
    const free = Math.max(0, amount - count.given);
    const granted = free < least ? 0 : Math.min(free, need + Math.floor(ahead / this.#workers));
    count.given += granted;
    if (count.given > count.stored) count.stored = Math.max(count.given, Math.min(amount, count.given + ahead));
    const leftMs = Math.max(1, count.endMs - wallMs);
    return { limit: name, key, granted, remaining: free - granted, resetMs: leftMs, validMs: leftMs, isAway: false };
  }

  #countOf({ name, calendar }: QuotaLimit, key: string, wallMs: number): Count {
    const all = (this.#counts ??= this.#read());
    const counts = all.get(name) ?? new Map<string, Count>();
    all.set(name, counts);
    const window = windowAt(calendar, wallMs);
    const known = counts.get(key);
    // A clock that was turned back opens no window anew.
    if (known !== undefined && known.startMs >= window.startMs) return known;
    const fresh = { ...window, given: 0, stored: 0 };
    counts.set(key, fresh);
    return fresh;
  }

  #place(limit: string, whose: string): string {
    const counts = this.#counts?.get(limit);
    return counts === undefined || counts.size < MAX_COUNTS || counts.has(whose) ? whose : OF_OTHERS;
  }

  #read(): Map<string, Map<string, Count>> {
    const all = new Map<string, Map<string, Count>>();
    for (const { limit, key, startMs, endMs, used } of this.#options.store.quotaCounts(this.#options.clock.wallMs())) {
      const counts = all.get(limit) ?? new Map<string, Count>();
      all.set(limit, counts);
      counts.set(key, { startMs, endMs, given: used, stored: used });
    }
    return all;
  }

  /** False: the store takes nothing. */
  #write(counts: readonly QuotaCount[]): boolean {
    const { store, clock, tell, count } = this.#options;
    try {
      const wallMs = clock.wallMs();
      store.putQuotaCounts(counts, wallMs);
      this.#forgetEnded(wallMs);
      if (this.#fails) tell('quotas are stored again');
      this.#fails = false;
      count('stored');
      return true;
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      if (!this.#fails) tell(`quotas cannot be stored, each does as its onUnavailable says: ${said}`);
      this.#fails = true;
      count('failed');
      return false;
    }
  }

  /** Once a window has ended. */
  #forgetEnded(wallMs: number): void {
    if (wallMs < this.#nextEndMs) return;
    this.#nextEndMs = windowAt('day', wallMs).endMs;
    for (const counts of this.#counts?.values() ?? []) for (const [key, { endMs }] of counts) if (endMs <= wallMs) counts.delete(key);
  }
}

/** The consumer that a key tells of; null: it tells of none. */
export function consumerIn({ by }: Pick<LimitConfig, 'by'>, key: string): string | null {
  const index = by.findIndex(({ kind }) => kind === 'consumer');
  const part = index < 0 ? undefined : by.length === 1 ? key : key.split('\n')[index];
  return part?.startsWith('=') === true ? part.slice(1) : null;
}
