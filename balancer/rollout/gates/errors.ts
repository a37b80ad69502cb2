// The gate on errors: not more than a part of the requests, or not more than so many times those of the other versions.
import { SequentialTest, type Hypotheses } from '../sequential-test.ts';
import type { Evidence, Gate, GateAtWork, GateKind, Judgement } from '../gate.ts';

/** A ratio below this is taken for this: nothing in the field is better for long. */
const LEAST_RATIO = 0.001;
/** What is too much is at least so far above what is right. */
const LEAST_EXCESS = 0.01;
/** Without a gate of the operator's: so many times the errors of the others. */
const STANDING_FACTOR = 5;
const MOST = 0.5;
/** Fewer errors of the others in a few seconds are chance, and would hide those of the version. */
const SUDDEN_ERRORS = 5;

const PART = /^errors<([\d.]+)%$/;
const TIMES = /^errors<([\d.]+)x$/;

export const errorsGate: GateKind = {
  forms: ['errors<1%', 'errors<3x'],
  read: (text) => {
    const part = PART.exec(text)?.[1];
    if (part !== undefined) {
      const percent = Number(part);
      return percent > 0 && percent <= 50 ? ofPart(text, percent / 100) : `${text}: expected a part above 0 and up to 50 %`;
    }
    const times = TIMES.exec(text)?.[1];
    if (times === undefined) return null;
    const factor = Number(times);
    return factor > 1 && factor <= 100 ? ofOthers(text, factor) : `${text}: expected a factor above 1 and up to 100`;
  },
};

/** Holds where no `errors<Nx` is named. */
export const STANDING_ERRORS_GATE: Gate = ofOthers(`errors<${STANDING_FACTOR}x`, STANDING_FACTOR);

function ofPart(text: string, ratio: number): Gate {
  const hypotheses = { usual: ratio, excess: excessOf(ratio, 2) };
  return { text, begin: () => new ErrorsAtWork(() => hypotheses) };
}

function ofOthers(text: string, factor: number): Gate {
  const hypothesesOf = (evidence: Evidence): Hypotheses => {
    const usual = Math.min(MOST / 2, Math.max(LEAST_RATIO, ratioOfOthers(evidence)));
    return { usual, excess: excessOf(usual, factor) };
  };
  return { text, begin: () => new ErrorsAtWork(hypothesesOf) };
}

/** `p1 = max(factor × p0, p0 + 1 point)`, half of all at most. */
function excessOf(usual: number, factor: number): number {
  return Math.min(Math.max(MOST, usual * 1.5), Math.max(usual * factor, usual + LEAST_EXCESS));
}

/** What others suffer at the same time is not the version's fault, so the worse of long and short counts. */
function ratioOfOthers({ baseline, usualErrorRatio }: Evidence): number {
  if (baseline === null) return usualErrorRatio;
  const { short, long } = baseline;
  const sudden = short.errors >= SUDDEN_ERRORS ? ratio(short) : 0;
  return Math.max(sudden, long.requests === 0 ? usualErrorRatio : ratio(long));
}

function ratio({ requests, errors }: { readonly requests: number; readonly errors: number }): number {
  return requests === 0 ? 0 : errors / requests;
}

class ErrorsAtWork implements GateAtWork {
  readonly #hypothesesOf: (evidence: Evidence) => Hypotheses;
  readonly #test = new SequentialTest();
  #requests = 0;
  #errors = 0;
  #usual = LEAST_RATIO;

  constructor(hypothesesOf: (evidence: Evidence) => Hypotheses) {
    this.#hypothesesOf = hypothesesOf;
  }

  add(evidence: Evidence): void {
    const { requests, errors } = evidence.trial;
    const hypotheses = this.#hypothesesOf(evidence);
    this.#usual = hypotheses.usual;
    this.#requests += requests;
    this.#errors += errors;
    this.#test.add(hypotheses, errors, requests);
  }

  judge(minRequests: number): Judgement {
    const says = `${percent(ratio({ requests: this.#requests, errors: this.#errors }))} of ${this.#requests} requests, right is ${percent(this.#usual)}`;
    if (this.#test.failed) return { verdict: 'fail', says };
    return { verdict: this.#requests >= minRequests && this.#test.speaksWell ? 'pass' : 'insufficient', says };
  }
}

function percent(part: number): string {
  return `${Number((part * 100).toFixed(2))} %`;
}
