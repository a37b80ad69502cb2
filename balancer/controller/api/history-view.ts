// What the history answers: `GET /v1/history/metrics`, a list of kind `history` with one item for each series.
import type { HealthState } from '../../steer/plan-shape.ts';

/** Steps in which the history is kept, the finest first, and for how long. */
export const HISTORY_STEPS = ['1s', '10s', '1m', '1h'] as const;
export type HistoryStep = (typeof HISTORY_STEPS)[number];

/** `GET /v1/history/metrics`. */
export interface HistoryRequest {
  /**
   * What to tell of, separated by commas: `all`, `service/NAME`, `version/SERVICE/VERSION`, `cluster/NAME`. The last part may be `*`: all that had
   * requests in the range, those with the most first.
   */
  readonly series: string;
  /** When it begins and ends: ISO 8601, or milliseconds since 1970. Absent: the last 10 minutes, up to now. */
  readonly from?: string;
  readonly to?: string;
  /** `auto`: the finest that the whole range is kept in, and that makes at most `points`. */
  readonly step?: HistoryStep | 'auto';
  /** At most so many for each series: neighbours are added up where there are more. 1 to 5,000; 600 where it is not said. */
  readonly points?: number;
  /** At most so many series; 100 where it is not said. */
  readonly limit?: number;
  /** With the latency histogram of each point. */
  readonly histogram?: boolean;
}

/**
 * Columns of equal length: entry `i` is of the time from `startMs + i * stepMs` on, `stepMs` long. Null: nothing is known, as the host did not run;
 * 0 requests are 0. The last entry may be of a step that is not over.
 */
export interface HistorySeriesView {
  /** As in the request, without `*`. */
  readonly series: string;
  readonly startMs: number;
  readonly stepMs: number;
  readonly rps: readonly (number | null)[];
  /** 0 to 1: 5xx over all; null where there was no request. */
  readonly errorRatio: readonly (number | null)[];
  /** Null where there was no request. */
  readonly p50Ms: readonly (number | null)[];
  readonly p95Ms: readonly (number | null)[];
  readonly p99Ms: readonly (number | null)[];
  /** Shares of its service, 0 to 1, as they were last in the step; of versions only. */
  readonly desiredShare?: readonly (number | null)[];
  readonly effectiveShare?: readonly (number | null)[];
  /** The worst state of the step; of clusters only. */
  readonly health?: readonly (HealthState | null)[];
  /** Requests for each bucket of latency, the last for all above the last bound; null where there was none. Only with `histogram`. */
  readonly histogram?: readonly (readonly number[] | null)[];
  /** Upper bounds of the buckets. Only with `histogram`. */
  readonly boundsMs?: readonly number[];
}
