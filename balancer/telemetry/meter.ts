// The instruments a worker writes to, and the deltas it sends: plain numbers on the hot path, nothing resolved per request.
import { METRICS, type MetricName } from './metrics.ts';

export interface Counter {
  add(amount: number): void;
}

export interface Histogram {
  /** In the metric's base unit (seconds, bytes). */
  observe(value: number): void;
}

export interface Gauge {
  set(value: number): void;
}

/** What changed since the last delta. Counters and histograms add up; gauges replace. */
export interface SeriesDelta {
  readonly name: MetricName;
  /** In the order of the metric's label list. */
  readonly labels: readonly string[];
  /** Counter: the increase. Gauge: the value. Histogram: the sum of the observed values. */
  readonly value: number;
  /** Histogram only: increase per bucket, the last for +Inf; not cumulative. */
  readonly buckets?: readonly number[];
}

export type MetricsDelta = readonly SeriesDelta[];

export { METRICS, type MetricName };
