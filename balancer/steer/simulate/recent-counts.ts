// Requests and errors of the last seconds, as a host counts them.
/** Demand and errors are measured over so many complete seconds, as the controller does. */
export const WINDOW_S = 5;

export class RecentCounts {
  readonly #requests = new Float64Array(WINDOW_S);
  readonly #errors = new Float64Array(WINDOW_S);
  #running = 0;
  #runningErrors = 0;
  #seconds = 0;

  add(failed: boolean): void {
    this.#running += 1;
    if (failed) this.#runningErrors += 1;
  }

  endSecond(): void {
    const at = this.#seconds % WINDOW_S;
    this.#requests[at] = this.#running;
    this.#errors[at] = this.#runningErrors;
    this.#running = 0;
    this.#runningErrors = 0;
    this.#seconds += 1;
  }

  get requests(): number {
    return sum(this.#requests);
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
