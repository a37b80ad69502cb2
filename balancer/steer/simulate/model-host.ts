// An edge host of the model: workers that split, probes and outlier detection, and the plan once a second, all with the real code.
import type { Random } from '../../../health/clock.ts';
import { OutlierDetector } from '../../../health/outlier.ts';
import { RiseFall } from '../../../health/rise-fall.ts';
import { MILLION, PRIORITY_CLASSES, type PriorityClass } from '../../config/config.ts';
import { shedByClass } from '../overload.ts';
import { plan, type PlanMemory, type Planned } from '../plan.ts';
import { targetKey, type CapacityView, type HealthState, type Observed } from '../plan-shape.ts';
import { SplitChooser } from '../split.ts';
import type { Agenda } from './agenda.ts';
import { fleetOf, OUTLIER, PROBE } from './fleet.ts';
import { Inbox, type Message } from './model-agent.ts';
import type { SimulatedCluster } from './model-cluster.ts';
import { RecentCounts } from './recent-counts.ts';
import type { Scenario } from './scenario.ts';

const PLAN_MS = 1000;
/** A probe after a result against the state comes sooner, as the prober has it. */
const DOUBTFUL = 1 / 4;

export interface World {
  readonly scenario: Scenario;
  readonly agenda: Agenda;
  readonly random: Random;
  readonly clusters: ReadonlyMap<string, SimulatedCluster>;
  /** Requests per second of a service over all hosts, as they last told each other. */
  readonly fleetDemand: (service: string) => number;
}

/** What becomes of one request. */
export type Fate = 'served' | 'failed' | 'refused' | 'lost';

interface Watched {
  readonly checks: RiseFall;
  readonly detector: OutlierDetector;
  readonly counts: RecentCounts;
}

interface Steered {
  readonly targets: readonly { readonly key: string; readonly cluster: string }[];
  /** One per worker: targets, then what is lost. */
  readonly choosers: readonly SplitChooser[];
  readonly refusals: readonly Readonly<Record<PriorityClass, SplitChooser>>[];
  readonly demand: RecentCounts;
  readonly counts: ReadonlyMap<string, RecentCounts>;
}

export class SimulatedHost {
  planned: Planned | null = null;
  /** After each plan. */
  onPlan: (planned: Planned) => void = () => undefined;
  readonly #world: World;
  readonly #fleet: ReturnType<typeof fleetOf>;
  readonly #inboxes: ReadonlyMap<string, Inbox>;
  readonly #watched: ReadonlyMap<string, Watched>;
  readonly #services: ReadonlyMap<string, Steered>;
  /** By service, what its workers split by. */
  readonly #served = new Map<string, string>();
  #memory: PlanMemory | null = null;

