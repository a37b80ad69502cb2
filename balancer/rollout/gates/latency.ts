// The gate on latency: a quantile below a time, or below so many times that of the other versions in the same seconds.
import { quantileMs, partAboveMs } from '../../telemetry/latency-buckets.ts';
import { SequentialTest } from '../sequential-test.ts';
import type { Evidence, Gate, GateAtWork, GateKind, Judgement, Outcomes } from '../gate.ts';

const TIMES = /^p(50|90|95|99)<([\d.]+)x$/;
const TIME = /^p(50|90|95|99)<([\d.]+)(ms|s)$/;
/** A quantile of the others is known from so many requests above it. */
const LEAST_ABOVE = 10;

export const latencyGate: GateKind = {
  forms: ['p95<1.2x', 'p99<300ms'],
  read: (text) => {
    const [, quantile, factor] = TIMES.exec(text) ?? [];
    if (quantile !== undefined && factor !== undefined) {
      const times = Number(factor);
      if (!(times >= 1.05 && times <= 100)) return `${text}: expected a factor from 1.05 to 100`;
      return gateOf(text, Number(quantile) / 100, (others, part) => {
        if (others === null || others.requests * (1 - part) < LEAST_ABOVE) return null;
        const usualMs = quantileMs(others.latency, part);
        return usualMs === null ? null : usualMs * times;
      });
    }
    const [, of, amount, unit] = TIME.exec(text) ?? [];
    if (of === undefined || amount === undefined) return null;
    const limitMs = Number(amount) * (unit === 's' ? 1000 : 1);
    return limitMs > 0 && limitMs <= 60_000
      ? gateOf(text, Number(of) / 100, () => limitMs)
      : `${text}: expected a time above 0 and up to 60 s`;
  },
};

/** The time that the quantile has to stay below; null: it is not known yet. */
type LimitOf = (others: Outcomes | null, part: number) => number | null;

function gateOf(text: string, part: number, limitOf: LimitOf): Gate {
  return { text, begin: () => new LatencyAtWork(part, limitOf) };
}

/**
 * The q-quantile is below a limit exactly when at most 1 - q of the requests take longer, so slow requests are counted like errors: right is
 * 1 - q, twice as many are too many. The limit follows the others second by second: what slows all is not the version's fault.
 */
class LatencyAtWork implements GateAtWork {
  readonly #part: number;
  readonly #limitOf: LimitOf;
  readonly #test = new SequentialTest();
  #requests = 0;
  #slow = 0;
  #limitMs: number | null = null;

  constructor(part: number, limitOf: LimitOf) {
    this.#part = part;
    this.#limitOf = limitOf;
  }

  add({ trial, baseline }: Evidence): void {
    // Of the others some seconds count, as one second has too few slow ones.
    this.#limitMs =
      this.#limitOf(baseline?.short ?? null, this.#part) ?? this.#limitOf(baseline?.long ?? null, this.#part) ?? this.#limitMs;
    if (this.#limitMs === null || trial.requests === 0) return;
    const timed = trial.latency.reduce((sum, count) => sum + count, 0);
    const slow = partAboveMs(trial.latency, this.#limitMs) * timed;
    this.#requests += timed;
    this.#slow += slow;
    const usual = 1 - this.#part;
    this.#test.add({ usual, excess: usual >= 0.5 ? 0.75 : usual * 2 }, slow, timed);
  }

  judge(minRequests: number): Judgement {
    if (this.#limitMs === null)
      return { verdict: 'insufficient', says: 'there are too few requests of the other versions to compare with' };
    const share = this.#requests === 0 ? 0 : (this.#slow / this.#requests) * 100;
    const says = `${Number(share.toFixed(1))} % of ${this.#requests} requests above ${Number(this.#limitMs.toPrecision(3))} ms, right is ${Number(((1 - this.#part) * 100).toFixed(1))} %`;
    if (this.#test.failed) return { verdict: 'fail', says };
    return { verdict: this.#requests >= minRequests && this.#test.speaksWell ? 'pass' : 'insufficient', says };
  }
}
