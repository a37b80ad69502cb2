// Workers and a controller that share slots of requests at once, on links that a test delivers, cuts and kills as it likes.
import assert from 'node:assert/strict';
import type { LimitConfig } from '../../balancer/config/limit-config.ts';
import { Slots } from '../../balancer/controller/slots.ts';
import type { Decision } from '../../balancer/filter/rate-limit/allowances.ts';
import { HeldSlots } from '../../balancer/worker/held-slots.ts';
import { ManualClock } from './manual-clock.ts';

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** One process: what it has, what it runs, and its link. */
interface Process {
  readonly name: string;
  readonly pid: number;
  slots: HeldSlots;
  running: number;
  isUp: boolean;
  isAlive: boolean;
  /** What is under way on its link arrives only while this is its number. */
  link: number;
}

/** Workers and a controller, joined by links on which messages take as long as the test lets them, in their order. */
export class SlotHost {
  readonly clock = new ManualClock();
  limit: LimitConfig;
  readonly processes: Process[] = [];
  readonly #workers: number;
  #limits: readonly LimitConfig[];
  /** Under way, by link and direction. */
  readonly #queues = new Map<string, (() => void)[]>();
  #slots: Slots;
  #pids = 0;
  asks = 0;

  /** `limits`: all there are. */
  constructor(limit: LimitConfig, workers: number, limits: readonly LimitConfig[] = [limit]) {
    this.limit = limit;
    this.#limits = limits;
    this.#workers = workers;
    this.#slots = this.#controller();
    for (let index = 0; index < workers; index += 1) this.#start(`w${index + 1}`);
    for (const process of this.processes) this.connect(process);
  }

  take(index: number, key = 'one'): Decision | Promise<Decision> {
    const process = this.process(index);
    const decision = process.slots.acquire(this.limit, key);
    const count = (said: Decision): Decision => {
      if (said.verdict === 'pass' && process.isAlive) process.running += 1;
      return said;
    };
    return decision instanceof Promise ? decision.then(count) : count(decision);
  }

  end(index: number, key = 'one'): void {
    const process = this.process(index);
    if (process.running === 0) return;
    process.running -= 1;
    process.slots.release(this.limit.name, key);
  }

  get running(): number {
    return this.processes.reduce((sum, { running, isAlive }) => sum + (isAlive ? running : 0), 0);
  }

  process(index: number): Process {
    return this.processes[index] ?? assert.fail();
  }

  /** Delivers the first message of one link, if there is one. */
  deliver(choice: number): void {
    const ready = [...this.#queues.values()].filter((queue) => queue.length > 0);
    ready[choice % ready.length]?.shift()?.();
  }

  /** Until nothing is under way. */
  async quiet(): Promise<void> {
    for (let idle = 0; idle < 3; idle += 1) {
      await turn();
      for (const queue of this.#queues.values())
        while (queue.length > 0) {
          queue.shift()?.();
          idle = 0;
        }
    }
  }

  connect(process: Process): void {
    process.link += 1;
    process.isUp = true;
    const holdings = process.slots.startOver();
    this.#send(process, () => this.#slots.met(process.name, process.pid, holdings));
  }

  cut(process: Process): void {
    if (!process.isUp) return;
    process.isUp = false;
    process.link += 1;
    this.#slots.lost(process.name);
  }

  kill(index: number): void {
    const process = this.process(index);
    process.isAlive = false;
    this.cut(process);
    process.slots.close();
    this.clock.advance(50);
    this.#start(process.name, index);
    this.connect(this.process(index));
  }

  replaceController(): void {
    const slots = this.#slots;
    for (const process of this.processes) if (process.isUp) this.cut(process);
    slots.close();
    this.#slots = this.#controller();
    for (const process of this.processes) this.connect(process);
  }

  follow(limit: LimitConfig): void {
    this.limit = limit;
    this.#limits = [limit];
    this.#follow(this.#slots);
  }

  #controller(): Slots {
    const slots = new Slots({
      clock: this.clock,
      isAlive: (pid) => this.processes.some((process) => process.pid === pid && process.isAlive),
      call: (worker, calls) => {
        const process = this.processes.find(({ name, isUp }) => name === worker && isUp);
        if (process !== undefined) this.#send(process, () => process.slots.called(calls), 'down');
      },
    });
    this.#follow(slots);
    return slots;
  }

  #follow(slots: Slots): void {
    slots.follow({ limits: Object.fromEntries(this.#limits.map((limit) => [limit.name, limit])), workers: this.#workers });
  }

  #start(name: string, index = this.processes.length): void {
    const process: Process = {
      ...{ name, pid: (this.#pids += 1), running: 0, isUp: false, isAlive: true, link: 0 },
      slots: new HeldSlots({
        clock: this.clock,
        isUp: () => process.isUp,
        tell: (changes) => {
          if (!process.isUp || !process.isAlive) return;
          this.asks += changes.filter(({ need }) => need > 0).length;
          this.#send(process, () =>
            this.#slots.changed(name, changes, (gifts) => this.#send(process, () => process.slots.receive(gifts), 'down')),
          );
        },
        workers: () => this.#workers,
      }),
    };
    this.processes[index] = process;
  }

  /** Lost with the link. */
  #send(process: Process, act: () => void, way = 'up'): void {
    const { link } = process;
    const name = `${process.pid} ${link} ${way}`;
    const queue = this.#queues.get(name) ?? [];
    this.#queues.set(name, queue);
    queue.push(() => {
      if (process.link === link) act();
    });
  }
}
