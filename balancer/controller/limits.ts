// The counters of the limits of this host: workers ask here, and get a little more than they need, so that few requests wait.
import { limitOfPlan, type FleetCount, type LimitAmount, type LimitConfig } from '../config/limit-config.ts';
import type { Config } from '../config/config.ts';
import { bucketOf, type Bucket } from '../filter/rate-limit/bucket.ts';
import type { AllowanceCharge, AllowanceGrant, AllowanceLeft, AllowanceWish } from '../ipc-limits.ts';
import { isOfFleet, type FleetLimits } from './fleet/fleet-limits.ts';
import type { Quotas } from './quotas.ts';

/** The part of a limit that all workers together may have in hand and never use: what may be refused too early. */
const SPARE = 0.05;

interface Counted {
  readonly config: LimitConfig;
  readonly bucket: Bucket;
  /** What a worker is given above its need. */
  readonly spare: number;
}

export class Limits {
  readonly #wallMs: () => number;
  /** Null: the host is alone. */
  readonly #fleet: FleetLimits | null;
  /** Null: there is no store. */
  readonly #quotas: Quotas | null;
  #counted = new Map<string, Counted>();
  #workers = 1;

  constructor(wallMs: () => number, fleet: FleetLimits | null, quotas: Quotas | null = null) {
    this.#wallMs = wallMs;
    this.#fleet = fleet;
    this.#quotas = quotas;
  }

  /** Counters of limits that stay as they are go on. */
  follow({ limits, workers }: Pick<Config, 'limits' | 'workers'>): void {
    const all = Object.values(limits).filter(({ algorithm }) => algorithm !== 'concurrency');
    this.#quotas?.follow({ limits, workers });
    this.#fleet?.follow(
      all.some(({ fleet }) => fleet !== null),
      workers,
    );
    this.#workers = workers;
    const before = this.#counted;
    this.#counted = new Map(
      all.map((config) => {
        const spare = spareOf(config, workers);
        const known = before.get(config.name);
        const goesOn = known !== undefined && sameCount(known, { config, spare });
        if (known !== undefined && !goesOn) this.#fleet?.forget(config.name);
        return [config.name, { config, spare, bucket: goesOn ? known.bucket : bucketOf({ ...config, ...amountOf(config, workers) }) }];
      }),
    );
  }

  /** What this host counts in memory is given at once, quotas when they are stored, what the fleet counts when it has. */
  grant(wishes: readonly AllowanceWish[], give: (grants: readonly AllowanceGrant[]) => void): void {
    const own: AllowanceGrant[] = [];
    const shared: Promise<AllowanceGrant>[] = [];
    for (const wish of wishes) {
      const counted = this.#counted.get(wish.limit);
      if (counted === undefined) continue;
      const config = limitOfPlan(counted.config, wish.plan);
      if (this.#fleet !== null && isOfFleet(config)) {
        shared.push(this.#fleet.grant(config, wish, this.#whose(config, wish.key)));
      } else if (config.calendar !== null) this.#quotas?.grant(config, wish, give);
      else own.push(this.#grantOwn({ ...counted, config }, wish));
    }
    if (own.length > 0) give(own);
    if (shared.length > 0) void Promise.all(shared).then(give);
  }

  /** What requests were beyond what was given for them. */
  charge(charges: readonly AllowanceCharge[]): void {
    for (const charge of charges) {
      const counted = this.#counted.get(charge.limit);
      if (counted === undefined) continue;
      const config = limitOfPlan(counted.config, charge.plan);
      if (this.#fleet !== null && isOfFleet(config)) this.#fleet.charge(config, this.#whose(config, charge.key), charge);
      else if (config.calendar !== null) this.#quotas?.charge(config, charge);
      else counted.bucket.charge(charge.key, charge, this.#wallMs(), amountOf(config, this.#workers));
    }
  }

  /** The counter in the store of the fleet: one of a quota that was reset is another one. */
  #whose(config: LimitConfig, key: string): string {
    return config.calendar === null ? key : (this.#quotas?.whose(config, key) ?? key);
  }

  /** What a worker has heard from the controller before: no counter has more than that. What it had heard of others is less, or later. */
  goOnFrom(counters: readonly AllowanceLeft[]): void {
    const nowMs = this.#wallMs();
    for (const { limit, key, plan, remaining } of counters) {
      const counted = this.#counted.get(limit);
      if (counted === undefined || counted.config.fleet !== null || counted.config.calendar !== null) continue;
      const { bucket, config } = counted;
      const amount = amountOf(limitOfPlan(config, plan), this.#workers);
      const more = bucket.take(key, 0, nowMs, amount).remaining - remaining;
      if (more > 0) bucket.take(key, more, nowMs, amount);
    }
  }

  close(): void {
    this.#quotas?.close();
    this.#fleet?.close();
  }

  #grantOwn({ config, bucket, spare: usual }: Counted, { limit, key, need, least = 0 }: AllowanceWish): AllowanceGrant {
    const spare = config.plan === '' ? usual : spareOf(config, this.#workers);
    const nowMs = this.#wallMs();
    // What is in hand of a bucket does not fill up, so it may be kept; windows end for all.
    const validMs = config.algorithm === 'token' ? config.windowMs : config.windowMs - (nowMs % config.windowMs);
    return {
      limit,
      key,
      ...bucket.take(key, { most: need + spare, least }, nowMs, amountOf(config, this.#workers)),
      validMs,
      isAway: false,
    };
  }
}

function spareOf({ algorithm, limit, burst }: LimitConfig, workers: number): number {
  return Math.floor(((algorithm === 'token' ? Math.min(limit, burst) : limit) * SPARE) / workers);
}

/** With what workers have in hand, no more than the burst of a bucket pass at once. */
function amountOf(config: LimitConfig, workers: number): LimitAmount {
  const { algorithm, limit, burst } = config;
  return { limit, burst: algorithm === 'token' ? burst - spareOf(config, workers) * workers : burst };
}

type Count = Pick<Counted, 'config' | 'spare'>;

const sameCount = ({ config: a, spare: spareA }: Count, { config: b, spare: spareB }: Count): boolean =>
  a.algorithm === b.algorithm &&
  a.limit === b.limit &&
  a.windowMs === b.windowMs &&
  a.calendar === b.calendar &&
  a.burst === b.burst &&
  sameFleet(a.fleet, b.fleet) &&
  (a.algorithm !== 'token' || spareA === spareB) &&
  JSON.stringify(a.by) === JSON.stringify(b.by);

const sameFleet = (a: FleetCount | null, b: FleetCount | null): boolean => a?.mode === b?.mode && a?.onStoreError === b?.onStoreError;
