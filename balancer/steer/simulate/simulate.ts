// Runs a scenario once under a virtual clock: the same scenario and seed give the same outcome, to the last request.
import { MILLION, PRIORITY_CLASSES, type PriorityClass } from '../../config/config.ts';
import type { Planned } from '../plan.ts';
import { Agenda } from './agenda.ts';
import { startAgent } from './model-agent.ts';
import { SimulatedCluster } from './model-cluster.ts';
import { SimulatedHost, type Fate } from './model-host.ts';
import type { Scenario, ServiceModel } from './scenario.ts';
import { seededRandom } from './seeded-random.ts';

/** How finely requests are spread over time. */
const STEP_MS = 100;
const SECOND_MS = 1000;

/** A share over the judged time, over all hosts, in millionths. */
export interface ShareRange {
  /** At its begin. */
  readonly first: number;
  readonly least: number;
  readonly most: number;
}

export interface Outcome {
  readonly seed: number;
  /** Of the judged time. */
  readonly requests: number;
  readonly failed: number;
  readonly refused: number;
  readonly lost: number;
  /** Refused, by class. */
  readonly refusedByClass: Readonly<Partial<Record<PriorityClass, number>>>;
  /** By target. */
  readonly shares: Readonly<Record<string, ShareRange>>;
  /** Most that a share of one host moved, peak to peak, in millionths. */
  readonly swing: number;
  /** Most times that a host took a cluster out of use or back, over the whole run. */
  readonly transitions: number;
  /** By the plans of the judged time, the highest load of a cluster as a part of what plans know that it can take. */
  readonly plannedLoad: number;
  /** The requests of one judged second at a cluster as a part of what it can do. */
  readonly observedLoad: number;
}

export function simulate(scenario: Scenario, seed: number): Outcome {
  const run = new Run(scenario, seed);
  return run.outcome();
}

class Run {
  readonly #scenario: Scenario;
  readonly #seed: number;
  readonly #agenda = new Agenda();
  readonly #random;
  readonly #clusters: ReadonlyMap<string, SimulatedCluster>;
  readonly #hosts: readonly SimulatedHost[];
  readonly #told = new Map<string, number>();
  readonly #carry = new Map<string, number>();
  readonly #fates: Record<Fate, number> = { served: 0, failed: 0, refused: 0, lost: 0 };
  readonly #refusedByClass: Partial<Record<PriorityClass, number>> = {};
  readonly #shares = new Map<string, ShareRange>();
  /** The same for each host alone. */
  readonly #own = new Map<string, ShareRange>();
  readonly #uses = new Map<string, { used: boolean; transitions: number }>();
  #plannedLoad = 0;

