// What `GET /v1/results/<service>` answers: the versions of a service side by side.

/** `low` and `high`: the 95 % interval; null: not known, or without a bound. */
export interface DifferenceView {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** Answers to copies of requests held against those that users got. */
export interface MirroredView {
  readonly compared: number;
  readonly different: number;
  /** 0 to 1; the part of all that differs, as far as so many can tell. */
  readonly ratio: DifferenceView;
}

/** What the tries of a version came to. */
export interface VersionResultView {
  readonly version: string;
  /** By intent. */
  readonly splitPercent: number;
  readonly requests: number;
  readonly errors: number;
  /** 0 to 1: answered 5xx, or lost on the way. */
  readonly errorRatio: number;
  /** Up to the head of the answer. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  /** Null: no copy that it got was compared. */
  readonly mirrored: MirroredView | null;
  /** Less the same of the baseline; null: it is the baseline. */
  readonly difference: {
    readonly errorRatio: DifferenceView;
    readonly p50Ms: DifferenceView;
    readonly p95Ms: DifferenceView;
    readonly p99Ms: DifferenceView;
  } | null;
}

/** `GET /v1/results/<service>`: its versions side by side, as this host has seen them. */
export interface ResultsView {
  readonly service: string;
  /** That was asked for, or as long as there is anything. */
  readonly windowSeconds: number;
  readonly baseline: string;
  readonly versions: readonly VersionResultView[];
}
