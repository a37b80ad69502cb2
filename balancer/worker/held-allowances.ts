// The requests of each limit that this worker has in hand. It asks for more before they are used up, and lets requests wait only when there are none.
import type { Clock } from '../../health/clock.ts';
import type { Charge, LimitConfig } from '../config/limit-config.ts';
import type { Allowances, Decision } from '../filter/rate-limit/allowances.ts';
import { bucketOf, type Bucket } from '../filter/rate-limit/bucket.ts';
import type { AllowanceCharge, AllowanceGrant, AllowanceLeft, AllowanceWish } from '../ipc-limits.ts';
import { AWAY_MS, freshCounter, HeldCounters, Patience, settle, uncounted, type HeldCounter } from './held-counters.ts';

/** The longest a request waits to hear whether it may pass, from a controller that is there; the usual is well below a millisecond. */
const PATIENCE_MS = 1000;
/** A counter that is used up is not asked for again before this, or before it gives more if that is sooner: a flood must stay cheap. */
const QUIET_MS = 100;
/** Counters in hand; beyond, those that nobody used the longest are let go. */
const MAX_HELD = 20_000;

interface Held extends HeldCounter {
  /** In hand. */
  left: number;
  /** What was in hand when it was last given: below half of it more is asked for. */
  given: number;
  /** What is in hand is void after this. */
  untilMs: number;
  /** When there is more, as last heard. */
  resetAtMs: number;
  /** Who needs less than this may ask although others were refused. */
  emptyFrom: number;
}

/** What must be in hand for a request: one that counts nothing passes where something is left. */
const needOf = (cost: number): number => Math.max(1, cost);

export interface HeldAllowancesOptions {
  readonly clock: Clock;
  /** Nobody waits for a controller that is not there. */
  readonly isUp: () => boolean;
  readonly ask: (wishes: readonly AllowanceWish[], charges: readonly AllowanceCharge[]) => void;
  /** Of the host, as the config says: alone, this worker counts with its part of a limit. */
  readonly workers: () => number;
}

