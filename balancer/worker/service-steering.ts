// A service as a worker steers it: its targets with what this worker has seen of them, and a table of shares, or one for each region of clients.
import { isDeepStrictEqual } from 'node:util';
import type { Random } from '../../health/clock.ts';
import type { Deadlines } from '../../health/deadlines.ts';
import { Lateness } from '../../health/lateness.ts';
import { OutlierDetector } from '../../health/outlier.ts';
import { RecentPercentile } from '../../health/recent-percentile.ts';
import { TryLimit } from '../../health/try-limit.ts';
import type { CircuitConfig } from '../config/circuit-config.ts';
import type { ClusterConfig, PriorityClass, ServiceConfig } from '../config/config.ts';
import type { ClientRegions } from '../locate/client-regions.ts';
import { hash32 } from '../message/key-hash.ts';
import { targetKey, UNKNOWN_REGION, type ServicePlan, type ShareReason } from '../steer/plan-shape.ts';
import type { Stratum } from '../steer/split.ts';
import type { ClusterUpstream } from '../upstream/cluster-upstream.ts';
import { ONLY_WORKER, RetryBudget } from '../upstream/retry-budget.ts';
import type { Counter, Meter } from '../telemetry/meter.ts';
import type { Evidence } from './evidence.ts';
import type { ClusterWork, RunningWork } from './running-work.ts';
import type { PinKey } from '../steer/pins.ts';
import { Mirror } from './mirror.ts';
import { ShareChoice } from './share-choice.ts';
import { TryStats } from './stats.ts';
import { TargetCircuit } from './target-circuit.ts';
import type { ChosenBy, StickyRequest } from './sticky-choice.ts';

/** One (version, cluster) of a service. */
export interface ServiceTarget {
  readonly service: string;
  readonly version: string;
  readonly cluster: ClusterUpstream;
  /** Host field towards it; null: the client's. */
  readonly host: string | null;
  /** Place in the service's list; the same for all routes of the service. */
  readonly index: number;
  /** Answered 502, 503, 504. */
  readonly detector: OutlierDetector;
  readonly lateness: Lateness;
  /** Null: the service has none. */
  readonly circuit: TargetCircuit | null;
  readonly tryLimit: TryLimit;
  readonly tries: TryStats;
  /** All that runs in the cluster. */
  readonly work: ClusterWork;
  /** By which a second attempt is sent; null: by none. */
  readonly usual: RecentPercentile | null;
}

export interface SteeringEnvironment {
  readonly deadlines: Deadlines;
  readonly random: Random;
  readonly evidence: Evidence;
  /** Which of the host's workers this one is; absent: the only one. */
  readonly stratum?: Stratum;
  readonly meter: Meter;
  /** Absent: nobody asks what runs. */
  readonly work?: RunningWork;
  readonly pinKey: PinKey;
  /** Where clients are; null or absent: nobody knows, or no service asks. */
  readonly clientRegions?: ClientRegions | null;
}

/** The clients of one region. */
interface RegionChoice {
  readonly shares: ShareChoice;
  /** How much of the service they ask for: the plan has to know. */
  readonly asked: Counter;
}

export class ServiceSteering {
  readonly config: ServiceConfig;
  readonly targets: readonly ServiceTarget[];
  readonly budget: RetryBudget;
  /** Statuses of answers that are tried elsewhere; null: none are. */
  readonly retryOn: ReadonlySet<number> | null;
  /** Null: nothing is copied. */
  readonly mirror: Mirror | null;
  readonly #environment: SteeringEnvironment;
  /** Null: the same shares are for all clients. */
  readonly #clientRegions: ClientRegions | null;
  /** For all clients; with regions, until the plan has shares for theirs. */
  readonly #all: ShareChoice;
  readonly #byRegion = new Map<string, RegionChoice>();
  /** By what the last request was chosen a place. */
  #last: ShareChoice;
  /** By target; made when it is first needed. */
  readonly #assigned: Counter[] = [];

