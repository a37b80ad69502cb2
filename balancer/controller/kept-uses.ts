// What was used and is remembered until it would be good no more: bounded, in the order in which it ends.

/** About 40 MB when all of it is in use. */
const MOST = 500_000;
/** Of it: from so few on there is room again. */
const ROOMY = 0.9;
/** What ends within one of these is forgotten together. */
const STEP_MS = 10_000;

export class KeptUses {
  /** By key: when it ends, in steps. A small number, which costs no memory of its own. */
  readonly #ends = new Map<string, number>();
  readonly #keys = new Map<number, string[]>();
  readonly #most: number;
  /** No step before it is there any more. */
  #sweptAt = -Infinity;

  constructor(most = MOST) {
    this.#most = most;
  }

  get size(): number {
    return this.#ends.size;
  }

  get isRoomy(): boolean {
    return this.#ends.size <= this.#most * ROOMY;
  }

  has(key: string, nowMs: number): boolean {
    this.#sweep(nowMs);
    return this.#ends.has(key);
  }

  /** False: there is no room. Nothing is forgotten for it: what is forgotten too early could be used again. */
  add(key: string, untilMs: number): boolean {
    if (this.#ends.size >= this.#most) return false;
    const end = Math.ceil(untilMs / STEP_MS);
    this.#ends.set(key, end);
    const keys = this.#keys.get(end);
    if (keys === undefined) this.#keys.set(end, [key]);
    else keys.push(key);
    return true;
  }

  /** It was not used after all. */
  drop(key: string): void {
    this.#ends.delete(key);
  }

  #sweep(nowMs: number): void {
    const now = Math.floor(nowMs / STEP_MS);
    if (now <= this.#sweptAt) return;
    this.#sweptAt = now;
    for (const [end, keys] of this.#keys) {
      if (end > now) continue;
      this.#keys.delete(end);
      // One that was dropped and came again may end later.
      for (const key of keys) if ((this.#ends.get(key) ?? Infinity) <= now) this.#ends.delete(key);
    }
  }
}