export class HeldAllowances implements Allowances {
  readonly #options: HeldAllowancesOptions;
  readonly #held = new HeldCounters<Held>((limit, key) => ({
    ...freshCounter(limit, key),
    ...{ left: 0, given: 0, untilMs: 0, resetAtMs: 0, emptyFrom: 1 },
  }));
  readonly #patience: Patience;
  /** By limit: what counts while the controller is away. */
  readonly #alone = new Map<LimitConfig, Bucket>();
  #wishes = new Set<Held>();
  /** By counter and direction: what was used beyond what was taken, and what goes back. */
  #charges = new Map<string, AllowanceCharge>();
  #sends = false;
  /** Who counts for the fleet cannot be asked. */
  #storeAwayUntilMs = -Infinity;
  #hosts = 1;

  constructor(options: HeldAllowancesOptions) {
    this.#options = options;
    this.#patience = new Patience(options, PATIENCE_MS);
  }

  take(limit: LimitConfig, key: string, cost = 1): Decision | Promise<Decision> {
    const nowMs = this.#options.clock.nowMs();
    const held = this.#of(limit, key);
    const need = needOf(cost);
    if (held.left >= need && nowMs < held.untilMs && held.waiting.length === 0) {
      held.left -= cost;
      if (held.given > 1 && held.left * 2 < held.given && held.remaining > 0) this.#wish(held);
      return { verdict: 'pass', remaining: held.left + held.remaining, resetMs: held.resetAtMs - nowMs };
    }
    if (nowMs < held.emptyUntilMs && need >= held.emptyFrom)
      return { verdict: 'refuse', remaining: (nowMs < held.untilMs ? held.left : 0) + held.remaining, resetMs: held.resetAtMs - nowMs };
    if (limit.fleet !== null && nowMs < this.#storeAwayUntilMs && limit.fleet.onStoreError !== 'local')
      return uncounted(limit.fleet.onStoreError, this.#storeAwayUntilMs - nowMs);
    if (this.#patience.isOver(nowMs)) return this.#aloneDecision(limit, key, cost);
    return this.#wait(held, cost);
  }

  charge(limit: LimitConfig, key: string, { count, ageMs }: Charge): void {
    const nowMs = this.#options.clock.nowMs();
    const held = this.#held.find(limit.name, key);
    const inHand = held !== undefined && nowMs < held.untilMs ? Math.max(0, Math.min(held.left, count)) : 0;
    if (held !== undefined) {
      held.left -= inHand;
      held.remaining = Math.max(0, held.remaining - Math.max(0, count - inHand));
    }
    if (count === inHand) return;
    if (this.#patience.isOver(nowMs)) {
      if (limit.onUnavailable !== 'local') return;
      const { bucket, wallMs } = this.#aloneBucket(limit);
      bucket.charge(key, { count: count - inHand, ageMs }, wallMs);
    } else this.#tell({ limit: limit.name, key, plan: limit.plan, count: count - inHand, ageMs });
  }

  /** What the controller gives. `hosts`: that share the limits of the fleet. */
  receive(grants: readonly AllowanceGrant[], hosts = 1): void {
    const nowMs = this.#options.clock.nowMs();
    this.#patience.renew();
    if (hosts !== this.#hosts) this.#alone.clear();
    this.#hosts = hosts;
    for (const grant of grants) {
      const held = this.#held.find(grant.limit, grant.key);
      if (held !== undefined) this.#receive(held, grant, nowMs);
    }
  }

  /**
   * There is another controller: asks again what the one before has not answered. Returns what this worker has heard of the counters of the host in
   * windows that are not over; the count goes on from there.
   */
  startOver(): readonly AllowanceLeft[] {
    const nowMs = this.#options.clock.nowMs();
    const known: AllowanceLeft[] = [];
    for (const held of this.#held.all()) {
      const { limit, key, remaining, untilMs, waiting } = held;
      // What stands in a store goes on from there.
      const isKept = limit.fleet !== null || limit.calendar !== null;
      held.asked = false;
      if (waiting.length > 0) this.#wish(held);
      if (!isKept && nowMs < untilMs) known.push({ limit: limit.name, key, plan: limit.plan, remaining });
    }
    return known;
  }

  #receive(held: Held, { granted, remaining, resetMs, validMs, isAway }: AllowanceGrant, nowMs: number): void {
    held.asked = false;
    if (isAway) return this.#receiveAway(held, nowMs + resetMs);
    held.left = (nowMs < held.untilMs ? held.left : 0) + granted;
    held.given = held.left;
    held.remaining = remaining;
    held.untilMs = nowMs + validMs;
    held.resetAtMs = nowMs + resetMs;
    this.#letOn(held, resetMs);
    const need = needOf(held.waiting[0]?.cost ?? 1);
    if (granted === 0 && held.left + remaining < need) {
      held.emptyUntilMs = nowMs + Math.min(resetMs, QUIET_MS);
      held.emptyFrom = need;
      this.#refuse(held, need, resetMs);
    }
    if (held.waiting.length > 0) return this.#wish(held);
    held.timer?.cancel();
    held.timer = null;
  }

  /** Those that what is in hand is enough for, in their order. */
  #letOn(held: Held, resetMs: number): void {
    for (let first = held.waiting[0]; first !== undefined && held.left >= needOf(first.cost); first = held.waiting[0]) {
      held.left -= first.cost;
      held.waiting.shift();
      first.decide({ verdict: 'pass', remaining: held.left + held.remaining, resetMs });
    }
  }

  /** Those that need as much; others may have what is left. */
  #refuse(held: Held, need: number, resetMs: number): void {
    const { waiting } = held;
    held.waiting = waiting.filter(({ cost }) => needOf(cost) < need);
    for (const { cost, decide } of waiting)
      if (needOf(cost) >= need) decide({ verdict: 'refuse', remaining: held.left + held.remaining, resetMs });
  }

  #receiveAway(held: Held, untilMs: number): void {
    const { fleet } = held.limit;
    if (fleet !== null) this.#storeAwayUntilMs = untilMs;
    // A quota of the host whose store takes nothing: asked for again with the next request.
    const decision = uncounted(fleet?.onStoreError ?? held.limit.onUnavailable, untilMs - this.#options.clock.nowMs());
    settle(held, () => decision);
  }

  #wait(held: Held, cost: number): Promise<Decision> {
    const alone = (of: number): Decision => {
      held.asked = false;
      return this.#aloneDecision(held.limit, held.key, of);
    };
    const waited = this.#patience.wait(held, alone, cost);
    this.#wish(held);
    return waited;
  }

  /** With its part of the limit, where the config says so. */
  #aloneDecision(limit: LimitConfig, key: string, cost: number): Decision {
    if (limit.onUnavailable !== 'local') return uncounted(limit.onUnavailable, AWAY_MS);
    const { bucket, wallMs } = this.#aloneBucket(limit);
    const { granted, remaining, resetMs } = bucket.take(key, { most: cost, least: needOf(cost) }, wallMs);
    const passes = cost === 0 ? remaining > 0 : granted === cost;
    return { verdict: passes ? 'pass' : 'refuse', remaining, resetMs };
  }

  #aloneBucket(limit: LimitConfig): { readonly bucket: Bucket; readonly wallMs: number } {
    const { clock, workers } = this.#options;
    let bucket = this.#alone.get(limit);
    if (bucket === undefined) {
      const part = (amount: number): number => Math.max(1, Math.floor(amount / workers() / (limit.fleet === null ? 1 : this.#hosts)));
      bucket = bucketOf({ ...limit, limit: part(limit.limit), burst: part(limit.burst) });
      this.#alone.set(limit, bucket);
    }
    return { bucket, wallMs: clock.wallMs() };
  }

  /** All wishes of one turn go together. */
  #wish(held: Held): void {
    if (held.asked) return;
    held.asked = true;
    this.#wishes.add(held);
    this.#sendSoon();
  }

  #tell(charge: AllowanceCharge): void {
    const name = `${charge.limit}\n${charge.plan}\n${Math.sign(charge.count)}\n${charge.key}`;
    const { count = 0, ageMs = 0 } = this.#charges.get(name) ?? {};
    this.#charges.set(name, { ...charge, count: charge.count + count, ageMs: Math.max(charge.ageMs, ageMs) });
    this.#sendSoon();
  }

  #sendSoon(): void {
    if (this.#sends) return;
    this.#sends = true;
    setImmediate(() => this.#send());
  }

  /** All that is in hand of quotas of the host; other limits have forgotten it soon. */
  giveBack(): void {
    for (const held of this.#held.all()) this.#giveBack(held);
    this.#send();
  }

  #giveBack(held: Held): void {
    const { limit, key, left, untilMs } = held;
    if (limit.calendar === null || limit.fleet !== null || left === 0 || this.#options.clock.nowMs() >= untilMs) return;
    held.left = 0;
    this.#tell({ limit: limit.name, key, plan: limit.plan, count: -left, ageMs: 0 });
  }

  #send(): void {
    this.#sends = false;
    const nowMs = this.#options.clock.nowMs();
    const wishes = [...this.#wishes].map((held) => wishOf(held, nowMs));
    this.#wishes = new Set();
    const charges = [...this.#charges.values()];
    this.#charges = new Map();
    if (wishes.length + charges.length > 0) this.#options.ask(wishes, charges);
  }

  #of(limit: LimitConfig, key: string): Held {
    const held = this.#held.of(limit, key);
    if (this.#held.size > MAX_HELD) this.#forgetSome(limit, held);
    return held;
  }

  /** What is let go is lost to its counter, as if it had been used; it is little, and soon counts for nothing. Of a quota it goes back with the next wishes. */
  #forgetSome(limit: LimitConfig, newest: Held): void {
    for (const held of this.#held.ofLimit(limit)) {
      if (held === newest || held.waiting.length > 0 || held.asked) continue;
      this.#giveBack(held);
      this.#held.drop(held);
      if (this.#held.size <= MAX_HELD * 0.9) return;
    }
  }
}

function wishOf({ limit: { name: limit, plan }, key, waiting, left, untilMs }: Held, nowMs: number): AllowanceWish {
  let need = 0;
  for (const { cost } of waiting) need += needOf(cost);
  const wish = { limit, key, plan, need };
  const first = needOf(waiting[0]?.cost ?? 1);
  return first === 1 ? wish : { ...wish, least: Math.max(1, first - (nowMs < untilMs ? left : 0)) };
}
