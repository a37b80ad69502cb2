// A service as a worker steers it: the plan's shares, corrected at once by what this worker sees itself.
import type { Random } from '../../health/clock.ts';
import type { Deadlines } from '../../health/deadlines.ts';
import { Lateness } from '../../health/lateness.ts';
import { OutlierDetector } from '../../health/outlier.ts';
import { RecentPercentile } from '../../health/recent-percentile.ts';
import { TryLimit } from '../../health/try-limit.ts';
import { MILLION, PRIORITY_CLASSES, type ClusterConfig, type PriorityClass, type ServiceConfig } from '../config/config.ts';
import { hash32 } from '../message/key-hash.ts';
import { shedByClass } from '../steer/overload.ts';
import { targetKey, type PlanTarget, type ServicePlan, type ShareReason } from '../steer/plan-shape.ts';
import { redistribute } from '../steer/redistribute.ts';
import { SplitChooser, type Stratum } from '../steer/split.ts';
import type { ClusterUpstream } from '../upstream/cluster-upstream.ts';
import { ONLY_WORKER, RetryBudget } from '../upstream/retry-budget.ts';
import type { Meter } from '../telemetry/meter.ts';
import type { Evidence } from './evidence.ts';
import type { PinKey } from '../steer/pins.ts';
import { TryStats } from './stats.ts';
import { BY_SPLIT, epochOf, StickyChoice, type ChosenBy, type StickyRequest } from './sticky-choice.ts';

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
  readonly tryLimit: TryLimit;
  readonly tries: TryStats;
  /** By which a second attempt is sent; null: by none. */
  readonly usual: RecentPercentile | null;
}

/** A plan whose targets stand in the order of this service's. */
type Planned = Pick<ServicePlan, 'targets' | 'lost' | 'shed' | 'overload' | 'panic' | 'classes' | 'pinEpoch'>;
type Shares = { readonly effective: readonly number[] } & Pick<ServicePlan, 'lost' | 'shed'>;

/** The place of what is refused beside what is not. */
const REFUSED = 1;

export interface SteeringEnvironment {
  readonly deadlines: Deadlines;
  readonly random: Random;
  readonly evidence: Evidence;
  /** Which of the host's workers this one is; absent: the only one. */
  readonly stratum?: Stratum;
  readonly meter: Meter;
  readonly pinKey: PinKey;
}

export class ServiceSteering {
  readonly config: ServiceConfig;
  readonly targets: readonly ServiceTarget[];
  readonly budget: RetryBudget;
  /** Statuses of answers that are tried elsewhere; null: none are. */
  readonly retryOn: ReadonlySet<number> | null;
  readonly #environment: SteeringEnvironment;
  /** Null: nobody keeps a place. */
  readonly #sticky: StickyChoice | null;
  #chooser: SplitChooser;
  #plan: Planned;
  /** By priority class, which requests are refused; null: none are. */
  #refusals: ReadonlyMap<PriorityClass, SplitChooser> | null = null;
  #effective: readonly number[] = [];
  #seenChanges = -1;
  #reviewAtMs = Infinity;

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
    this.#plan = initialPlan(config);
    this.#sticky =
      config.sticky === null
        ? null
        : new StickyChoice(config.sticky, this.targets, environment, previous === null ? null : previous.#sticky);
    const same = previous !== null && sameTargets(previous.targets, this.targets);
    if (same) this.#plan = previous.#plan;
    this.#chooser = same ? previous.#handOverChooser() : this.#newChooser();
  }

