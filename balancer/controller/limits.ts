// The counters of the limits of this host: workers ask here, and get a little more than they need, so that few requests wait.
import type { LimitConfig } from '../config/limit-config.ts';
import type { Config } from '../config/config.ts';
import { bucketOf, type Bucket } from '../filter/rate-limit/bucket.ts';
import type { AllowanceGrant, AllowanceWish } from '../ipc-limits.ts';

/** The part of a limit that all workers together may have in hand and never use: what may be refused too early. */
const SPARE = 0.05;

interface Counted {
  readonly config: LimitConfig;
  readonly bucket: Bucket;
}

export class Limits {
  readonly #wallMs: () => number;
  #counted = new Map<string, Counted>();
  #workers = 1;

  constructor(wallMs: () => number) {
    this.#wallMs = wallMs;
  }

  /** Counters of limits that stay as they are go on. */
  follow({ limits, workers }: Pick<Config, 'limits' | 'workers'>): void {
    this.#workers = workers;
    this.#counted = new Map(
      Object.values(limits).map((config) => {
        const before = this.#counted.get(config.name);
        return [
          config.name,
          before !== undefined && sameCount(before.config, config) ? { ...before, config } : { config, bucket: bucketOf(config) },
        ];
      }),
    );
  }

  grant(wishes: readonly AllowanceWish[]): readonly AllowanceGrant[] {
    const nowMs = this.#wallMs();
    return wishes.flatMap(({ limit, key, need }) => {
      const counted = this.#counted.get(limit);
      if (counted === undefined) return [];
      const spare = Math.floor((counted.config.limit * SPARE) / this.#workers);
      return [{ limit, key, ...counted.bucket.take(key, need + spare, nowMs) }];
    });
  }
}

const sameCount = (a: LimitConfig, b: LimitConfig): boolean =>
  a.algorithm === b.algorithm &&
  a.limit === b.limit &&
  a.windowMs === b.windowMs &&
  a.burst === b.burst &&
  JSON.stringify(a.by) === JSON.stringify(b.by);
