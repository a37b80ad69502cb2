// What `GET /v1/cache` says of each route that stores responses.

/** Of this host, over all its workers; counts since its controller began. */
export interface CacheView {
  readonly route: string;
  readonly service: string;
  /** Stored now. */
  readonly objects: number;
  readonly bytes: number;
  /** 0 to 1: answered from memory, of all GET and HEAD; null: there was none. */
  readonly hitRatio: number | null;
  readonly hits: number;
  readonly misses: number;
  /** Not held any more, so that the service was asked. */
  readonly stale: number;
  readonly bypassed: number;
  /** Served behind their end. */
  readonly servedStale: number;
  readonly evicted: number;
  readonly purged: number;
}
