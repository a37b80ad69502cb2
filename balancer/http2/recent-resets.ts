// The streams that we reset lately: frames of theirs may still be on their way, and are no fault of the client's (RFC 9113 section 5.1).

/** More are not remembered. */
const MAX_RESETS = 256;

export class RecentResets {
  readonly #ids = new Set<number>();

  has(id: number): boolean {
    return this.#ids.has(id);
  }

  add(id: number): void {
    this.#ids.add(id);
    if (this.#ids.size <= MAX_RESETS) return;
    for (const oldest of this.#ids) {
      this.#ids.delete(oldest);
      break;
    }
  }
}
