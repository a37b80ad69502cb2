// How long a response may be served behind its end (RFC 5861), where nothing forbids that (RFC 9111 section 4.2.4).
import { secondsOf, type Directives } from './directives.ts';

/** Counted from the end of its lifetime; 0: not at all. */
export interface StaleTimes {
  /** While one request asks the service for what holds. */
  readonly revalidatingMs: number;
  /** Where the service fails. */
  readonly failingMs: number;
}

export interface StaleRules extends StaleTimes {
  /** What the file gives to responses that do not say is above; more than this counts for nobody. */
  readonly mostMs: number;
}

const NEVER: StaleTimes = { revalidatingMs: 0, failingMs: 0 };
/** With `s-maxage` a shared cache is told what `proxy-revalidate` says (RFC 9111 section 5.2.2.10). */
const FORBID = ['no-cache', 'must-revalidate', 'proxy-revalidate', 's-maxage'] as const;

export function staleTimes(directives: Directives, { revalidatingMs, failingMs, mostMs }: StaleRules): StaleTimes {
  if (FORBID.some((name) => directives.has(name))) return NEVER;
  const time = (name: string, otherwiseMs: number): number => {
    const seconds = secondsOf(directives, name);
    return Math.min(mostMs, seconds === undefined ? otherwiseMs : seconds * 1000);
  };
  return { revalidatingMs: time('stale-while-revalidate', revalidatingMs), failingMs: time('stale-if-error', failingMs) };
}

/** Answers of a service that say nothing of what was asked for (RFC 5861 section 4). */
export const isFailure = (status: number): boolean => status === 500 || (status >= 502 && status <= 504);