  /** Requests that still run with the old generation go by its plan: they must not set the weights of the new one. */
  #handOverChooser(): SplitChooser {
    const chooser = this.#chooser;
    this.#chooser = this.#newChooser();
    this.#seenChanges = -1;
    return chooser;
  }

  #newChooser(): SplitChooser {
    const { random, stratum } = this.#environment;
    return new SplitChooser([...this.#plan.targets.map(({ effective }) => effective), 0], random, stratum);
  }

  /** Takes over the plan; a target it does not name keeps share 0 until it does. */
  applyPlan(plan: ServicePlan): void {
    const byKey = new Map(plan.targets.map((target) => [`${target.version}/${target.cluster}`, target]));
    const targets = this.targets.map(({ version, cluster }) => byKey.get(`${version}/${cluster.name}`) ?? unplanned(version, cluster.name));
    this.#plan = { ...plan, targets };
    this.#seenChanges = -1;
  }

  /** Is the next request of this class one too many for all places of the service together? */
  refuses(priorityClass: PriorityClass): boolean {
    this.#look();
    return this.#refusals !== null && this.#refusals.get(priorityClass)?.next() === REFUSED;
  }

  /** Where this request goes, by what it is known by where clients keep their place. */
  chooseFor(request: StickyRequest): ServiceTarget | null {
    if (this.#sticky === null) return this.choose();
    this.#look();
    const index = this.#sticky.choose(request);
    return index === BY_SPLIT ? this.choose() : (this.targets[index] ?? null);
  }

  /** What decided where the last request of `chooseFor` goes. */
  get chosenBy(): ChosenBy {
    return this.#sticky === null ? 'split' : this.#sticky.chosenBy;
  }

  /** Why the plan gives a target what it gives. */
  reasonsOf({ index }: ServiceTarget): readonly ShareReason[] {
    return this.#plan.targets[index]?.reasons ?? [];
  }

  /** What a client that `target` answered is told, so that it keeps its place; null: nothing. */
  cookieFor(target: ServiceTarget, request: StickyRequest): string | null {
    return this.#sticky === null ? null : this.#sticky.cookieFor(target, request);
  }

  /** Where the next request goes; null: its share is lost, or there is no place at all. */
  choose(): ServiceTarget | null {
    this.#look();
    return this.targets[this.#chooser.next()] ?? null;
  }

  /**
   * Where a request goes whose first place failed: the same version elsewhere, then, if shares may move, another version; the
   * larger share first. Null: nowhere.
   */
  alternative(failed: ServiceTarget, tried: readonly ServiceTarget[]): ServiceTarget | null {
    if (this.config.onUnavailable !== 'redistribute') return null;
    this.#look();
    let best: ServiceTarget | null = null;
    let bestRank = 0;
    for (const target of this.targets) {
      const planned = this.#plan.targets[target.index];
      if (planned === undefined || tried.includes(target) || !this.#usable(target, planned)) continue;
      const rank = (target.version === failed.version ? 2 * MILLION : 0) + (this.#effective[target.index] ?? 0) + planned.desired + 1;
      if (rank > bestRank) [best, bestRank] = [target, rank];
    }
    return best;
  }

  #usable(target: ServiceTarget, planned: PlanTarget): boolean {
    return (
      planned.receives && planned.available > 0 && target.cluster.available && !target.detector.isEjected(this.#environment.deadlines.nowMs)
    );
  }

  #look(): void {
    const { evidence, deadlines } = this.#environment;
    if (this.#seenChanges === evidence.changes && deadlines.nowMs < this.#reviewAtMs) return;
    this.#seenChanges = evidence.changes;
    this.#reviewAtMs = this.#nextReturnMs(deadlines.nowMs);
    const { effective, lost, shed } = this.#corrected(deadlines.nowMs);
    this.#effective = effective;
    this.#chooser.setWeights([...effective, lost - shed]);
    this.#refuse(shed);
    this.#sticky?.update({ planned: this.#plan.targets, effective, shed, epoch: epochOf(this.#plan) });
  }

  /** The plan where this worker sees nothing else, or where health is not believed; else what it comes to without what is out. */
  #corrected(nowMs: number): Shares {
    const { targets, lost, shed, overload, panic } = this.#plan;
    const out = this.targets.map(
      (target, index) => (targets[index]?.available ?? 0) > 0 && (target.detector.isEjected(nowMs) || !target.cluster.available),
    );
    if (panic || !out.includes(true)) return { effective: targets.map(({ effective }) => effective), lost, shed };
    const seen = targets.map((target, index) => (out[index] === true ? { ...target, available: 0 } : target));
    const { onUnavailable } = this.config;
    const moved = redistribute(seen, onUnavailable, overload);
    // While some place takes requests, only limits leave a share without one.
    const bounded = onUnavailable === 'redistribute' && overload === 'shed' && !moved.panic && seen.some(({ limit }) => limit !== null);
    return { effective: moved.effective, lost: moved.lost, shed: bounded ? moved.lost : 0 };
  }

  /** What is refused of each class; who is refused already goes on where it was in its sequence. */
  #refuse(shed: number): void {
    if (shed === 0) {
      this.#refusals = null;
      return;
    }
    const parts = shedByClass(shed, this.#plan.classes);
    const refusals = new Map<PriorityClass, SplitChooser>();
    for (const name of PRIORITY_CLASSES) {
      const refused = Math.round(parts[name] * MILLION);
      if (refused === 0) continue;
      const weights = [MILLION - refused, refused];
      const chooser = this.#refusals?.get(name);
      chooser?.setWeights(weights);
      const { random, stratum } = this.#environment;
      refusals.set(name, chooser ?? new SplitChooser(weights, random, stratum));
    }
    this.#refusals = refusals;
  }

  /** When the first ejection of this worker's own ends. */
  #nextReturnMs(nowMs: number): number {
    let next = Infinity;
    for (const { detector, cluster } of this.targets) {
      if (detector.isEjected(nowMs)) next = Math.min(next, detector.ejectedUntilMs);
      for (const endpoint of cluster.endpoints)
        if (endpoint.detector.isEjected(nowMs)) next = Math.min(next, endpoint.detector.ejectedUntilMs);
    }
    return next;
  }
}

function targetsOf(
  config: ServiceConfig,
  clusters: { readonly upstreams: ReadonlyMap<string, ClusterUpstream>; readonly configs: Readonly<Record<string, ClusterConfig>> },
  { random, meter }: SteeringEnvironment,
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
      const tries = new TryStats(meter, [config.name, version.name, name]);
      const usual = usualOf(config, before);
      targets.push({ service: config.name, version: version.name, cluster, host, index: targets.length, tries, ...seen, usual });
    }
  }
  return targets;
}

