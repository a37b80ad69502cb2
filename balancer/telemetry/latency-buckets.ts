// Quantiles of a latency histogram and their inverse, by the same rule, so that equal histograms compare as equal.
import { METRICS } from './metrics.ts';

const BOUNDS_MS: readonly number[] = METRICS.weir_request_duration_seconds.buckets.map((bound) => bound * 1000);

export const BUCKETS = BOUNDS_MS.length + 1;

/** The time that a part of the requests stays below, linear within a bucket; of the bucket without an upper bound, its lower one. Null: no request. */
export function quantileMs(counts: readonly number[], part: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  const rank = part * total;
  let below = 0;
  for (const [index, count] of counts.entries()) {
    if (below + count >= rank && count > 0) {
      const lower = BOUNDS_MS[index - 1] ?? 0;
      const upper = BOUNDS_MS[index] ?? lower;
      return lower + ((upper - lower) * (rank - below)) / count;
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
