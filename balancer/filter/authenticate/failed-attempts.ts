// Attempts that failed, counted against a limit: where it is used up, nothing that comes from there is looked at for a time.
import type { DeclaredLimit } from '../../config/extension.ts';
import type { LimitConfig } from '../../config/limit-config.ts';
import type { CanonicalRequest } from '../../message/request.ts';
import type { FilterEnvironment, Refusal } from '../filter.ts';
import type { Decision } from '../rate-limit/allowances.ts';
import { limitKey } from '../rate-limit/limit-key.ts';
import { isExempt, oneLimit, type OneLimit } from '../rate-limit/one-limit.ts';
import { retryAfter } from '../rate-limit/told.ts';

/** Who is forgotten is counted by the host all the same, and stopped again by its next failure. */
const MAX_STOPPED = 10_000;

/** Only the route and the address: what a client can choose would give it as many counters as it likes. */
const COUNTED_BY: ReadonlySet<string> = new Set(['address', 'route', 'host']);

/** Null: failures may be counted by these parts of a limit. */
export function problemOfFailures(name: string, limits: ReadonlyMap<string, DeclaredLimit>): string | null {
  const declared = limits.get(name);
  if (declared === undefined)
    return `limit "${name}" is not declared; expected one of limits: ${[...limits.keys()].join(', ') || 'none yet'}`;
  const { by: parts, isOfThoseAtOnce } = declared;
  if (isOfThoseAtOnce) return `limit "${name}" is of requests at once, and guesses come one after the other; name one with a window`;
  if (parts.includes('address') && parts.every((part) => COUNTED_BY.has(part))) return null;
  return `limit "${name}" counts by ${parts.join(', ')}, and who guesses has proved nothing; name one with by: [address]`;
}

export class FailedAttempts {
  readonly #environment: FilterEnvironment;
  readonly #limit: OneLimit;
  /** By the key of the limit: until when, in monotonic milliseconds. Empty while nobody guesses, which costs requests one look. */
  readonly #stopped = new Map<string, number>();

  constructor(config: LimitConfig, environment: FilterEnvironment) {
    this.#environment = environment;
    this.#limit = oneLimit(config, environment);
  }

  /** Null: what the request shows may be looked at. */
  stops(request: CanonicalRequest): Refusal | null {
    if (this.#stopped.size === 0) return null;
    const key = this.#keyOf(request);
    const untilMs = this.#stopped.get(key);
    if (untilMs === undefined) return null;
    const leftMs = untilMs - this.#environment.clock.nowMs();
    if (leftMs <= 0) {
      this.#stopped.delete(key);
      return null;
    }
    this.#limit.refused.add(1);
    return this.#refusal(leftMs);
  }

  /** What the client is told whose credentials are not good. */
  count(request: CanonicalRequest, refusal: Refusal): Refusal | Promise<Refusal> {
    if (isExempt(this.#limit, request)) return refusal;
    const key = this.#keyOf(request);
    const decision = this.#environment.allowances.take(this.#limit.config, key);
    return decision instanceof Promise ? decision.then((later) => this.#judge(key, later, refusal)) : this.#judge(key, decision, refusal);
  }

  #judge(key: string, { verdict, remaining, resetMs }: Decision, refusal: Refusal): Refusal {
    const { config, refused, unknown } = this.#limit;
    if (verdict === 'unknown') {
      unknown.add(1);
      return refusal;
    }
    if (verdict === 'refuse') refused.add(1);
    if (config.shadow) return refusal;
    if (remaining === 0) this.#stop(key, resetMs);
    return verdict === 'refuse' ? this.#refusal(resetMs) : refusal;
  }

  #stop(key: string, forMs: number): void {
    this.#stopped.delete(key);
    this.#stopped.set(key, this.#environment.clock.nowMs() + forMs);
    const [oldest] = this.#stopped.keys();
    if (this.#stopped.size > MAX_STOPPED && oldest !== undefined) this.#stopped.delete(oldest);
  }

  #refusal(forMs: number): Refusal {
    const detail = `limit ${this.#limit.config.name} of failed attempts is used up`;
    return { code: 'too_many_failures', detail, fields: ['retry-after', retryAfter(forMs)] };
  }

  #keyOf(request: CanonicalRequest): string {
    return limitKey(this.#limit.config, request, this.#environment.route);
  }
}
