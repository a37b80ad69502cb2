// Requests at once, for the whole host: each worker has some slots of a counter; where one needs more, what is free elsewhere is called back.
import type { Clock, Timer } from '../../health/clock.ts';
import type { Config } from '../config/config.ts';
import { limitOfPlan, type LimitConfig } from '../config/limit-config.ts';
import type { SlotCall, SlotChange, SlotGift, SlotHolding } from '../ipc-slots.ts';

/** A worker that got less than it needed comes before those that have their part, for so long after it last asked. */
const CLAIM_MS = 1000;
/** After this a controller that has started gives slots away, whether or not all workers have told what they have. */
const HEAR_MS = 2000;
/** Between two looks whether a worker whose link is gone still runs. */
const LOOK_MS = 50;
/** Of what is free, a worker is given this part above its need, shared by all workers. */
const SPARE = 0.5;

interface Ask {
  readonly worker: string;
  readonly need: number;
  readonly give: Give;
  /** Null: nobody was called yet. */
  called: { readonly number: number; readonly silent: Set<string> } | null;
}

type Give = (gifts: readonly SlotGift[]) => void;

interface Counter {
  readonly limit: string;
  readonly key: string;
  plan: string;
  /** By worker; none has 0. */
  readonly held: Map<string, number>;
  /** Until when, in monotonic milliseconds, by worker. */
  readonly claims: Map<string, number>;
  asks: Ask[];
}

export interface SlotsOptions {
  readonly clock: Clock;
  readonly call: (worker: string, calls: readonly SlotCall[]) => void;
  readonly isAlive: (pid: number) => boolean;
}

export class Slots {
  readonly #options: SlotsOptions;
  readonly #counters = new Map<string, Counter>();
  #limits: ReadonlyMap<string, LimitConfig> = new Map();
  #workers = 1;
  /** By name: the process that has what is counted for it. */
  readonly #pids = new Map<string, number>();
  readonly #looks = new Map<string, Timer>();
  #calls = 0;
  /** All have told what they have. */
  #heard = false;
  #patience: Timer | null = null;

  constructor(options: SlotsOptions) {
    this.#options = options;
  }

