// What is allowed once is a flood when it does not end: a token bucket for each kind of frame that costs us more than its sender.

/** Burst and refill a second of each kind. */
const BUCKETS = {
  /** Streams that the client resets, or that we have to reset for its faults (CVE-2023-44487, CVE-2025-8671); the refill is configured. */
  resets: [500, 50],
  /** Streams above the limit we told. */
  refused_streams: [200, 20],
  pings: [1000, 100],
  settings: [100, 10],
  /** DATA without data. */
  empty_data: [200, 20],
  /** PRIORITY, PRIORITY_UPDATE and frames nobody knows. */
  ignored_frames: [1000, 100],
  /** WINDOW_UPDATEs; every DATA frame we send allows some more. */
  window_updates: [2000, 200],
  /** DATA frames that a tiny window cuts small; every large one we send allows another: windows of honest clients have such an end, too. */
  tiny_windows: [200, 20],
  /** Header lists above the limit we told. */
  large_heads: [100, 10],
} as const;

export type AbuseKind = keyof typeof BUCKETS;
/** Also counted, but without a bucket: the first time is enough. */
export type AbuseReason = AbuseKind | 'header_block' | 'slow_reader';

interface Bucket {
  tokens: number;
  filledMs: number;
}

export class AbuseBudget {
  readonly #resetsPerSecond: number;
  readonly #buckets = new Map<AbuseKind, Bucket>();

  constructor(resetsPerSecond: number) {
    this.#resetsPerSecond = resetsPerSecond;
  }

  /** Takes one; false: it is a flood. */
  take(kind: AbuseKind, nowMs: number): boolean {
    const [burst, perSecond] = this.#sizeOf(kind);
    let bucket = this.#buckets.get(kind);
    if (bucket === undefined) {
      bucket = { tokens: burst, filledMs: nowMs };
      this.#buckets.set(kind, bucket);
    } else if (nowMs > bucket.filledMs) {
      bucket.tokens = Math.min(burst, bucket.tokens + ((nowMs - bucket.filledMs) / 1000) * perSecond);
      bucket.filledMs = nowMs;
    }
    bucket.tokens -= 1;
    return bucket.tokens >= 0;
  }

  /** Gives some back, up to the burst. */
  give(kind: AbuseKind, tokens: number): void {
    const bucket = this.#buckets.get(kind);
    if (bucket !== undefined) bucket.tokens = Math.min(this.#sizeOf(kind)[0], bucket.tokens + tokens);
  }

  #sizeOf(kind: AbuseKind): readonly [burst: number, perSecond: number] {
    return kind === 'resets' ? [this.#resetsPerSecond * 10, this.#resetsPerSecond] : BUCKETS[kind];
  }
}
