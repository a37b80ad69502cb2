// How sure a counted figure is: intervals for parts, for quantiles of a histogram, and for the differences of two of them. Pure.
import { METRICS } from './metrics.ts';

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Standard deviations on both sides of the mean that hold 95 % of a normal distribution. */
export const Z95 = 1.959964;

export interface Hits {
  readonly hits: number;
  readonly of: number;
}

/** The score interval of Wilson (1927) for the part that `hits` of so many are a sample of. Everything without a sample. */
export function wilson({ hits, of }: Hits, z: number): Interval {
  if (of === 0) return { low: 0, high: 1 };
  const z2 = z * z;
  const seen = hits / of;
  const middle = (seen + z2 / (2 * of)) / (1 + z2 / of);
  const half = (z / (1 + z2 / of)) * Math.sqrt((seen * (1 - seen)) / of + z2 / (4 * of * of));
  return { low: hits === 0 ? 0 : middle - half, high: hits === of ? 1 : middle + half };
}

/** The 95 % interval for one part less another, from the score intervals of both (Newcombe 1998, method 10). */
export function partDifference(one: Hits, other: Hits): Interval {
  const [p1, p2] = [one.hits / Math.max(1, one.of), other.hits / Math.max(1, other.of)];
  const [w1, w2] = [wilson(one, Z95), wilson(other, Z95)];
  if (one.of === 0 || other.of === 0) return { low: w1.low - w2.high, high: w1.high - w2.low };
  return {
    low: p1 - p2 - Math.hypot(p1 - w1.low, w2.high - p2),
    high: p1 - p2 + Math.hypot(w1.high - p1, p2 - w2.low),
  };
}

const BOUNDS_MS: readonly number[] = METRICS.weir_upstream_answer_seconds.buckets.map((bound) => bound * 1000);

/** Null: no bound is known. */
export interface OpenInterval {
  readonly low: number | null;
  readonly high: number | null;
}

/**
 * Between which times the quantile is, whatever the distribution: order statistics whose ranks come from the binomial distribution of the values
 * below it, each read as the outer bound of its bucket, as nothing is known within one. `outside`: the probability that is left, half on each side.
 */
export function quantileInterval(counts: readonly number[], part: number, outside: number): OpenInterval {
  const total = Math.round(counts.reduce((sum, count) => sum + count, 0));
  const { low, high } = binomialRanks(total, part, outside / 2);
  return { low: low < 1 ? 0 : boundsAt(counts, low).low, high: high > total ? null : boundsAt(counts, high).high };
}

/** The 95 % interval for a quantile less another: each of the two is outside of its own with 2.5 % at most, so both are within with 95 % at least. */
export function quantileDifference(one: readonly number[], other: readonly number[], part: number): OpenInterval {
  const [mine, theirs] = [quantileInterval(one, part, 0.025), quantileInterval(other, part, 0.025)];
  return {
    low: mine.low === null || theirs.high === null ? null : mine.low - theirs.high,
    high: mine.high === null || theirs.low === null ? null : mine.high - theirs.low,
  };
}

/** Of the bucket that holds the value of a rank, counted from 1. */
function boundsAt(counts: readonly number[], rank: number): OpenInterval {
  let below = 0;
  for (const [index, count] of counts.entries()) {
    below += count;
    if (below >= rank) return { low: BOUNDS_MS[index - 1] ?? 0, high: BOUNDS_MS[index] ?? null };
  }
  return { low: 0, high: null };
}

/** Farther from the mode there is less than 1e-15. */
const DEVIATIONS = 9;

/**
 * The ranks between which a quantile is: the highest `low` with P(B < low) <= tail and the lowest `high` with P(B >= high) <= tail, B binomial. Exact:
 * probabilities relative to the mode, by the ratio of neighbours, so that no factorial is needed.
 */
function binomialRanks(total: number, part: number, tail: number): Interval {
  const mode = Math.floor((total + 1) * part);
  const reach = Math.ceil(DEVIATIONS * Math.sqrt(total * part * (1 - part))) + 40;
  const first = Math.max(0, mode - reach);
  const last = Math.min(total, mode + reach);
  const weights = new Float64Array(last - first + 1);
  const at = Math.min(mode, total);
  weights[at - first] = 1;
  for (let k = at + 1; k <= last; k += 1) weights[k - first] = ((weights[k - 1 - first] ?? 0) * (total - k + 1) * part) / (k * (1 - part));
  for (let k = at - 1; k >= first; k -= 1)
    weights[k - first] = ((weights[k + 1 - first] ?? 0) * (k + 1) * (1 - part)) / ((total - k) * part);
  const limit = tail * weights.reduce((sum, weight) => sum + weight, 0);
  let [low, below] = [first, 0];
  while (low < last && below + (weights[low - first] ?? 0) <= limit) below += weights[low++ - first] ?? 0;
  let [high, above] = [last + 1, 0];
  while (high > first + 1 && above + (weights[high - 1 - first] ?? 0) <= limit) above += weights[--high - first] ?? 0;
  return { low, high };
}
