// The slots of each limit of requests at once that this worker has. It asks for more when none is free, and gives back what it does not use.
import type { Clock, Timer } from '../../health/clock.ts';
import type { LimitConfig } from '../config/limit-config.ts';
import type { Decision } from '../filter/rate-limit/allowances.ts';
import type { Slots } from '../filter/rate-limit/slots.ts';
import type { SlotCall, SlotChange, SlotGift, SlotHolding } from '../ipc-slots.ts';
import { freshCounter, HeldCounters, Patience, settle, uncounted, type HeldCounter } from './held-counters.ts';

/** The longest a request waits for a slot from a controller that is there; above what a new one waits for workers to tell what they have. */
const PATIENCE_MS = 3000;
/** Where all slots are in use nobody is asked again before this: a flood must stay cheap. */
const QUIET_MS = 50;
/** A slot that was not used for so long goes back. */
const IDLE_MS = 1000;

interface Held extends HeldCounter {
  owned: number;
  /** By requests that run. More than it has where it counts alone. */
  used: number;
  /** The fewest that were free since the last look. */
  leastFree: number;
  /** To be given back as they get free. */
  owes: number;
}

interface Change {
  asks: boolean;
  freed: number;
  /** Calls that were answered. */
  answers: number[];
}

export interface HeldSlotsOptions {
  readonly clock: Clock;
  /** Nobody waits for a controller that is not there. */
  readonly isUp: () => boolean;
  readonly tell: (changes: readonly SlotChange[]) => void;
  /** Of the host, as the config says: alone, this worker lets its part of a limit run. */
  readonly workers: () => number;
}

export class HeldSlots implements Slots {
  readonly #options: HeldSlotsOptions;
  readonly #held = new HeldCounters<Held>((limit, key) => ({ ...freshCounter(limit, key), owned: 0, used: 0, leastFree: 0, owes: 0 }));
  readonly #patience: Patience;
  #changes = new Map<Held, Change>();
  #sends = false;
  #look: Timer | null = null;

  constructor(options: HeldSlotsOptions) {
    this.#options = options;
    this.#patience = new Patience(options, PATIENCE_MS);
  }

  acquire(limit: LimitConfig, key: string): Decision | Promise<Decision> {
    const held = this.#of(limit, key);
    if (held.used < held.owned && held.waiting.length === 0) return use(held);
    const nowMs = this.#options.clock.nowMs();
    if (nowMs < held.emptyUntilMs) return REFUSED;
    if (this.#patience.isOver(nowMs)) return this.#alone(held);
    const waited = this.#patience.wait(held, () => this.#alone(held));
    this.#ask(held);
    return waited;
  }

  release(limit: string, key: string): void {
    const held = this.#held.find(limit, key);
    if (held === undefined) return;
    held.used -= 1;
    if (held.used >= held.owned) return;
    const next = held.waiting.shift();
    if (next !== undefined) {
      next.decide(use(held));
      if (held.waiting.length === 0) settle(held, () => REFUSED);
    } else if (held.owes > 0) {
      held.owes -= 1;
      this.#giveBack(held, 1);
    }
  }

  /** What the controller gives. */
  receive(gifts: readonly SlotGift[]): void {
    this.#patience.renew();
    for (const gift of gifts) {
      const held = this.#held.find(gift.limit, gift.key);
      if (held !== undefined) this.#receive(held, gift);
    }
  }

  /** Others need what is free here. */
  called(calls: readonly SlotCall[]): void {
    for (const { limit, key, number, keep } of calls) {
      const held = this.#held.find(limit, key);
      // All that it had is on its way already.
      if (held === undefined) {
        this.#options.tell([{ limit, key, plan: '', need: 0, freed: 0, answers: number }]);
        continue;
      }
      this.#giveBack(held, Math.max(0, held.owned - held.used));
      held.owes = Math.max(0, held.owned - keep);
      this.#changeOf(held).answers.push(number);
    }
  }

  /** There is another controller, or the same on a new connection: returns all that this worker has; what waits is asked for again. */
  startOver(): readonly SlotHolding[] {
    this.#changes = new Map();
    const holdings: SlotHolding[] = [];
    for (const held of this.#held.all()) {
      held.owned = Math.max(held.owned, held.used);
      held.owes = 0;
      held.asked = false;
      if (held.waiting.length > 0) this.#ask(held);
      const { limit, key, owned } = held;
      if (owned > 0) holdings.push({ limit: limit.name, key, plan: limit.plan, held: owned });
    }
    return holdings;
  }

  /** By name of the limit: requests that run. */
  counts(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { limit, used } of this.#held.all()) counts.set(limit.name, (counts.get(limit.name) ?? 0) + used);
    return counts;
  }

  close(): void {
    this.#look?.cancel();
  }

  #receive(held: Held, { granted, remaining }: SlotGift): void {
    held.asked = false;
    held.owned += granted;
    held.remaining = remaining;
    if (granted > 0) held.owes = 0;
    while (held.used < held.owned) {
      const next = held.waiting.shift();
      if (next === undefined) break;
      next.decide(use(held));
    }
    if (held.waiting.length > 0 && granted > 0) return this.#ask(held);
    if (held.used >= held.owned && granted === 0) held.emptyUntilMs = this.#options.clock.nowMs() + QUIET_MS;
    settle(held, () => REFUSED);
  }

