// The controller of one edge host: its parts, made from each other, and what each tells the others.
import { readFileSync } from 'node:fs';
import type { Clock, Random } from '../../health/clock.ts';
import type { Config } from '../config/config.ts';
import type { Facts } from '../intent/apply-change.ts';
import type { Intent } from '../intent/intent.ts';
import { regionsOfClients } from '../locate/client-regions.ts';
import type { Log } from '../log.ts';
import type { PlanFacts, PlanInput, Planned } from '../steer/plan.ts';
import { targetKey } from '../steer/plan-shape.ts';
import type { DemandView, Observed, ObservedView } from '../steer/plan-shape.ts';
import { AloneLedger } from '../store/alone-ledger.ts';
import type { Store } from '../store/store.ts';
import { Meter, type MetricsDelta } from '../telemetry/meter.ts';
import { MetricsRegistry } from '../telemetry/registry.ts';
import { TrafficWindow } from '../telemetry/window.ts';
import { Approvals } from './approval/approvals.ts';
import type { ConfigSource, ConfigText } from './config-source.ts';
import { ConfigWatch } from './config-watch.ts';
import { decisionInputs } from './decision-inputs.ts';
import { sumOf, sumOfEach, toldDemand } from './fleet/demand.ts';
import { describeHost, onFollowed, tellLocal } from './fleet/describe-host.ts';
import { fleetWallMs } from './fleet/fleet-time.ts';
import { FleetLink } from './fleet/fleet-link.ts';
import { LocalChanges } from './fleet/local-changes.ts';
import { ALONE, type Fleet } from './fleet/fleet.ts';
import type { FleetMembership } from './fleet/membership.ts';
import type { HostDemand } from './fleet/presence.ts';
import { FollowedOutcomes } from './driver/outcomes.ts';
import { FleetVotes } from './driver/votes.ts';
import { EventLog } from './events.ts';
import { explainProblem } from './generation-problem.ts';
import { AgentsOfEdge } from './hub/agents-of-edge.ts';
import { IntentKeeper } from './intent-keeper.ts';
import { HostTokens } from './auth/host-tokens.ts';
import { CallersSeen } from './callers-seen.ts';
import { LastFailback } from './last-failback.ts';
import { LastHealth } from './last-health.ts';
import type { MachineLimits } from './machine-limits.ts';
import { GenerationNumbers, RisingNumber } from './numbers.ts';
import { OneAtATime } from './one-at-a-time.ts';
import { classDemandOf, DEMAND_SECONDS, regionDemandOf } from './measured-demand.ts';
import { PlanLoop } from './plan-loop.ts';
import { Prober } from './probe/prober.ts';
import { RunningCounts } from './running-counts.ts';
import { ShareWatch } from './share-watch.ts';
import { SharedWithWorkers } from './shared-with-workers.ts';
import { VersionResults } from './version-results.ts';
import { WorkerFigures } from './worker-figures.ts';
import { WorkerLinks, type WorkerListener } from './worker-links.ts';

export interface EdgeOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly store: Store;
  readonly source: ConfigSource;
  /** Null: the host is alone. */
  readonly fleet: FleetMembership | null;
  readonly served: ConfigText;
  /** Of the program. */
  readonly version: string;
  readonly machine: MachineLimits;
  readonly onMetrics: (delta: MetricsDelta) => void;
  /** Once a second, when the plan of that second is made. */
  readonly onPeriod: () => void;
  /** After every plan, with what it was made from. */
  readonly onPlanned: (input: PlanInput, planned: Planned) => void;
  /** The fleet has agreed on another config. */
  readonly onFleetConfig: () => void;
  /** The fleet can be asked, for the first time or again. */
  readonly onFleetReached: () => void;
  /** A worker cannot serve a generation that nobody here is waiting for. */
  readonly onGenerationFailed: (problem: string) => void;
}

