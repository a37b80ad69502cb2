// Sees to what the edge wishes for: hands it to what can act on the cluster, and keeps the answers that the next reports carry.
import type { Log } from '../balancer/log.ts';
import type { Clock, Timer } from '../health/clock.ts';
import type { WishAnswer } from './dialogue.ts';
import type { LiveWish, WishBook } from './wish-book.ts';

/** What acts on the cluster (`kubernetes/prescale.ts`). */
export interface WishActor {
  follow(wishes: readonly LiveWish[], nowWallMs: number, nowMs: number): Promise<readonly WishAnswer[]>;
  readonly hasToReturn: boolean;
}

export interface WishKeeperParts {
  readonly book: WishBook;
  /** Null: the agent is not to act on its cluster. */
  readonly actor: WishActor | null;
  /** Whether this agent may act now: of several, only the one that holds the lease. */
  readonly mayAct: () => boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/** Between two looks at what was wished for: a tenth of what a pod takes to be ready. */
const LOOK_MS = 2000;
const NOT_ALLOWED = 'this agent may not raise autoscalers: it was started without --prescale';

export class WishKeeper {
  readonly #parts: WishKeeperParts;
  #timer: Timer | null = null;
  #step: Promise<void> = Promise.resolve();
  #closed = false;
  #told = '';

  constructor(parts: WishKeeperParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer = this.#parts.clock.after(LOOK_MS, () => this.#begin());
  }

  /** Something else is wished for. */
  soon(): void {
    // A step that is under way may have been too early for it; the next one follows in any case.
    if (this.#timer === null || this.#closed) return;
    this.#timer.cancel();
    this.#begin();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#step;
  }

  #begin(): void {
    this.#timer = null;
    this.#step = this.#look().finally(() => {
      if (!this.#closed) this.start();
    });
  }

  async #look(): Promise<void> {
    const { book, actor, mayAct, clock } = this.#parts;
    const nowMs = clock.nowMs();
    const live = book.live(nowMs);
    this.#tell(live);
    if (actor === null) {
      book.answer(live.map(({ id, kind }) => (kind === 'drain' ? taken(id) : { id, state: 'refused', detail: NOT_ALLOWED })));
      return;
    }
    if (!mayAct() || (live.length === 0 && !actor.hasToReturn)) return;
    book.answer(await actor.follow(live, clock.wallMs(), nowMs));
  }

  #tell(live: readonly LiveWish[]): void {
    const text = live.map(textOf).join(', ');
    if (text === this.#told) return;
    this.#told = text;
    this.#parts.log.info({ wishes: text === '' ? 'none' : text }, 'what the edge wishes for');
  }
}

function taken(id: string): WishAnswer {
  return { id, state: 'taken', detail: '' };
}

function textOf(wish: LiveWish): string {
  return wish.kind === 'drain' ? 'nothing new comes' : `${wish.rps} requests/s of ${wish.service}`;
}
