// The marks of sessions that have ended, in a controller and in each of its workers: bounded, and forgotten when nothing is left that they could end.
import type { EndedMark } from './ipc-session-ends.ts';

/** About 20 MB in each process. A logout takes two or three. */
const MOST = 100_000;
/** Looked at for each one that comes. */
const LOOKS = 3;

export class EndMarks {
  /** In the order of coming. */
  readonly #marks = new Map<string, EndedMark>();
  readonly #most: number;

  constructor(most = MOST) {
    this.#most = most;
  }

  /** -Infinity: it is not marked. */
  atMs(key: string): number {
    return this.#marks.size === 0 ? -Infinity : (this.#marks.get(key)?.atMs ?? -Infinity);
  }

  has(key: string): boolean {
    return this.#marks.has(key);
  }

  all(): readonly EndedMark[] {
    return [...this.#marks.values()];
  }

  /** Returns those that say something new, and the keys that were forgotten for want of room. */
  add(marks: readonly EndedMark[], wallMs: number): { readonly fresh: readonly EndedMark[]; readonly forgotten: readonly string[] } {
    const fresh: EndedMark[] = [];
    const forgotten: string[] = [];
    for (const mark of marks) {
      const known = this.#marks.get(mark.key);
      if (mark.untilMs <= wallMs || (known !== undefined && known.atMs >= mark.atMs && known.untilMs >= mark.untilMs)) continue;
      const merged =
        known === undefined ? mark : { ...mark, atMs: Math.max(known.atMs, mark.atMs), untilMs: Math.max(known.untilMs, mark.untilMs) };
      this.#marks.delete(mark.key);
      this.#marks.set(mark.key, merged);
      fresh.push(merged);
      this.#sweep(wallMs, forgotten);
    }
    return { fresh, forgotten };
  }

  #sweep(wallMs: number, forgotten: string[]): void {
    let looked = 0;
    for (const [key, { untilMs }] of this.#marks) {
      if (this.#marks.size > this.#most) forgotten.push(key);
      else if (untilMs > wallMs || (looked += 1) > LOOKS) return;
      this.#marks.delete(key);
    }
  }
}
