// What may be used once, as this worker asks the controller, which decides for all workers of the host; all that come in one turn are one question.
import type { Clock, Timer } from '../../health/clock.ts';
import type { OneTimeUse, OneTimeUses, UseOutcome } from '../filter/authenticate/one-time-use.ts';
import { UsedOnce } from '../filter/authenticate/used-once.ts';
import type { UsesDecidedMessage, UsesWantedMessage } from '../ipc-uses.ts';
import { AWAY_MS } from './held-counters.ts';

/** The longest a request waits: above what a controller is away that is replaced. */
const PATIENCE_MS = 5000;
/** Of what passed without the controller; a next one hears of the latest. */
const MOST_TOLD_LATER = 10_000;

interface Asked {
  readonly uses: OneTimeUse[];
  readonly resolves: ((outcome: UseOutcome) => void)[];
  timer: Timer | null;
  isSent: boolean;
}

export interface HeldUsesOptions {
  readonly clock: Pick<Clock, 'after' | 'nowMs' | 'wallMs'>;
  readonly isUp: () => boolean;
  readonly send: (message: UsesWantedMessage) => void;
}

export class HeldUses implements OneTimeUses {
  readonly #options: HeldUsesOptions;
  readonly #asked = new Map<number, Asked>();
  /** Of this turn. */
  #open: Asked | null = null;
  #number = 0;
  /** Until when nobody waits for a controller that was waited for in vain. */
  #awayUntilMs = -Infinity;
  /** What passed here, of what may be decided here while nobody else can. */
  readonly #own: UsedOnce;
  #toldLater: OneTimeUse[] = [];

  constructor(options: HeldUsesOptions) {
    this.#options = options;
    this.#own = new UsedOnce(options.clock);
  }

  use(use: OneTimeUse): UseOutcome | Promise<UseOutcome> {
    if (this.#options.clock.nowMs() < this.#awayUntilMs) return this.#alone(use);
    const { promise, resolve } = Promise.withResolvers<UseOutcome>();
    const asked = (this.#open ??= this.#begin());
    asked.uses.push(use);
    asked.resolves.push(resolve);
    return promise;
  }

  receive({ number, outcomes }: UsesDecidedMessage): void {
    this.#awayUntilMs = -Infinity;
    this.#settle(number, (use, index) => {
      const outcome = outcomes[index] ?? 'away';
      if (use.mayBeAlone && (outcome === 'first' || outcome === 'alone')) this.#own.take(use.key, use.untilMs);
      return outcome;
    });
  }

  /**
   * There is another controller, or the same on a new connection: what has waited for one is asked, and what passed without is told. Of what the one before was
   * asked nobody knows what it did with it: asked again it could be taken for a second use.
   */
  standing(): readonly UsesWantedMessage[] {
    this.#awayUntilMs = -Infinity;
    for (const [number, { isSent }] of [...this.#asked]) if (isSent) this.#settle(number, () => 'away');
    const told = this.#toldLater;
    this.#toldLater = [];
    const messages: UsesWantedMessage[] = told.length === 0 ? [] : [{ type: 'uses_wanted', number: 0, uses: told }];
    for (const [number, asked] of this.#asked) {
      asked.isSent = true;
      messages.push({ type: 'uses_wanted', number, uses: asked.uses });
    }
    return messages;
  }

  #begin(): Asked {
    setImmediate(() => this.#send());
    return { uses: [], resolves: [], timer: null, isSent: false };
  }

  #send(): void {
    const asked = this.#open;
    this.#open = null;
    if (asked === null) return;
    const { clock, isUp, send } = this.#options;
    const number = (this.#number += 1);
    this.#asked.set(number, asked);
    asked.timer = clock.after(PATIENCE_MS, () => this.#inVain(number), true);
    asked.isSent = isUp();
    if (asked.isSent) send({ type: 'uses_wanted', number, uses: asked.uses });
  }

  #inVain(number: number): void {
    this.#awayUntilMs = this.#options.clock.nowMs() + AWAY_MS;
    this.#settle(number, (use) => this.#alone(use));
  }

  #alone(use: OneTimeUse): UseOutcome {
    if (!use.mayBeAlone) return 'away';
    if (!this.#own.take(use.key, use.untilMs)) return 'repeated';
    this.#toldLater.push(use);
    if (this.#toldLater.length > MOST_TOLD_LATER) this.#toldLater.shift();
    return 'alone';
  }

  #settle(number: number, decide: (use: OneTimeUse, index: number) => UseOutcome): void {
    const asked = this.#asked.get(number);
    if (asked === undefined) return;
    this.#asked.delete(number);
    asked.timer?.cancel();
    for (const [index, use] of asked.uses.entries()) asked.resolves[index]?.(decide(use, index));
  }
}
