// One question at a time: of those that come while it is under way only the last one follows.

/** `run` for the items of each lane, one after the other. */
export class LastOne<Item> {
  readonly #run: (item: Item) => Promise<void>;
  /** Lanes in which one runs, with the one that follows. */
  readonly #next = new Map<string, Item | null>();

  constructor(run: (item: Item) => Promise<void>) {
    this.#run = run;
  }

  /** Settles when the lane is empty, or at once while another one runs in it. */
  async add(lane: string, item: Item): Promise<void> {
    if (this.#next.has(lane)) {
      this.#next.set(lane, item);
      return;
    }
    try {
      for (let next: Item | null = item; next !== null; next = this.#next.get(lane) ?? null) {
        this.#next.set(lane, null);
        await this.#run(next);
      }
    } finally {
      this.#next.delete(lane);
    }
  }
}