export class Edge {
  readonly options: EdgeOptions;
  readonly events: EventLog;
  readonly keeper: IntentKeeper;
  /** What waits for a second person here. */
  readonly approvals: Approvals;
  readonly meter = new Meter();
  readonly registry = new MetricsRegistry();
  readonly window: TrafficWindow;
  readonly accuracy: ShareWatch;
  readonly figures = new WorkerFigures();
  readonly running = new RunningCounts();
  readonly outcomes = new FollowedOutcomes();
  readonly votes: FleetVotes;
  readonly results: VersionResults;
  readonly links: WorkerLinks;
  readonly shared: SharedWithWorkers;
  readonly prober: Prober;
  readonly tokens: HostTokens;
  readonly agents: AgentsOfEdge;
  readonly fleet: Fleet;
  /** What this host alone was asked for while it was cut off. */
  readonly local: LocalChanges;
  readonly loop: PlanLoop;
  readonly health: LastHealth;
  readonly failback: LastFailback;
  readonly seen: CallersSeen;
  readonly generations: GenerationNumbers;
  readonly configWatch: ConfigWatch;
  /** Changes of intent and config, one after the other. */
  readonly changes = new OneAtATime();
  readonly startedAt: string;
  #served = 0;
  /** What the workers are given. */
  served: ConfigText;
  generation: number;
  /** The intent of a config that workers are trying; null: the stored one holds. */
  trying: Intent | null = null;
  /** A host alone whose store took nothing when it began: what its file says is served, and recorded as soon as that can be. */
  unrecorded = false;
  /** What is wrong with the config file, for the status; null: nothing. */
  problem: string | null = null;
  /** Told when a worker cannot serve a generation; null: nobody waits. */
  onGenerationFailed: ((generation: number, problem: string) => void) | null = null;

