// When a request gets further attempts, complete.

/** `percentile` 0 to 1, of the latencies of the version in its cluster. */
export type HedgeDelay = { readonly kind: 'time'; readonly ms: number } | { readonly kind: 'percentile'; readonly percentile: number };

export interface RetryConfig {
  /** Attempts beyond the first. */
  readonly attempts: number;
  /** Retries in flight as a part of requests in flight. */
  readonly budgetRatio: number;
  readonly budgetMin: number;
  /** Statuses of answers that are tried elsewhere; empty: an answer is an answer. */
  readonly on: readonly number[];
  /** When a second attempt goes out beside the first one; null: never. */
  readonly hedgeAfter: HedgeDelay | null;
}
