// Whether a split is respected: what each target got against what the plan gave it, with an interval for chance. Pure.
import { MILLION } from '../config/config.ts';
import { wilson } from '../telemetry/intervals.ts';

/** Counted over a time in which the shares of the service did not change. */
export interface Counted {
  /** Requests that some place of the service has; where clients keep their place, new clients. */
  readonly total: number;
  /** Of these, those of the target. */
  readonly requests: number;
  /** Workers that count for themselves: each keeps to its share within one request (decision 0007). */
  readonly workers: number;
  /** How often the same key may be among them: each worker knows only the clients that came to it. Absent: once. */
  readonly repeats?: number;
  /** 0 to 1: what the plan gives all places together; absent: everything. */
  readonly given?: number;
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
 * Of keys that are counted up to r times the variance is up to r times as large, as that of a part of them, total / r. `effective`: in millionths.
 */
export function accuracyOf(effective: number, { total, requests, workers, repeats = 1, given = 1 }: Counted): Accuracy | null {
  if (total === 0) return null;
  const { low, high } = wilson({ hits: requests / repeats, of: total / repeats }, Z99);
  const owed = workers / total;
  const share = given === 0 ? 0 : effective / MILLION / given;
  const respected = share >= low - owed && share <= high + owed;
  return { observed: (given * requests) / total, low: given * low, high: given * high, respected };
}
