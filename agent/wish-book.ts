// What the edge hosts wish for, together, and what became of it. Each host's wishes end by themselves, whether it is heard of again or not.
import type { HubWishes, Wish, WishAnswer, WishAnswers } from './dialogue.ts';

/** A wish with its times on the agent's own clock. */
export type LiveWish = Wish & {
  readonly startsAtMs: number;
  /** Infinity: until it is taken back. */
  readonly untilMs: number;
};

/** Of a hub that is gone, a wish without an end ends after this: there is nobody left to take it back. */
const ORPHAN_MS = 600_000;

interface OfHub {
  readonly number: number;
  readonly wishes: readonly LiveWish[];
  /** When the connection ended; null: it holds. */
  readonly lostAtMs: number | null;
}

export class WishBook {
  readonly #byHub = new Map<string, OfHub>();
  readonly #answers = new Map<string, WishAnswer>();

  /** What one hub wishes for now; what it wished for before and does not any more is over. */
  take(hub: string, { number, wishes }: HubWishes, nowMs: number): void {
    const live = wishes.map((wish): LiveWish => {
      const startsAtMs = nowMs + (wish.kind === 'prescale' ? wish.inMs : 0);
      return { ...wish, startsAtMs, untilMs: wish.endsInMs === null ? Infinity : nowMs + wish.endsInMs };
    });
    this.#byHub.set(hub, { number, wishes: live, lostAtMs: null });
  }

  /** A hub is not connected any more. */
  lost(hub: string, nowMs: number): void {
    const known = this.#byHub.get(hub);
    if (known !== undefined) this.#byHub.set(hub, { ...known, lostAtMs: nowMs });
  }

  /** Of all hubs; one that several hubs have in common is named once, with its latest end. */
  live(nowMs: number): readonly LiveWish[] {
    const live = new Map<string, LiveWish>();
    for (const [hub, { wishes, lostAtMs }] of this.#byHub) {
      const held = wishes.filter(({ untilMs }) => nowMs < Math.min(untilMs, lostAtMs === null ? Infinity : lostAtMs + ORPHAN_MS));
      if (held.length === 0 && lostAtMs !== null) this.#byHub.delete(hub);
      for (const wish of held) if ((live.get(wish.id)?.untilMs ?? -1) < wish.untilMs) live.set(wish.id, wish);
    }
    for (const id of this.#answers.keys()) if (!live.has(id)) this.#answers.delete(id);
    return [...live.values()];
  }

  answer(answers: readonly WishAnswer[]): void {
    for (const answer of answers) this.#answers.set(answer.id, answer);
  }

  /** What one hub is told in a report; null: it wished for nothing on this connection. */
  answersFor(hub: string): WishAnswers | null {
    const known = this.#byHub.get(hub);
    if (known === undefined || known.lostAtMs !== null) return null;
    return { number: known.number, answers: known.wishes.map(({ id }) => this.#answers.get(id) ?? { id, state: 'taken', detail: '' }) };
  }
}
