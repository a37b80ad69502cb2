// The end of a turn of the event loop: what was gathered from all sockets that were read in it is written then, in one call a connection.

export interface Gatherer {
  /** Writes what was gathered. */
  flush(): void;
}

export class TurnEnd {
  #waiting: Gatherer[] = [];
  readonly #run = (): void => this.#flush();

  /** `gatherer` is flushed when all sockets that are readable now have been read. Not to be added twice before it is. */
  add(gatherer: Gatherer): void {
    if (this.#waiting.length === 0) setImmediate(this.#run);
    this.#waiting.push(gatherer);
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const gatherer of waiting) gatherer.flush();
  }
}
