// Requests and errors of the last seconds, as a host counts them.
/** Demand and errors are measured over so many complete seconds, as the controller does. */
export const WINDOW_S = 5;

export class RecentCounts {
  readonly #requests = new Float64Array(WINDOW_S);
  readonly #errors = new Float64Array(WINDOW_S);
  readonly #answers = new Float64Array(WINDOW_S);
  /** Sums of logarithms. */
  readonly #took = new Float64Array(WINDOW_S);
  #running = 0;
  #runningAnswers = 0;
  #runningTook = 0;
  #runningErrors = 0;
  #seconds = 0;

  /** `answerMs`: what its answer took; null: there was none. */
  add(failed: boolean, answerMs: number | null = null): void {
    this.#running += 1;
    if (answerMs !== null) {
      this.#runningAnswers += 1;
      this.#runningTook += Math.log(answerMs);
    }
    if (failed) this.#runningErrors += 1;
  }

  endSecond(): void {
    const at = this.#seconds % WINDOW_S;
    this.#requests[at] = this.#running;
    this.#errors[at] = this.#runningErrors;
    this.#answers[at] = this.#runningAnswers;
    this.#took[at] = this.#runningTook;
    this.#runningAnswers = 0;
    this.#runningTook = 0;
    this.#running = 0;
    this.#runningErrors = 0;
    this.#seconds += 1;
  }

  get requests(): number {
    return sum(this.#requests);
  }

  get answers(): number {
    return sum(this.#answers);
  }

  /** The geometric mean; null: no answer. */
  get answerMs(): number | null {
    const { answers } = this;
    return answers === 0 ? null : Math.exp(sum(this.#took) / answers);
  }

  get rps(): number {
    return this.requests / Math.max(1, Math.min(WINDOW_S, this.#seconds));
  }

  get errorRatio(): number {
    const { requests } = this;
    return requests === 0 ? 0 : sum(this.#errors) / requests;
  }
}

function sum(counts: Float64Array): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
