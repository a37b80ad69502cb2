// A queue of one: changes of intent and config follow each other, so that none is judged by what another is about to change.

export class OneAtATime {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `task` when all that were asked for before are over. */
  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