  constructor(options: EdgeOptions) {
    const { clock, random, log, store } = options;
    this.options = options;
    this.served = options.served;
    this.startedAt = new Date(clock.wallMs()).toISOString();
    this.events = new EventLog(clock, log);
    const sight = () => ({ planned: this.loop.planned, demand: this.demand(), assigned: this.assigned() });
    const ledger = options.fleet?.ledger ?? new AloneLedger(store, clock);
    this.keeper = new IntentKeeper(store, ledger, clock, (touched) => decisionInputs(touched, sight()));
    this.local = new LocalChanges(store);
    this.approvals = new Approvals({
      ...{ store, clock, log },
      suffix: () => (options.fleet === null ? '' : `@${this.config.hostName}`),
      onExpired: ({ id, summary }) => this.events.add('revision.approval_ended', `approval ${id} is too old and dropped: ${summary}`),
    });
    this.window = new TrafficWindow(() => clock.nowMs());
    this.accuracy = new ShareWatch(this.window);
    // It begins with the wall and then goes by the monotonic clock.
    const aheadMs = clock.wallMs() - clock.nowMs();
    this.results = new VersionResults(() => clock.nowMs() + aheadMs);
    this.votes = new FleetVotes(this.outcomes, clock, options.fleet?.id ?? '');
    this.health = new LastHealth(store);
    this.failback = new LastFailback(store, clock);
    this.seen = new CallersSeen(store, clock);
    this.generations = new GenerationNumbers(store);
    this.configWatch = new ConfigWatch(clock);
    this.generation = this.generations.of(options.served.fingerprint);
    this.links = new WorkerLinks(clock, log, this.#workerListener());
    this.shared = new SharedWithWorkers(this);
    this.prober = new Prober({
      clock,
      random,
      readFile: readFileSync,
      count: (cluster, outcome) => this.meter.counter('weir_probes_total', [cluster, outcome]).add(1),
      onChange: ({ code, text }) => {
        this.events.add(code, text);
        this.loop.soon();
      },
    });
    this.tokens = new HostTokens({ store, clock, shared: () => this.keeper.intent.tokens });
    this.agents = new AgentsOfEdge(this);
    this.fleet = this.#createFleet();
    this.loop = new PlanLoop({
      clock,
      links: this.links,
      numbers: new RisingNumber(store, 'plan', () => clock.wallMs()),
      facts: () => this.planFacts(this.intent),
      remembered: this.failback.read(),
      onPeriod: options.onPeriod,
      onPlanned: options.onPlanned,
    });
  }

  get config(): Config {
    return this.served.config;
  }

  /** What this host serves by: the fleet's, with what is held here against it. */
  get intent(): Intent {
    return this.local.over(this.trying ?? this.keeper.intent);
  }

  /** The last revision that all workers were seen to serve. */
  servedRevision(isServed: boolean): number {
    const { shared } = this.served;
    const hasConfig = shared === null || this.keeper.config === null || shared.fingerprint === this.keeper.config;
    if (isServed && hasConfig) this.#served = this.keeper.intent.revision;
    return this.#served;
  }

  planFacts(intent: Intent): PlanFacts {
    const { services, clusters, hostRegion, regions } = this.config;
    const clientRegions = regionsOfClients(this.config);
    const peers = this.fleet.demandOfPeers();
    return {
      services,
      clusters,
      intent,
      wallMs: fleetWallMs(this),
      health: this.prober.view(),
      capacity: this.agents.capacity(),
      demand: this.demand(),
      assigned: this.assigned(),
      classDemand: sumOfEach(classDemandOf(this.config, this.window), [peers.classDemand]),
      observed: this.#observed(),
      hostRegion,
      regions,
      clientRegions,
      regionDemand: sumOfEach(regionDemandOf(this.config, this.window, clientRegions), [peers.regionDemand]),
    };
  }

  #observed(): ObservedView {
    const targets: Record<string, Observed> = {};
    for (const { name: service, versions } of Object.values(this.config.services)) {
      for (const { name: version, placements } of versions) {
        for (const { cluster } of placements) {
          const whose = { of: 'target', service, version, cluster } as const;
          const outcomes = this.window.outcomes(whose, DEMAND_SECONDS);
          if (outcomes === null) continue;
          const { answers, answerMs, errorRatio } = this.window.answers(whose, DEMAND_SECONDS);
          // Of requests, those that no answer came to; of tries, those that a retry has hidden.
          const worst = Math.max(outcomes.errorRatio, errorRatio);
          targets[targetKey(service, version, cluster)] = { requests: outcomes.requests, errorRatio: worst, answers, answerMs };
        }
      }
    }
    const clusters: Record<string, Observed> = {};
    for (const cluster of Object.keys(this.config.clusters)) {
      const outcomes = this.window.outcomes({ of: 'cluster', cluster }, DEMAND_SECONDS);
      if (outcomes !== null) clusters[cluster] = outcomes;
    }
    return { clusters, targets };
  }

  /** Whether nothing runs in a drained cluster, and nothing can begin to; workers that are not heard of may have anything. */
  isEmpty(cluster: string): boolean {
    const workers = this.links.workers().filter(({ state }) => state !== 'lost');
    return (
      workers.length >= this.config.workers &&
      this.running.isEmpty(
        cluster,
        workers.map(({ name }) => name),
      )
    );
  }

  /** What the shares divide: what all hosts are asked for. */
  demand(): DemandView {
    return sumOf(this.#ownDemand(), [this.fleet.demandOfPeers().demand]);
  }

  /** Requests per second that rules send to clusters before the split; those that are not named get none. */
  assigned(): Readonly<Record<string, number>> {
    return sumOf(this.#ownAssigned(), [this.fleet.demandOfPeers().assigned]);
  }

  #ownDemand(): DemandView {
    return Object.fromEntries(
      Object.keys(this.config.services).map((service) => [service, this.window.splitRps({ of: 'service', service }, DEMAND_SECONDS)]),
    );
  }

  #ownAssigned(): Readonly<Record<string, number>> {
    const assigned: Record<string, number> = {};
    if (Object.values(this.config.services).every(({ assign }) => assign.length === 0)) return assigned;
    for (const cluster of Object.keys(this.config.clusters)) {
      const rps = this.window.assignedRps({ of: 'cluster', cluster }, DEMAND_SECONDS);
      if (rps > 0) assigned[cluster] = rps;
    }
    return assigned;
  }

