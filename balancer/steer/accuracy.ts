// Whether a split is respected: what each target got against what the plan gave it, with an interval for chance. Pure.
import { MILLION } from '../config/config.ts';
import { wilson } from '../telemetry/intervals.ts';

/** Counted over a time in which the shares of the service did not change. */
export interface Counted {
  /** Requests of the service that a target answered. */
  readonly total: number;
  /** Of these, those of the target. */
  readonly requests: number;
  /** Workers that count for themselves: each keeps to its share within one request (decision 0007). */
  readonly workers: number;
}

export interface Accuracy {
  /** 0 to 1: the part of the requests that the target got. */
  readonly observed: number;
  /** Between these its true share is, with 99 % certainty. */
  readonly low: number;
  readonly high: number;
  /** False: the share of the plan is not among them. */
  readonly respected: boolean;
}

/** Standard deviations on both sides of the mean that hold 99 % of a normal distribution. */
const Z99 = 2.575829;

/**
 * The score interval of Wilson (1927) for `requests` of `total`, widened by what the schedules of the workers owe. Null without a request.
 * `effective`: in millionths.
 */
export function accuracyOf(effective: number, { total, requests, workers }: Counted): Accuracy | null {
  if (total === 0) return null;
  const observed = requests / total;
  const { low, high } = wilson({ hits: requests, of: total }, Z99);
  const owed = workers / total;
  const share = effective / MILLION;
  return { observed, low, high, respected: share >= low - owed && share <= high + owed };
}
