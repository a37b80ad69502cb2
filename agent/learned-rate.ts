// How many requests per second one endpoint can take, learned from what it takes while its answers are fast enough. Pure; docs/kubernetes.md has the reasons.

export interface LearnedRate {
  /** Requests per second of one endpoint; null: nothing learned. */
  readonly rate: number | null;
  /** Samples in a row whose p95 was above the target. */
  readonly slow: number;
  readonly atMs: number;
}

export interface RateSample {
  /** Of the whole service. */
  readonly requestsPerSecond: number;
  /** Time that 95 of 100 answers were within; null: too few to say. */
  readonly p95Ms: number | null;
  /** Endpoints that shared these requests. */
  readonly ready: number;
  /** 0 to 1 and above; null: not known. */
  readonly utilisation: number | null;
}

export const NOTHING_LEARNED: LearnedRate = { rate: null, slow: 0, atMs: -Infinity };

/**
 * What is carried well proves that much and half as much again, and no more: with less than this much use known, the claim would be a guess about
 * a region that was never seen. It is above 1 / 0.8, the use that the plan fills a cluster to, or what was learned would bound itself for ever.
 */
export const MOST_CLAIM = 1.5;
/** It grows by no more than this in ten seconds, as the edge takes it. */
export const GROWTH_PER_10_S = 1.2;
/** So many slow samples in a row are load and no hiccup. */
export const SLOW_SAMPLES = 3;
/** Slow with less than this part of what was learned: something else is wrong, and capacity has nothing to do with it. */
export const BLAME_FROM = 0.5;
/** Fewer requests per second and endpoint than this say nothing. */
export const LEAST_RATE = 1;

/**
 * One step. `q` = requests per second of one endpoint, `u` = its utilisation.
 * While p95 holds the target: `rate = max(rate, min(q / u, 1.5 q))`, upwards by 20 % in ten seconds at most.
 * After three samples in a row above it, with `q` at least half of `rate`: `rate = min(rate, q)`: what is carried too slowly is too much.
 */
export function learnRate(before: LearnedRate, sample: RateSample, targetMs: number, nowMs: number): LearnedRate {
  const { requestsPerSecond, p95Ms, ready, utilisation } = sample;
  if (p95Ms === null || ready === 0) return before;
  const carried = requestsPerSecond / ready;
  if (carried < LEAST_RATE) return { ...before, slow: 0 };
  if (p95Ms > targetMs) return slower(before, carried, nowMs);
  const claim = utilisation === null || utilisation <= 0 ? carried * MOST_CLAIM : Math.min(carried / utilisation, carried * MOST_CLAIM);
  // Less than what is carried well would be a lie of the utilisation.
  const proven = Math.max(carried, claim);
  if (before.rate === null) return { rate: proven, slow: 0, atMs: nowMs };
  const passedMs = Math.min(10_000, Math.max(0, nowMs - before.atMs));
  const most = Math.max(carried, before.rate * GROWTH_PER_10_S ** (passedMs / 10_000));
  return { rate: Math.max(before.rate, Math.min(proven, most)), slow: 0, atMs: nowMs };
}

function slower(before: LearnedRate, carried: number, nowMs: number): LearnedRate {
  const slow = before.slow + 1;
  const isLoad = before.rate === null || carried >= before.rate * BLAME_FROM;
  if (slow < SLOW_SAMPLES || !isLoad) return { ...before, slow, atMs: nowMs };
  return { rate: before.rate === null ? carried : Math.min(before.rate, carried), slow, atMs: nowMs };
}