  /** What a change is judged by. */
  facts(): Facts {
    const { clusters, ejectedTargets } = this.prober.view();
    const ejected = new Set(ejectedTargets);
    const { standings } = this.loop.planned;
    return {
      services: this.config.services,
      clusters: this.config.clusters,
      routes: this.config.routes,
      safety: this.config.safety,
      ...{ gates: this.config.gates, consumers: this.config.consumers, limits: this.config.limits },
      capacityRps: (cluster) => standings[cluster]?.capacityRps ?? null,
      isDown: (cluster) => clusters[cluster]?.state === 'down',
      wallMs: fleetWallMs(this),
      usable: (service, version, cluster) => clusters[cluster]?.state !== 'down' && !ejected.has(targetKey(service, version, cluster)),
    };
  }

  #workerListener(): WorkerListener {
    const host = (): string => this.config.hostName;
    return {
      onMetrics: (worker, delta) => {
        this.registry.add(worker, delta);
        this.options.onMetrics(delta);
        this.window.add(delta);
        this.outcomes.add(delta);
        this.results.add(delta);
        this.figures.add(worker, delta);
      },
      onWork: (worker, work) => [this.running, this.seen].forEach((part) => part.add(worker, work)),
      onEjection: (worker, ejection) => {
        const what =
          ejection.kind === 'endpoint'
            ? `endpoint ${ejection.endpoint} of ${ejection.cluster}`
            : targetKey(ejection.service, ejection.version, ejection.cluster);
        this.events.add('ejection.ejected', `${what} ejected by ${worker} for ${Math.round(ejection.forMs / 1000)} s: ${ejection.reason}`);
        this.prober.report(ejection);
      },
      onQuestion: (worker, message, answer) => this.shared.hear(worker, message, answer),
      onReady: (worker, replaced) => {
        if (replaced) this.meter.counter('weir_worker_restarts_total', [host()]).add(1);
        this.events.add(replaced ? 'worker.replaced' : 'worker.ready', `${worker} ${replaced ? 'was replaced and ' : ''}is ready`);
      },
      onLost: (worker, asked, pid) => {
        this.shared.lost(worker, pid);
        this.registry.forget(worker);
        this.figures.forget(worker);
        this.running.forget(worker);
        if (!asked) this.configWatch.lost(worker, pid);
        this.events.add(asked ? 'worker.left' : 'worker.gone', `${worker} ${asked ? 'has drained and left' : 'is gone'}`);
      },
      onGenerationFailed: (worker, generation, said) => {
        const problem = explainProblem(this.config, said);
        this.events.add('config.unserved', `${worker} cannot serve generation ${generation}: ${problem}`);
        if (this.onGenerationFailed === null) this.options.onGenerationFailed(problem);
        else this.onGenerationFailed(generation, problem);
      },
    };
  }

  #createFleet(): Fleet {
    const { clock, random, store, fleet } = this.options;
    if (fleet === null) return ALONE;
    return new FleetLink({
      ...{ ...fleet, clock, random, store },
      keeper: this.keeper,
      describe: () => describeHost(this),
      demand: () => this.ownDemand(),
      count: () => ({ outcomes: this.votes.told() }),
      onCounted: (all, live) => this.votes.take(all, live),
      onFollowed: (followed) => onFollowed(this, followed),
      tell: (text) => this.events.addOfFleet(text),
      onReached: () => {
        tellLocal(this);
        this.options.onFleetReached();
      },
    });
  }

  /** What this host alone is asked for, as the others are told. */
  ownDemand(): HostDemand {
    const regionDemand = regionDemandOf(this.config, this.window, regionsOfClients(this.config));
    return toldDemand({
      demand: this.#ownDemand(),
      assigned: this.#ownAssigned(),
      classDemand: classDemandOf(this.config, this.window),
      regionDemand,
    });
  }
}
