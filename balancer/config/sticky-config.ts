// Whether clients of a service keep their place, complete.
import type { KeySource } from '../message/request-key.ts';

/** Clients that keep their place. */
export interface StickyConfig {
  readonly mode: 'hash' | 'cookie';
  /** Null: a client without a cookie goes by the split. */
  readonly key: KeySource | null;
  readonly scope: 'version' | 'cluster';
  readonly salt: string;
  readonly onZero: 'drain' | 'evict';
  readonly drainMs: number;
  readonly cookieName: string;
  /** Null: until the client is closed. */
  readonly cookieMaxAgeMs: number | null;
  /** Lower case; null: nobody overrides. */
  readonly override: string | null;
}
