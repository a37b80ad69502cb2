// The end of a turn of the event loop: what was gathered for all sockets while others were read is written then, in one call a connection.
// Peers that are woken one after the other by a process that goes on to work cost more than those that are woken together (decision 0024).

export interface Gatherer {
  /** Writes what was gathered. */
  onTurnEnd(): void;
}

export class TurnEnd {
  #waiting: Gatherer[] = [];
  readonly #run = (): void => this.#flush();

  /** `gatherer` is told when all sockets that are readable now have been read. Not to be added twice before it is. */
  add(gatherer: Gatherer): void {
    if (this.#waiting.length === 0) setImmediate(this.#run);
    this.#waiting.push(gatherer);
  }

  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const gatherer of waiting) gatherer.onTurnEnd();
  }
}

/** A process has one event loop. */
export const turnEnd = new TurnEnd();
