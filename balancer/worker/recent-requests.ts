// What a worker remembers of its last requests: all that were out of the ordinary, and a sample of the others, each in a ring of its own.
import type { RequestTrace } from '../ipc-recent.ts';

/** Of each kind. */
export const KEPT_REQUESTS = 500;
/** Ordinary requests that are kept in a second: where there are no more than that, all of them. */
export const SAMPLED_PER_SECOND = 20;

class Ring {
  readonly #traces: RequestTrace[] = [];
  #next = 0;

  add(trace: RequestTrace): void {
    this.#traces[this.#next] = trace;
    this.#next = (this.#next + 1) % KEPT_REQUESTS;
  }

  find(requestId: string): readonly RequestTrace[] {
    return this.#traces.filter((trace) => trace.requestId === requestId);
  }
}

export class RecentRequests {
  /** The plan that is served, for what is chosen now. */
  plan = 0;
  readonly #notable = new Ring();
  readonly #sampled = new Ring();
  #left = 0;
  #refillMs = -Infinity;

  /** Whether this request is to be kept; asked once for each, so it costs two comparisons. */
  takes(notable: boolean, nowMs: number): boolean {
    if (notable) return true;
    if (nowMs >= this.#refillMs) {
      this.#refillMs = nowMs + 1000;
      this.#left = SAMPLED_PER_SECOND;
    }
    if (this.#left === 0) return false;
    this.#left -= 1;
    return true;
  }

  /** `notable` ones are not driven out by a flood of ordinary ones, nor the other way round. */
  keep(trace: RequestTrace, notable: boolean): void {
    (notable ? this.#notable : this.#sampled).add(trace);
  }

  /** More than one where a trusted peer brings an id again. */
  find(requestId: string): readonly RequestTrace[] {
    return [...this.#notable.find(requestId), ...this.#sampled.find(requestId)];
  }
}
