// Whether a drill has to end now: its conditions, service by service, on what clients got in the last ten seconds of it. Pure.
import { parseAbortCondition, type AbortCondition } from '../../config/drill-config.ts';
import type { DrillFigures } from './report.ts';

/** What a service got lately. */
export interface Lately extends DrillFigures {
  readonly p50Ms: number | null;
  readonly requests: number;
}

/** Fewer requests say nothing. */
const LEAST_REQUESTS = 20;
/** Where the interval below is too narrow: one failure, or two, are chance. */
const LEAST_ERRORS = 3;
/** 99.5 % certain that there are more errors than the condition allows. */
const Z = 2.58;
/** A quantile is known from so many requests above it. */
const LEAST_ABOVE = 5;
/** Seconds in a row in which a latency is too long. */
const PATIENCE = 3;

export class DrillWatch {
  readonly #conditions: readonly AbortCondition[];
  readonly #late = new Map<string, number>();

  constructor(abortIf: readonly string[]) {
    this.#conditions = abortIf.flatMap((text) => parseAbortCondition(text) ?? []);
  }

  /** Once a second. Why the drill ends; null: it goes on. */
  look(service: string, before: Lately | null, now: Lately): string | null {
    if (now.requests >= LEAST_REQUESTS && now.errorRatio > 0.5) return `${service}: more than half of its requests fail`;
    for (const condition of this.#conditions) {
      const said = condition.kind === 'errors' ? errorsOf(condition, now) : this.#latencyOf(service, condition, { before, now });
      if (said !== null) return `${condition.text}: ${service} has ${said}`;
    }
    return null;
  }

  #latencyOf(
    service: string,
    { text, quantile, limitMs, factor }: Extract<AbortCondition, { kind: 'latency' }>,
    { before, now }: { readonly before: Lately | null; readonly now: Lately },
  ): string | null {
    const key = `${service} ${text}`;
    const usualMs = quantileOf(before, quantile);
    const mostMs = limitMs ?? (usualMs === null ? null : usualMs * factor);
    const ms = quantileOf(now, quantile);
    const tells = now.requests * (1 - quantile / 100) >= LEAST_ABOVE;
    const late = tells && mostMs !== null && ms !== null && ms > mostMs ? (this.#late.get(key) ?? 0) + 1 : 0;
    this.#late.set(key, late);
    return late < PATIENCE ? null : `a p${quantile} of ${Math.round(ms ?? 0)} ms, the most is ${Math.round(mostMs ?? 0)} ms`;
  }
}

function errorsOf({ ratio }: Extract<AbortCondition, { kind: 'errors' }>, { requests, errorRatio }: Lately): string | null {
  if (requests < LEAST_REQUESTS || requests * errorRatio < LEAST_ERRORS - 0.5 || leastRatio(errorRatio, requests) <= ratio) return null;
  return `${Math.round(errorRatio * 10_000) / 100} % errors of ${Math.round(requests)} requests`;
}

/** The lower end of Wilson's interval of a ratio that was measured with `count` requests. */
function leastRatio(ratio: number, count: number): number {
  const square = (Z * Z) / count;
  const spread = Z * Math.sqrt((ratio * (1 - ratio)) / count + square / (4 * count));
  return (ratio + square / 2 - spread) / (1 + square);
}

function quantileOf(figures: Lately | null, quantile: 50 | 95 | 99): number | null {
  if (figures === null) return null;
  return quantile === 50 ? figures.p50Ms : quantile === 95 ? figures.p95Ms : figures.p99Ms;
}