  constructor(world: World) {
    const { scenario, random } = world;
    this.#world = world;
    this.#fleet = fleetOf(scenario);
    const clusters = Object.entries(scenario.clusters);
    this.#inboxes = new Map(clusters.flatMap(([name, { agent }]) => (agent === null ? [] : [[name, new Inbox(agent.periodMs)]])));
    this.#watched = new Map(
      clusters.map(([name]) => [
        name,
        { checks: new RiseFall(PROBE), detector: new OutlierDetector(OUTLIER, random), counts: new RecentCounts() },
      ]),
    );
    this.#services = new Map(Object.keys(scenario.services).map((name) => [name, this.#steered(name)]));
  }

  /** Begins at a phase of its own, so that hosts do not plan in step. */
  start(): void {
    const { agenda, random } = this.#world;
    for (const name of this.#watched.keys()) this.#probe(name);
    this.replan();
    agenda.after(random() * PLAN_MS, () =>
      agenda.every(PLAN_MS, () => {
        for (const { counts } of this.#watched.values()) counts.endSecond();
        for (const { demand, counts } of this.#services.values()) {
          demand.endSecond();
          for (const count of counts.values()) count.endSecond();
        }
        this.replan();
      }),
    );
  }

  /** Its own part of the demand. */
  demand(service: string): number {
    return this.#services.get(service)?.demand.rps ?? 0;
  }

  receive(cluster: string, message: Message): void {
    this.#inboxes.get(cluster)?.receive(message, this.#world.agenda.nowMs);
  }

  /** One request at one worker. */
  request(service: string, worker: number, priorityClass: PriorityClass): Fate {
    const steered = this.#services.get(service);
    if (steered === undefined) return 'lost';
    if (steered.refusals[worker]?.[priorityClass].next() === 1) {
      steered.demand.add(true);
      return 'refused';
    }
    const target = steered.targets[steered.choosers[worker]?.next() ?? -1];
    if (target === undefined) {
      steered.demand.add(true);
      return 'lost';
    }
    const { agenda, random, clusters } = this.#world;
    const cluster = clusters.get(target.cluster);
    const answerMs = cluster === undefined || cluster.isDown(agenda.nowMs) ? null : cluster.answerMs(agenda.nowMs);
    const served = cluster?.take(agenda.nowMs, random()) ?? false;
    steered.demand.add(!served);
    steered.counts.get(target.key)?.add(!served, answerMs);
    this.#learn(target.cluster, served);
    return served ? 'served' : 'failed';
  }

  replan(): void {
    const { agenda, scenario, fleetDemand } = this.#world;
    const { nowMs } = agenda;
    const names = Object.keys(scenario.services);
    const planned = plan({
      ...this.#fleet,
      health: { clusters: this.#health(), ejectedTargets: [] },
      capacity: this.#reports(nowMs),
      demand: Object.fromEntries(names.map((name) => [name, fleetDemand(name)])),
      classDemand: this.#classDemand(),
      observed: this.#observed(),
      hostRegion: scenario.hostRegion ?? null,
      regions: scenario.regions ?? {},
      previous: this.#memory,
      nowMs,
    });
    this.#memory = planned.memory;
    this.planned = planned;
    for (const [name, { choosers, refusals }] of this.#services) {
      const made = planned.plan.services[name];
      if (made === undefined) continue;
      const weights = [...made.targets.map(({ effective }) => effective), made.lost - made.shed];
      const parts = shedByClass(made.shed, made.classes);
      const text = JSON.stringify([weights, parts]);
      if (this.#served.get(name) === text) continue;
      this.#served.set(name, text);
      for (const chooser of choosers) chooser.setWeights(weights);
      for (const byClass of refusals) {
        for (const one of PRIORITY_CLASSES) {
          const refused = Math.round(parts[one] * MILLION);
          byClass[one].setWeights([MILLION - refused, refused]);
        }
      }
    }
    this.onPlan(planned);
  }

  #steered(name: string): Steered {
    const { scenario, random } = this.#world;
    const versions = this.#fleet.services[name]?.versions ?? [];
    const targets = versions.flatMap(({ name: version, placements }) =>
      placements.map(({ cluster }) => ({ key: targetKey(name, version, cluster), cluster })),
    );
    const workers = Array.from({ length: scenario.workers }, (_, index) => ({ index, of: scenario.workers }));
    return {
      targets,
      choosers: workers.map((stratum) => new SplitChooser([...targets.map(() => 0), 1], random, stratum)),
      refusals: workers.map((stratum) => {
        const chooser = (): SplitChooser => new SplitChooser([1, 0], random, stratum);
        return { critical: chooser(), high: chooser(), normal: chooser(), low: chooser() };
      }),
      demand: new RecentCounts(),
      counts: new Map(targets.map(({ key }) => [key, new RecentCounts()])),
    };
  }

  /** Only what the way there is to blame for counts against a cluster. */
  #learn(cluster: string, served: boolean): void {
    const watched = this.#watched.get(cluster);
    const { agenda, clusters } = this.#world;
    if (watched === undefined) return;
    watched.counts.add(!served);
    if (served || clusters.get(cluster)?.isDown(agenda.nowMs) !== true) return watched.detector.success(agenda.nowMs);
    const forMs = watched.detector.failure(agenda.nowMs);
    if (forMs === 0) return;
    watched.checks.takeDown();
    this.replan();
  }

  #probe(name: string): void {
    const { agenda, random, clusters } = this.#world;
    const checks = this.#watched.get(name)?.checks;
    if (checks === undefined) return;
    if (checks.observe(clusters.get(name)?.isDown(agenda.nowMs) === false)) this.replan();
    agenda.after(PROBE.intervalMs * (0.9 + 0.2 * random()) * (checks.doubtful ? DOUBTFUL : 1), () => this.#probe(name));
  }

  #health(): Planned['plan']['health']['clusters'] {
    const { nowMs } = this.#world.agenda;
    return Object.fromEntries(
      [...this.#watched].map(([name, { checks, detector }]) => {
        const state: HealthState = detector.isEjected(nowMs) ? 'down' : checks.state;
        return [name, { state, endpoints: [{ endpoint: name, state }] }];
      }),
    );
  }

  #reports(nowMs: number): CapacityView {
    return Object.fromEntries(
      [...this.#inboxes].flatMap(([name, inbox]) => {
        const report = inbox.report(nowMs);
        return report === null ? [] : [[name, report]];
      }),
    );
  }

  #classDemand(): Readonly<Record<string, Readonly<Partial<Record<PriorityClass, number>>>>> {
    return Object.fromEntries(
      Object.entries(this.#world.scenario.services)
        .filter(([, { classes }]) => Object.keys(classes).length > 0)
        .map(([name, { classes }]) => [name, classes]),
    );
  }

  #observed(): { readonly clusters: Record<string, Observed>; readonly targets: Record<string, Observed> } {
    const seen = ({ requests, errorRatio, answers, answerMs }: RecentCounts): Observed => ({ requests, errorRatio, answers, answerMs });
    return {
      clusters: Object.fromEntries([...this.#watched].map(([name, { counts }]) => [name, seen(counts)])),
      targets: Object.fromEntries(
        [...this.#services.values()].flatMap(({ counts }) => [...counts].map(([key, count]) => [key, seen(count)])),
      ),
    };
  }
}
