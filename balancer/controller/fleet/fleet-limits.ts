// Limits that all hosts of the fleet share, as this host asks for them: for each request or in advance, and what is declared while nobody can be asked.
import type { Clock, Timer } from '../../../health/clock.ts';
import type { FleetCount, LimitAmount, LimitConfig } from '../../config/limit-config.ts';
import { bucketOf, type Bucket } from '../../filter/rate-limit/bucket.ts';
import type { AllowanceCharge, AllowanceGrant, AllowanceWish } from '../../ipc-limits.ts';
import type { LimitCounter } from '../../store/limits.ts';
import { LeasedCount } from './leased-count.ts';

export interface FleetLimit extends LimitConfig {
  readonly fleet: FleetCount;
}

export const isOfFleet = (limit: LimitConfig): limit is FleetLimit => limit.fleet !== null;

/** The part of a limit that all hosts and their workers together may have in hand and never use: what may be refused too early. */
const IN_HAND = 0.05;
/** The same of a quota: what is in hands when they end is lost to it for the rest of a month. */
const QUOTA_IN_HAND = 0.01;
/** Counters this host has something of; beyond, those that nobody used the longest are let go. */
const MAX_COUNTS = 20_000;
/** Between two looks whether the count can be asked again. */
const LOOK_MS = 250;

export interface FleetLimitsOptions {
  readonly clock: Clock;
  /** Connects; called once there is a limit that needs it. */
  readonly openCounter: () => LimitCounter;
  /** That live, this one among them. */
  readonly hosts: () => number;
  /** Something that an operator should know. */
  readonly tell: (text: string) => void;
  readonly count: (outcome: 'counted' | 'away') => void;
}

export class FleetLimits {
  readonly #options: FleetLimitsOptions;
  #counter: LimitCounter | null = null;
  #workers = 1;
  readonly #leased = new Map<string, LeasedCount>();
  /** By name of the limit: what this host counts alone while nobody else can. */
  readonly #alone = new Map<string, Bucket>();
  /** Null: the count can be asked, as far as is known. */
  #away: Timer | null = null;
  #closed = false;

  constructor(options: FleetLimitsOptions) {
    this.#options = options;
  }

  /** `isNeeded`: there is a limit of the fleet. */
  follow(isNeeded: boolean, workers: number): void {
    this.#workers = workers;
    if (isNeeded) this.#counter ??= this.#options.openCounter();
  }