function usualOf({ retries: { hedgeAfter } }: ServiceConfig, before: ServiceTarget | undefined): RecentPercentile | null {
  if (hedgeAfter?.kind !== 'percentile') return null;
  const kept = before?.usual ?? null;
  return kept?.percentile === hedgeAfter.percentile ? kept : new RecentPercentile(hedgeAfter.percentile);
}

function sameTargets(a: readonly ServiceTarget[], b: readonly ServiceTarget[]): boolean {
  return (
    a.length === b.length &&
    a.every((target, index) => target.version === b[index]?.version && target.cluster.name === b[index].cluster.name)
  );
}

/** Until the first plan names a target it gets nothing. */
function unplanned(version: string, cluster: string): PlanTarget {
  return {
    version,
    cluster,
    desired: 0,
    effective: 0,
    available: 0,
    receives: false,
    lastResort: false,
    priority: 0,
    limit: null,
    reasons: [],
  };
}

/** The file's split, for the moment between a new generation and the plan that goes with it. */
function initialPlan(config: ServiceConfig): Planned {
  const targets = config.versions.flatMap((version) => {
    const total = version.placements.reduce((sum, { weight }) => sum + weight, 0);
    return version.placements.map(({ cluster, weight, priority }) => {
      const desired = total === 0 ? 0 : Math.round(((config.split[version.name] ?? 0) * weight) / total);
      return { ...unplanned(version.name, cluster), desired, effective: desired, available: 1, receives: desired > 0, priority };
    });
  });
  return { targets, lost: 0, shed: 0, overload: config.steer.overload, panic: false, classes: {} };
}