  /** With its part of the limit, where the config says so. */
  #alone(held: Held): Decision {
    const { limit } = held;
    if (limit.onUnavailable !== 'local') return uncounted(limit.onUnavailable, 0);
    const part = Math.max(1, Math.floor(limit.limit / this.#options.workers()));
    return held.used < Math.max(part, held.owned) ? use(held) : REFUSED;
  }

  #giveBack(held: Held, count: number): void {
    if (count === 0) return;
    held.owned -= count;
    this.#changeOf(held).freed += count;
  }

  /** The need itself is counted when it is told. */
  #ask(held: Held): void {
    if (held.asked) return;
    held.asked = true;
    this.#changeOf(held).asks = true;
  }

  /** All changes of one turn go together. */
  #changeOf(held: Held): Change {
    const known = this.#changes.get(held);
    if (known !== undefined) return known;
    const change: Change = { asks: false, freed: 0, answers: [] };
    this.#changes.set(held, change);
    if (!this.#sends) {
      this.#sends = true;
      setImmediate(() => this.#send());
    }
    return change;
  }

  #send(): void {
    this.#sends = false;
    const changes = this.#changes;
    this.#changes = new Map();
    const told: SlotChange[] = [];
    for (const [held, { asks, freed, answers }] of changes) {
      const { limit, key, waiting } = held;
      const of = { limit: limit.name, key, plan: limit.plan };
      const need = asks ? waiting.length : 0;
      // Another request has ended meanwhile, and nobody waits any more.
      if (asks && need === 0) held.asked = false;
      if (need > 0 || freed > 0 || answers.length > 0) told.push({ ...of, need, freed, answers: answers[0] ?? 0 });
      for (const number of answers.slice(1)) told.push({ ...of, need: 0, freed: 0, answers: number });
    }
    if (told.length > 0) this.#options.tell(told);
  }

  #of(limit: LimitConfig, key: string): Held {
    const held = this.#held.of(limit, key);
    this.#look ??= this.#options.clock.after(IDLE_MS, () => this.#lookForIdle(), true);
    return held;
  }

  /** Gives back what nobody used since the last look, and forgets counters of which nothing is here. */
  #lookForIdle(): void {
    this.#look = null;
    for (const held of this.#held.all()) {
      this.#giveBack(held, Math.max(0, Math.min(held.leastFree, held.owned - held.used)));
      held.leastFree = held.owned - held.used;
      if (held.owned === 0 && held.used === 0 && !held.asked && !this.#changes.has(held)) this.#held.drop(held);
    }
    if (this.#held.size > 0) this.#look = this.#options.clock.after(IDLE_MS, () => this.#lookForIdle(), true);
  }
}

const REFUSED: Decision = { verdict: 'refuse', remaining: 0, resetMs: 0 };

function use(held: Held): Decision {
  held.used += 1;
  const free = Math.max(0, held.owned - held.used);
  held.leastFree = Math.min(held.leastFree, free);
  return { verdict: 'pass', remaining: free + held.remaining, resetMs: 0 };
}
