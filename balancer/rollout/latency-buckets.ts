// Quantiles of a latency histogram and their inverse, by the same rule, so that equal histograms compare as equal.
import { METRICS } from '../telemetry/metrics.ts';

const BOUNDS_MS: readonly number[] = METRICS.weir_request_duration_seconds.buckets.map((bound) => bound * 1000);

export const BUCKETS = BOUNDS_MS.length + 1;

/** The time that a part of the requests stays below, linear within a bucket; null: no request, or it is in the bucket without a bound. */
export function quantileMs(counts: readonly number[], part: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let below = 0;
  for (const [index, upper] of BOUNDS_MS.entries()) {
    const count = counts[index] ?? 0;
    if (count > 0 && below + count >= part * total) {
      const lower = BOUNDS_MS[index - 1] ?? 0;
      return lower + ((upper - lower) * (part * total - below)) / count;
    }
    below += count;
  }
  return null;
}

/** 0 to 1: the part of the requests that took longer than `limitMs`. */
export function partAboveMs(counts: readonly number[], limitMs: number): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return 0;
  let below = 0;
  for (const [index, upper] of BOUNDS_MS.entries()) {
    const count = counts[index] ?? 0;
    const lower = BOUNDS_MS[index - 1] ?? 0;
    if (limitMs < upper) return 1 - (below + (count * Math.max(0, limitMs - lower)) / (upper - lower)) / total;
    below += count;
  }
  return (total - below) / total;
}