  /** What was taken in advance of a limit that is another one now, or none. */
  forget(limit: string): void {
    this.#alone.delete(limit);
    for (const key of [...this.#leased.keys()]) if (key.startsWith(`${limit}\n`)) this.#leased.delete(key);
  }

  /** `whose`: the counter of the key, where that is another one since it was reset. */
  async grant(limit: FleetLimit, wish: AllowanceWish, whose = wish.key): Promise<AllowanceGrant> {
    const { count } = this.#options;
    const { key, need, least = 0 } = wish;
    if (this.#counter === null || this.#away !== null) {
      count('away');
      return this.#withoutCount(limit, wish);
    }
    try {
      const isExact = limit.fleet.mode === 'exact';
      const taken = await (isExact ? this.#counter.take(limit, whose, { most: need, least }) : this.#lease(limit, whose, { need, least }));
      count('counted');
      return { limit: limit.name, key, ...taken, isAway: false };
    } catch (error) {
      this.#lost(limit, error);
      count('away');
      return this.#withoutCount(limit, wish);
    }
  }

  /** Told to the count as it is, or to this host's own while there is no other. */
  charge(limit: FleetLimit, whose: string, { key, count, ageMs }: AllowanceCharge): void {
    if (this.#counter === null || this.#away !== null) {
      if (limit.fleet.onStoreError === 'local')
        this.#aloneBucket(limit).charge(key, { count, ageMs }, this.#options.clock.wallMs(), this.#part(limit));
      return;
    }
    this.#counter.charge(limit, whose, { count, ageMs }).catch((error: unknown) => this.#lost(limit, error));
  }

  /** What is taken of a counter, by all; null: it cannot be asked now. */
  async standing(limit: FleetLimit, whose: string): Promise<{ readonly left: number; readonly resetMs: number } | null> {
    if (this.#away !== null) return null;
    try {
      const { remaining, resetMs } = await this.#take(limit, whose, 0);
      return { left: remaining, resetMs };
    } catch {
      return null;
    }
  }

  close(): void {
    this.#closed = true;
    this.#away?.cancel();
    this.#counter?.close();
  }

  #lease(limit: FleetLimit, key: string, wanted: Parameters<LeasedCount['take']>[0]): ReturnType<LeasedCount['take']> {
    const { slice, spare, inHand } = this.#slices(limit);
    // What is in hands does not fill up: with it no more than the burst pass at once.
    const counted = limit.algorithm === 'token' ? { ...limit, burst: limit.burst - inHand } : limit;
    const name = `${limit.name}\n${limit.plan}\n${key}`;
    const leased = this.#leased.get(name) ?? new LeasedCount(this.#options.clock, (wanted) => this.#take(counted, key, wanted));
    this.#leased.delete(name);
    this.#leased.set(name, leased);
    const [oldest] = this.#leased.keys();
    if (this.#leased.size > MAX_COUNTS && oldest !== undefined) this.#leased.delete(oldest);
    return leased.take(wanted, spare, slice);
  }

  #take(...question: Parameters<LimitCounter['take']>): ReturnType<LimitCounter['take']> {
    if (this.#counter === null) return Promise.reject(new Error('nobody counts for the fleet'));
    return this.#counter.take(...question);
  }

  /** Half of what may be in hands is the controllers', half their workers'. */
  #slices({ algorithm, limit, burst, calendar }: LimitConfig): { readonly slice: number; readonly spare: number; readonly inHand: number } {
    const hosts = this.#options.hosts();
    const slice = Math.floor(
      (Math.min(limit, algorithm === 'token' ? burst : limit) * (calendar === null ? IN_HAND : QUOTA_IN_HAND)) / 2 / hosts,
    );
    const spare = Math.floor(slice / this.#workers);
    return { slice, spare, inHand: hosts * (slice + spare * this.#workers) };
  }

  #withoutCount(limit: FleetLimit, { key, need, least = 0 }: AllowanceWish): AllowanceGrant {
    const { name, fleet, windowMs } = limit;
    if (fleet.onStoreError !== 'local')
      return { limit: name, key, granted: 0, remaining: 0, resetMs: LOOK_MS, validMs: LOOK_MS, isAway: true };
    const wallMs = this.#options.clock.wallMs();
    const taken = this.#aloneBucket(limit).take(key, { most: need, least }, wallMs, this.#part(limit));
    // Only until the fleet counts again: a worker must not go on with what was given here.
    const validMs = Math.min(LOOK_MS, windowMs);
    return { limit: name, key, ...taken, validMs, isAway: false };
  }

  /** Of this host. */
  #part({ limit, burst }: FleetLimit): LimitAmount {
    const part = (amount: number): number => Math.max(1, Math.floor(amount / this.#options.hosts()));
    return { limit: part(limit), burst: part(burst) };
  }

  #aloneBucket(limit: FleetLimit): Bucket {
    let bucket = this.#alone.get(limit.name);
    if (bucket === undefined) {
      bucket = bucketOf({ ...limit, ...this.#part(limit) });
      this.#alone.set(limit.name, bucket);
    }
    return bucket;
  }

  #lost(limit: FleetLimit, error: unknown): void {
    if (this.#away !== null || this.#closed) return;
    const said = error instanceof Error ? error.message : String(error);
    this.#options.tell(`limits of the fleet cannot be counted, each does as its onStoreError says: ${said}`);
    this.#alone.clear();
    this.#lookAgain(limit, 0);
  }

  /** No request waits for it. */
  #lookAgain(limit: FleetLimit, afterMs: number): void {
    this.#away = this.#options.clock.after(afterMs, () => {
      this.#take(limit, '', 0).then(
        () => {
          if (this.#closed) return;
          this.#away = null;
          this.#options.tell('limits of the fleet are counted again');
        },
        () => {
          if (!this.#closed) this.#lookAgain(limit, LOOK_MS);
        },
      );
    });
  }
}