  follow({ limits, workers }: Pick<Config, 'limits' | 'workers'>): void {
    this.#workers = workers;
    const counted = Object.values(limits).filter(({ algorithm }) => algorithm === 'concurrency');
    this.#limits = new Map(counted.map((limit) => [limit.name, limit]));
    this.#patience ??= this.#options.clock.after(HEAR_MS, () => this.#hear(), true);
    for (const [name, counter] of this.#counters) {
      if (!this.#limits.has(counter.limit)) this.#counters.delete(name);
      else this.#trim(counter);
    }
  }

  /** A worker tells all that it has, on a new connection. */
  met(worker: string, pid: number, holdings: readonly SlotHolding[]): void {
    this.#looks.get(worker)?.cancel();
    this.#looks.delete(worker);
    this.#pids.set(worker, pid);
    this.#take(worker);
    for (const holding of holdings) {
      const counter = this.#counterOf(holding);
      if (counter !== null && holding.held > 0) counter.held.set(worker, holding.held);
      if (counter !== null) this.#trim(counter);
    }
    if (this.#heard) this.#settleAll();
    else if (this.#pids.size >= this.#workers) this.#hear();
  }

  changed(worker: string, changes: readonly SlotChange[], give: Give): void {
    for (const change of changes) {
      const counter = this.#counterOf(change);
      if (counter === null) {
        // The limit has left the file: whoever waits goes on to a route that does not know it.
        if (change.need > 0) give([{ limit: change.limit, key: change.key, granted: change.need, remaining: 0 }]);
        continue;
      }
      setHeld(counter, worker, (counter.held.get(worker) ?? 0) - change.freed);
      if (change.answers > 0) for (const { called } of counter.asks) if (called?.number === change.answers) called.silent.delete(worker);
      if (change.need > 0) counter.asks.push({ worker, need: change.need, give, called: null });
      if (this.#heard) this.#settle(counter);
    }
  }

  /** Its link is gone. What runs there goes on unless the process has ended. */
  lost(worker: string): void {
    for (const counter of this.#counters.values()) {
      counter.asks = counter.asks.filter((ask) => ask.worker !== worker);
      for (const { called } of counter.asks) called?.silent.delete(worker);
    }
    if (this.#heard) this.#settleAll();
    this.#look(worker);
  }

  close(): void {
    this.#patience?.cancel();
    for (const timer of this.#looks.values()) timer.cancel();
  }

  #look(worker: string): void {
    const pid = this.#pids.get(worker);
    if (pid === undefined) return;
    if (this.#options.isAlive(pid)) {
      this.#looks.set(
        worker,
        this.#options.clock.after(LOOK_MS, () => this.#look(worker), true),
      );
      return;
    }
    this.#looks.delete(worker);
    this.#pids.delete(worker);
    this.#take(worker);
    if (this.#heard) this.#settleAll();
  }

  #hear(): void {
    this.#heard = true;
    this.#settleAll();
  }

  /** What it had is to be had again. */
  #take(worker: string): void {
    for (const counter of this.#counters.values()) {
      counter.held.delete(worker);
      counter.claims.delete(worker);
    }
  }

  #settleAll(): void {
    for (const counter of [...this.#counters.values()]) this.#settle(counter);
  }

  /** Null: there is no such limit. */
  #counterOf({ limit, key, plan }: SlotHolding | SlotChange): Counter | null {
    if (!this.#limits.has(limit)) return null;
    const name = `${limit}\n${key}`;
    let counter = this.#counters.get(name);
    if (counter === undefined) {
      counter = { limit, key, plan, held: new Map(), claims: new Map(), asks: [] };
      this.#counters.set(name, counter);
    }
    counter.plan = plan;
    return counter;
  }

  #amountOf({ limit, plan }: Counter): number {
    const config = this.#limits.get(limit);
    return config === undefined ? 0 : limitOfPlan(config, plan).limit;
  }

  /** More are out than there are since the limit was lowered, or workers counted alone: they come back as they get free. */
  #trim(counter: Counter): void {
    const [amount, out] = [this.#amountOf(counter), heldBy(counter)];
    if (out <= amount) return;
    for (const [worker, held] of counter.held) this.#call(counter, worker, { number: 0, keep: Math.floor((amount * held) / out) });
  }

  #settle(counter: Counter): void {
    const open: Ask[] = [];
    for (const ask of counter.asks) if (!this.#answered(counter, ask)) open.push(ask);
    counter.asks = open;
    // Where nobody has any there is enough for all that claim some.
    if (open.length === 0 && counter.held.size === 0) this.#counters.delete(`${counter.limit}\n${counter.key}`);
  }

  /** False: it has to wait for those that were called. */
  #answered(counter: Counter, ask: Ask): boolean {
    const { worker, need, give } = ask;
    const free = Math.max(0, this.#amountOf(counter) - heldBy(counter));
    const mine = Math.max(0, free - this.#claimed(counter, worker));
    if (mine < need) {
      if (ask.called === null) ask.called = this.#callOthers(counter, worker);
      if (ask.called.silent.size > 0) return false;
    }
    const others = counter.claims.size > (counter.claims.has(worker) ? 1 : 0);
    const spare = others ? 0 : Math.floor(((mine - need) * SPARE) / this.#workers);
    const granted = Math.min(mine, need + Math.max(0, spare));
    setHeld(counter, worker, (counter.held.get(worker) ?? 0) + granted);
    if (granted < need) counter.claims.set(worker, this.#options.clock.nowMs() + CLAIM_MS);
    else counter.claims.delete(worker);
    give([{ limit: counter.limit, key: counter.key, granted, remaining: free - granted }]);
    return true;
  }

  /** What of the free slots is for others: up to their part, of those that got less than they needed. A worker that has less than its own part takes what there is. */
  #claimed(counter: Counter, worker: string): number {
    if (counter.claims.size === 0) return 0;
    const nowMs = this.#options.clock.nowMs();
    for (const [claimant, untilMs] of counter.claims) if (untilMs <= nowMs) counter.claims.delete(claimant);
    const part = this.#partOf(counter, worker);
    if ((counter.held.get(worker) ?? 0) < part) return 0;
    let claimed = 0;
    for (const claimant of counter.claims.keys()) if (claimant !== worker) claimed += Math.max(0, part - (counter.held.get(claimant) ?? 0));
    return claimed;
  }

  /** Of those that have or want slots, at least one. */
  #partOf(counter: Counter, worker: string): number {
    const sharers = new Set([...counter.held.keys(), ...counter.claims.keys(), worker]);
    return Math.max(1, Math.floor(this.#amountOf(counter) / sharers.size));
  }

  #callOthers(counter: Counter, worker: string): NonNullable<Ask['called']> {
    const called = { number: (this.#calls += 1), silent: new Set<string>() };
    const keep = this.#partOf(counter, worker);
    for (const holder of [...counter.held.keys()]) {
      // One whose link is gone cannot answer.
      if (holder === worker || this.#looks.has(holder)) continue;
      called.silent.add(holder);
      this.#call(counter, holder, { number: called.number, keep });
    }
    return called;
  }

  #call({ limit, key }: Counter, worker: string, asked: Pick<SlotCall, 'number' | 'keep'>): void {
    this.#options.call(worker, [{ limit, key, ...asked }]);
  }
}

function heldBy({ held }: Counter): number {
  let sum = 0;
  for (const count of held.values()) sum += count;
  return sum;
}

function setHeld({ held }: Counter, worker: string, count: number): void {
  if (count > 0) held.set(worker, count);
  else held.delete(worker);
}
