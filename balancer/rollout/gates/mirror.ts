// The gate on copied requests: not more than a part of their answers differs from what users got.
import { SequentialTest, type Hypotheses } from '../sequential-test.ts';
import type { Evidence, Gate, GateAtWork, GateKind, Judgement } from '../gate.ts';

const FORM = /^mirror-diff<([\d.]+)%$/;
/** What is too much is at least so far above what is right. */
const LEAST_EXCESS = 0.01;

export const mirrorGate: GateKind = {
  forms: ['mirror-diff<1%'],
  read: (text) => {
    const part = FORM.exec(text)?.[1];
    if (part === undefined) return null;
    const percent = Number(part);
    if (!(percent > 0 && percent <= 50)) return `${text}: expected a part above 0 and up to 50 %`;
    return gateOf(text, percent / 100);
  },
};

function gateOf(text: string, usual: number): Gate {
  const hypotheses = { usual, excess: Math.min(0.9, Math.max(2 * usual, usual + LEAST_EXCESS)) };
  return { text, begin: () => new MirrorAtWork(hypotheses) };
}

class MirrorAtWork implements GateAtWork {
  readonly #hypotheses: Hypotheses;
  readonly #test = new SequentialTest();
  #compared = 0;
  #different = 0;
  /** Other versions get requests, which could be copied. */
  #others = false;

  constructor(hypotheses: Hypotheses) {
    this.#hypotheses = hypotheses;
  }

  add({ trial: { compared = 0, different = 0 }, baseline }: Evidence): void {
    this.#compared += compared;
    this.#different += different;
    this.#others = baseline !== null && baseline.short.requests > 0;
    this.#test.add(this.#hypotheses, different, compared);
  }

  judge(minRequests: number): Judgement {
    const says = `${this.#different} of ${this.#compared} compared answers differ`;
    if (this.#test.failed) return { verdict: 'fail', says };
    if (!this.#others) return { verdict: 'pass', says: `${says}; no requests of other versions are left to copy` };
    return { verdict: this.#compared >= minRequests && this.#test.speaksWell ? 'pass' : 'insufficient', says };
  }
}