  /** Detectors and the split's accumulated error of `previous` carry over where targets are the same. */
  constructor(
    config: ServiceConfig,
    clusters: { readonly upstreams: ReadonlyMap<string, ClusterUpstream>; readonly configs: Readonly<Record<string, ClusterConfig>> },
    environment: SteeringEnvironment,
    previous: ServiceSteering | null,
  ) {
    this.config = config;
    this.#environment = environment;
    this.targets = targetsOf(config, clusters, environment, previous);
    const kept = previous?.budget.isFor(config.retries) === true ? previous.budget : null;
    this.budget = kept ?? new RetryBudget(config.retries, environment.deadlines.clock, hash32(config.name, 0) >>> 0);
    this.retryOn = config.retries.on.length === 0 ? null : new Set(config.retries.on);
    this.budget.place = environment.stratum ?? ONLY_WORKER;
    this.#clientRegions = config.steer.policy === 'nearest' ? (environment.clientRegions ?? null) : null;
    this.#all = new ShareChoice(config, this.targets, environment, previous === null ? null : previous.#all);
    this.#last = this.#all;
    this.mirror = config.mirror === null ? null : new Mirror(config.name, config.mirror, this.targets, environment);
    if (this.#clientRegions === null || previous === null) return;
    for (const [region, { shares }] of previous.#byRegion) this.#addRegion(region, shares);
  }

  applyPlan(plan: ServicePlan): void {
    this.#all.applyPlan(plan);
    if (this.config.circuit !== undefined) this.#suspectEjected(plan);
    this.mirror?.applyPlan(plan.targets);
    if (this.#clientRegions === null) return;
    const { regions = {} } = plan;
    for (const region of this.#byRegion.keys()) if (regions[region] === undefined) this.#byRegion.delete(region);
    for (const [region, shares] of Object.entries(regions))
      (this.#byRegion.get(region) ?? this.#addRegion(region, null)).shares.applyPlan(shares);
  }

  /** Another worker, or a probe, has found them failing: they return by trials here too. */
  #suspectEjected({ targets }: ServicePlan): void {
    for (const { circuit, version, cluster } of this.targets) {
      const planned = targets.find((target) => target.version === version && target.cluster === cluster.name);
      if (planned?.reasons.includes('target_ejected') === true) circuit?.breaker.suspect();
    }
  }

  #addRegion(region: string, previous: ShareChoice | null): RegionChoice {
    const shares = new ShareChoice(this.config, this.targets, this.#environment, previous);
    const asked = this.#environment.meter.counter('weir_client_region_requests_total', [this.config.name, region]);
    const choice = { shares, asked };
    this.#byRegion.set(region, choice);
    return choice;
  }

  /** Null: there are no shares for the region. */
  #regionOf(clientRegions: ClientRegions, client: string): RegionChoice | null {
    return this.#byRegion.get(clientRegions.find(client) ?? UNKNOWN_REGION) ?? this.#byRegion.get(UNKNOWN_REGION) ?? null;
  }

  /** By which shares a client is steered. */
  #sharesFor(client: string): ShareChoice {
    return this.#clientRegions === null ? this.#all : (this.#regionOf(this.#clientRegions, client)?.shares ?? this.#all);
  }

  /** Is the next request of this class one too many for all places of the service together? Asked once for each request. */
  refuses(priorityClass: PriorityClass, client: string): boolean {
    if (this.#clientRegions === null) return this.#all.refuses(priorityClass);
    const region = this.#regionOf(this.#clientRegions, client);
    region?.asked.add(1);
    return (region?.shares ?? this.#all).refuses(priorityClass);
  }

  /** Where this request goes, by what it is known by where clients keep their place. */
  chooseFor(request: StickyRequest): ServiceTarget | null {
    this.#last = this.#sharesFor(request.clientAddress);
    const target = this.#last.chooseFor(request);
    if (target === null || target.circuit === null || target.circuit.admits(this.#environment.deadlines.nowMs)) return target;
    return this.#last.alternative(target, [target]);
  }

  /** What decided where the last request of `chooseFor` goes. */
  get chosenBy(): ChosenBy {
    return this.#last.chosenBy;
  }

  /** Why the plan gives a target what it gives. */
  reasonsOf(target: ServiceTarget, client: string): readonly ShareReason[] {
    return this.#sharesFor(client).reasonsOf(target);
  }

  /** What a client that `target` answered is told, so that it keeps its place; null: nothing. */
  cookieFor(target: ServiceTarget, request: StickyRequest): string | null {
    return this.#sharesFor(request.clientAddress).cookieFor(target, request);
  }

  /** Where a connection of the client goes that is passed through; null: its share is lost, or there is no place at all. */
  chooseConnection(client: string): ServiceTarget | null {
    this.#last = this.#sharesFor(client);
    return this.#last.chooseConnection(client);
  }

  /** Counts what a rule has taken before the split and `target` has answered; null: weir itself has. */
  countAssigned(target: ServiceTarget | null): void {
    if (target === null) return;
    const { service, version, cluster, index } = target;
    (this.#assigned[index] ??= this.#environment.meter.counter('weir_assigned_requests_total', [service, version, cluster.name])).add(1);
  }

  /**
   * Where a request goes whose first place failed: the same version elsewhere, then, if shares may move, another version; the
   * larger share first. Null: nowhere.
   */
  alternative(failed: ServiceTarget, tried: readonly ServiceTarget[], client: string): ServiceTarget | null {
    return this.#sharesFor(client).alternative(failed, tried);
  }
}

function targetsOf(
  config: ServiceConfig,
  clusters: { readonly upstreams: ReadonlyMap<string, ClusterUpstream>; readonly configs: Readonly<Record<string, ClusterConfig>> },
  { random, meter, work }: SteeringEnvironment,
  previous: ServiceSteering | null,
): readonly ServiceTarget[] {
  const kept = new Map(previous?.targets.map((target) => [targetKey(target.service, target.version, target.cluster.name), target]));
  const targets: ServiceTarget[] = [];
  for (const version of config.versions) {
    for (const { cluster: name, host } of version.placements) {
      const cluster = clusters.upstreams.get(name);
      const clusterConfig = clusters.configs[name];
      if (cluster === undefined || clusterConfig === undefined)
        throw new Error(`service ${config.name}: cluster "${name}" is not configured`);
      const before = kept.get(targetKey(config.name, version.name, name));
      const { outlier } = clusterConfig;
      const detector = before?.detector ?? new OutlierDetector(outlier, random);
      const seen = { detector, lateness: before?.lateness ?? new Lateness(outlier), tryLimit: before?.tryLimit ?? new TryLimit() };
      const labels: readonly [string, string, string] = [config.name, version.name, name];
      const tries = new TryStats(meter, labels);
      const circuit = circuitOf(config, before, previous, (given) => new TargetCircuit(given, labels, meter, random));
      const place = { service: config.name, version: version.name, cluster, host, index: targets.length };
      targets.push({ ...place, tries, ...seen, circuit, usual: usualOf(config, before), work: work?.of(name) ?? { attempts: 0 } });
    }
  }
  return targets;
}

/** What was counted goes on while the settings stay. */
function circuitOf(
  { circuit }: ServiceConfig,
  before: ServiceTarget | undefined,
  previous: ServiceSteering | null,
  make: (config: CircuitConfig) => TargetCircuit,
): TargetCircuit | null {
  if (circuit === undefined) return null;
  const same = isDeepStrictEqual(previous?.config.circuit, circuit);
  return (same ? before?.circuit : null) ?? make(circuit);
}

function usualOf({ retries: { hedgeAfter } }: ServiceConfig, before: ServiceTarget | undefined): RecentPercentile | null {
  if (hedgeAfter?.kind !== 'percentile') return null;
  const kept = before?.usual ?? null;
  return kept?.percentile === hedgeAfter.percentile ? kept : new RecentPercentile(hedgeAfter.percentile);
}