  constructor(scenario: Scenario, seed: number) {
    this.#scenario = scenario;
    this.#seed = seed;
    this.#random = seededRandom(seed);
    this.#clusters = new Map(Object.entries(scenario.clusters).map(([name, model]) => [name, new SimulatedCluster(name, model, scenario)]));
    const world = {
      scenario,
      agenda: this.#agenda,
      random: this.#random,
      clusters: this.#clusters,
      fleetDemand: (service: string) => this.#told.get(service) ?? 0,
    };
    this.#hosts = Array.from({ length: scenario.hosts }, () => new SimulatedHost(world));
    for (const [index, host] of this.#hosts.entries()) {
      host.onPlan = (planned) => this.#judge(planned, index);
      host.start();
    }
    const tellers = this.#hosts.map((host) => host.receive.bind(host));
    for (const cluster of this.#clusters.values())
      if (cluster.model.agent !== null) startAgent(cluster, cluster.model.agent, tellers, world);
    this.#agenda.every(STEP_MS, () => this.#step());
    this.#agenda.every(SECOND_MS, () => this.#endSecond());
    this.#agenda.runUntil(scenario.durationMs);
  }

  outcome(): Outcome {
    const { served, failed, refused, lost } = this.#fates;
    return {
      seed: this.#seed,
      requests: served + failed + refused + lost,
      failed,
      refused,
      lost,
      refusedByClass: this.#refusedByClass,
      shares: Object.fromEntries(this.#shares),
      swing: Math.max(0, ...[...this.#own.values()].map(({ least, most }) => most - least)),
      transitions: Math.max(0, ...[...this.#uses.values()].map(({ transitions }) => transitions)),
      plannedLoad: this.#plannedLoad,
      observedLoad: Math.max(0, ...[...this.#clusters.values()].map(({ worstLoad }) => worstLoad)),
    };
  }

  get #judged(): boolean {
    const { judgedFromMs, judgedToMs } = this.#scenario;
    return this.#agenda.nowMs >= judgedFromMs && (judgedToMs === null || this.#agenda.nowMs < judgedToMs);
  }

  #step(): void {
    const { scenario, nowMs } = { scenario: this.#scenario, nowMs: this.#agenda.nowMs };
    for (const [name, service] of Object.entries(scenario.services)) {
      const rps = this.#rate(name, service, nowMs);
      for (const [number, host] of this.#hosts.entries()) {
        for (let worker = 0; worker < scenario.workers; worker += 1) {
          const key = `${name}/${number}/${worker}`;
          // What is due is sent to within one request; the rest of it waits, at a phase of its own at first.
          let due = (this.#carry.get(key) ?? this.#random()) + (rps * STEP_MS) / SECOND_MS / this.#hosts.length / scenario.workers;
          for (; due >= 1; due -= 1) this.#send(host, name, service, worker);
          this.#carry.set(key, due);
        }
      }
    }
    for (const cluster of this.#clusters.values()) cluster.step(nowMs, STEP_MS);
  }

  #send(host: SimulatedHost, name: string, service: ServiceModel, worker: number): void {
    const priorityClass = Object.keys(service.classes).length === 0 ? 'normal' : classOf(service, this.#random());
    const fate = host.request(name, worker, priorityClass);
    if (!this.#judged) return;
    this.#fates[fate] += 1;
    if (fate === 'refused') this.#refusedByClass[priorityClass] = (this.#refusedByClass[priorityClass] ?? 0) + 1;
  }

  #rate(name: string, { rps }: ServiceModel, nowMs: number): number {
    let factor = 1;
    for (const surge of this.#scenario.surges)
      if (surge.service === name && nowMs >= surge.fromMs && nowMs < surge.toMs) factor *= surge.factor;
    return rps * factor;
  }

  #endSecond(): void {
    const { nowMs } = this.#agenda;
    for (const cluster of this.#clusters.values()) cluster.endSecond(nowMs, this.#judged);
    for (const name of Object.keys(this.#scenario.services))
      this.#told.set(
        name,
        this.#hosts.reduce((sum, host) => sum + host.demand(name), 0),
      );
  }

  #judge(planned: Planned, host: number): void {
    for (const [cluster, { failback, fraction }] of Object.entries(planned.standings)) {
      const used = (failback === 'in' || failback === 'ramping') && fraction !== null && fraction > 0;
      const key = `${host}/${cluster}`;
      const before = this.#uses.get(key);
      // The first checks of a start are no transition.
      const counts = before !== undefined && before.used !== used && this.#agenda.nowMs > 5 * SECOND_MS;
      this.#uses.set(key, { used, transitions: (before?.transitions ?? 0) + (counts ? 1 : 0) });
    }
    if (!this.#judged) return;
    const loads: Record<string, number> = {};
    for (const { service, targets } of Object.values(planned.plan.services)) {
      for (const { version, cluster, effective } of targets) {
        loads[cluster] = (loads[cluster] ?? 0) + ((this.#told.get(service) ?? 0) * effective) / MILLION;
        const key = `${service}/${version}/${cluster}`;
        widen(this.#shares, key, effective);
        widen(this.#own, `${host}/${key}`, effective);
      }
    }
    for (const [cluster, load] of Object.entries(loads)) {
      const { capacityRps = null } = planned.standings[cluster] ?? {};
      if (capacityRps !== null) this.#plannedLoad = Math.max(this.#plannedLoad, load / capacityRps);
    }
  }
}

function widen(ranges: Map<string, ShareRange>, key: string, share: number): void {
  const range = ranges.get(key) ?? { first: share, least: share, most: share };
  ranges.set(key, { first: range.first, least: Math.min(range.least, share), most: Math.max(range.most, share) });
}

function classOf({ classes }: ServiceModel, lot: number): PriorityClass {
  let left = lot;
  let last: PriorityClass = 'normal';
  for (const name of PRIORITY_CLASSES) {
    const part = classes[name] ?? 0;
    if (part === 0) continue;
    if (left < part) return name;
    left -= part;
    last = name;
  }
  return last;
}
