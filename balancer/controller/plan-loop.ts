// Keeps the plan true: worked out once a second and at once when something happened, numbered, sent to the workers.
import type { Clock, Timer } from '../../health/clock.ts';
import { losses, type Loss } from '../steer/headroom.ts';
import { plan, type PlanFacts, type PlanInput, type Planned, type PlanMemory } from '../steer/plan.ts';
import type { Plan, ServicePlan } from '../steer/plan-shape.ts';
import { settledMemory } from '../steer/settled.ts';
import type { RisingNumber } from './numbers.ts';
import type { WorkerLinks } from './worker-links.ts';

const PERIOD_MS = 1000;
/** Every so many periods the plan is sent in full. */
const WHOLE_EVERY = 5;

export interface PlanLoopOptions {
  readonly clock: Clock;
  readonly links: Pick<WorkerLinks, 'sendPlan' | 'sendWholePlan'>;
  readonly numbers: RisingNumber;
  /** What is known now. */
  readonly facts: () => PlanFacts;
  /** What a controller before left; null: nothing. */
  readonly remembered?: PlanMemory | null;
  /** Once a second, after the plan. */
  readonly onPeriod: () => void;
  /** After every plan, with what it was made from. */
  readonly onPlanned?: (input: PlanInput, planned: Planned) => void;
}

export class PlanLoop {
  readonly #options: PlanLoopOptions;
  #timer: Timer | null = null;
  #soon: Timer | null = null;
  #periods = 0;
  #planned: Planned | null = null;
  #losses: readonly Loss[] | null = null;
  #lossesOf: Planned | null = null;
  #number = 0;
  /** As sent: what is the same text is not sent again. */
  #sent = new Map<string, string>();
  readonly #long = new Map<string, { readonly of: object; readonly text: string }>();

  constructor(options: PlanLoopOptions) {
    this.#options = options;
  }

  /** The number that is being served, 0 before the first. */
  get number(): number {
    return this.#number;
  }

  get isRunning(): boolean {
    return this.#timer !== null;
  }

  get plan(): Plan {
    return this.planned.plan;
  }

  /** The plan that holds now, with what it was made by. */
  get planned(): Planned {
    return this.#planned ?? this.preview(this.#options.facts());
  }

  /** What would be refused if one cluster were lost, for each; null: no capacity is known. Worked out when it is asked for. */
  losses(): readonly Loss[] | null {
    const { planned } = this;
    if (this.#lossesOf !== planned) this.#losses = planned.loads === null ? null : losses(planned.loads);
    this.#lossesOf = planned;
    return this.#losses;
  }

  /** What the plan would be now; nothing is sent. */
  preview(facts: PlanFacts): Planned {
    return plan(this.#input(facts));
  }

  /** What the plan comes to when ramps and glides are through and nothing is damped any more, from what was remembered then or is now. */
  settled(facts: PlanFacts, memory: PlanMemory | null = this.#memory): Planned {
    return plan({ ...this.#input(facts), previous: settledMemory(memory), wallMs: Infinity });
  }

  get #memory(): PlanMemory | null {
    return this.#planned?.memory ?? this.#options.remembered ?? null;
  }

  #input(facts: PlanFacts): PlanInput {
    const { clock } = this.#options;
    return { wallMs: clock.wallMs(), ...facts, previous: this.#memory, nowMs: clock.nowMs() };
  }

  start(): void {
    this.recompute();
    this.#next();
  }

  close(): void {
    this.#timer?.cancel();
    this.#soon?.cancel();
    this.#timer = null;
    this.#soon = null;
  }

  /** After what happens now has happened: several events in one go make one plan. */
  soon(): void {
    if (this.#timer === null) return;
    this.#soon ??= this.#options.clock.after(0, () => this.recompute());
  }

  /** Works the plan out and sends what changed. The number of the plan that holds now. */
  recompute(): number {
    this.#soon?.cancel();
    this.#soon = null;
    const input = this.#input(this.#options.facts());
    const planned = plan(input);
    this.#planned = planned;
    this.#send(planned.plan);
    this.#options.onPlanned?.(input, planned);
    return this.#number;
  }

  /** What changed, under a new number; nothing, under the same, when nothing did. */
  #send(next: Plan): void {
    const texts = new Map(Object.entries(next.services).map(([name, service]) => [name, JSON.stringify(service)]));
    texts.set(HEALTH, JSON.stringify(next.health));
    for (const [name, of] of [
      [PURGES, next.purges],
      [CALLERS, next.callers],
    ] as const)
      if (of !== undefined) texts.set(name, this.#textOf(name, of));
    const changed = [...texts].filter(([name, text]) => this.#sent.get(name) !== text).map(([name]) => name);
    if (changed.length === 0 && texts.size === this.#sent.size) return;
    this.#number = this.#options.numbers.next();
    this.#options.links.sendPlan(this.#number, next, changedServices(next, changed));
    this.#sent = texts;
  }

  /** They change seldom, and a list of them is long. */
  #textOf(name: string, of: object): string {
    const known = this.#long.get(name);
    if (known?.of === of) return known.text;
    const text = JSON.stringify(of);
    this.#long.set(name, { of, text });
    return text;
  }

  #next(): void {
    this.#timer = this.#options.clock.after(PERIOD_MS, () => {
      this.recompute();
      this.#periods += 1;
      if (this.#periods % WHOLE_EVERY === 0) this.#options.links.sendWholePlan(true);
      this.#options.onPeriod();
      this.#next();
    });
  }
}

/** Beside the names of services, which are DNS labels. */
const HEALTH = '/health';
const PURGES = '/purges';
const CALLERS = '/callers';

function changedServices({ services }: Plan, names: readonly string[]): Readonly<Record<string, ServicePlan>> {
  return Object.fromEntries(names.flatMap((name) => (services[name] === undefined ? [] : [[name, services[name]]])));
}
