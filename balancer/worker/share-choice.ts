// Chooses by one table of shares, of a service or of one region of its clients: the plan's, corrected at once by what this worker sees itself.
import { MILLION, PRIORITY_CLASSES, type PriorityClass, type ServiceConfig } from '../config/config.ts';
import { shedByClass } from '../steer/overload.ts';
import type { PlanTarget, ServicePlan, ShareReason } from '../steer/plan-shape.ts';
import { redistribute } from '../steer/redistribute.ts';
import { SplitChooser } from '../steer/split.ts';
import { AssignChoice } from './assign-choice.ts';
import type { ServiceTarget, SteeringEnvironment } from './service-steering.ts';
import { BY_SPLIT, epochOf, StickyChoice, type ChosenBy, type StickyRequest } from './sticky-choice.ts';

/** A plan whose targets stand in the order of the service's. */
type Planned = Pick<ServicePlan, 'targets' | 'lost' | 'shed' | 'overload' | 'panic' | 'classes' | 'pinEpoch'>;
type Shares = { readonly effective: readonly number[] } & Pick<ServicePlan, 'lost' | 'shed'>;

/** The place of what is refused beside what is not. */
const REFUSED = 1;

export class ShareChoice {
  readonly #config: ServiceConfig;
  readonly #targets: readonly ServiceTarget[];
  readonly #environment: SteeringEnvironment;
  /** Null: nobody keeps a place. */
  readonly #sticky: StickyChoice | null;
  /** Null: no rule goes before the split. */
  readonly #assign: AssignChoice | null;
  /** Whether one took the last request. */
  #assigned = false;
  #chooser: SplitChooser;
  #plan: Planned;
  /** By priority class, which requests are refused; null: none are. */
  #refusals: ReadonlyMap<PriorityClass, SplitChooser> | null = null;
  #effective: readonly number[] = [];
  #seenChanges = -1;
  #reviewAtMs = Infinity;

  /** The split's accumulated error of `previous` carries over where targets are the same. */
  constructor(config: ServiceConfig, targets: readonly ServiceTarget[], environment: SteeringEnvironment, previous: ShareChoice | null) {
    this.#config = config;
    this.#targets = targets;
    this.#environment = environment;
    this.#plan = initialPlan(config);
    this.#sticky =
      config.sticky === null ? null : new StickyChoice(config.sticky, targets, environment, previous === null ? null : previous.#sticky);
    const { assign, onUnavailable } = config;
    this.#assign = assign.length === 0 ? null : new AssignChoice(assign, targets, environment, onUnavailable);
    const same = previous !== null && sameTargets(previous.#targets, targets);
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
    const targets = this.#targets.map(
      ({ version, cluster }) => byKey.get(`${version}/${cluster.name}`) ?? unplanned(version, cluster.name),
    );
    this.#plan = { ...plan, targets };
    this.#seenChanges = -1;
  }

  /** Is the next request of this class one too many for all places of the service together? */
  refuses(priorityClass: PriorityClass): boolean {
    this.#look();
    return this.#refusals !== null && this.#refusals.get(priorityClass)?.next() === REFUSED;
  }

  /** Where this request goes, by what it is known by: a rule of the service, or where clients keep their place. */
  chooseFor(request: StickyRequest): ServiceTarget | null {
    if (this.#assign !== null) {
      this.#look();
      // What a trusted peer says goes before all rules.
      const index = this.#sticky?.isForced(request) === true ? BY_SPLIT : this.#assign.choose(request);
      this.#assigned = index !== BY_SPLIT;
      if (this.#assigned) return this.#targets[index] ?? null;
    }
    if (this.#sticky === null) return this.choose();
    this.#look();
    const index = this.#sticky.choose(request);
    const target = index === BY_SPLIT ? this.choose() : (this.#targets[index] ?? null);
    if (target !== null) this.#sticky.countNew(target);
    return target;
  }

  /** Where a connection goes that is passed through. */
  chooseConnection(clientAddress: string): ServiceTarget | null {
    if (this.#assign === null) return this.choose();
    this.#look();
    const index = this.#assign.chooseConnection(clientAddress);
    this.#assigned = index !== BY_SPLIT;
    return this.#assigned ? (this.#targets[index] ?? null) : this.choose();
  }

  /** What decided where the last request of `chooseFor` goes. */
  get chosenBy(): ChosenBy {
    if (this.#assigned) return 'assign';
    return this.#sticky === null ? 'split' : this.#sticky.chosenBy;
  }

  /** Why the plan gives a target what it gives. */
  reasonsOf({ index }: ServiceTarget): readonly ShareReason[] {
    return this.#plan.targets[index]?.reasons ?? [];
  }

  /** What a client that `target` answered is told, so that it keeps its place; null: nothing. */
  cookieFor(target: ServiceTarget, request: StickyRequest): string | null {
    if (this.#sticky === null || this.#assign?.takes(request) === true) return null;
    return this.#sticky.cookieFor(target, request);
  }

  /** Where the next request goes; null: its share is lost, or there is no place at all. */
  choose(): ServiceTarget | null {
    this.#look();
    return this.#targets[this.#chooser.next()] ?? null;
  }

  /** The same version elsewhere, then, if shares may move, another version; the larger share first. Null: nowhere. */
  alternative(failed: ServiceTarget, tried: readonly ServiceTarget[]): ServiceTarget | null {
    if (this.#config.onUnavailable !== 'redistribute') return null;
    this.#look();
    let best: ServiceTarget | null = null;
    let bestRank = 0;
    for (const target of this.#targets) {
      const planned = this.#plan.targets[target.index];
      if (planned === undefined || tried.includes(target) || !this.#usable(target, planned, failed)) continue;
      const rank = (target.version === failed.version ? 3 * MILLION : 0) + (this.#effective[target.index] ?? 0) + planned.desired + 1;
      if (rank > bestRank) [best, bestRank] = [target, rank];
    }
    return best;
  }

  /** A version that gets requests whatever the split says has places for them at weight 0 too. */
  #usable(target: ServiceTarget, { receives, available, within = 0 }: PlanTarget, failed: ServiceTarget): boolean {
    const open = (receives && available > 0) || (within > 0 && target.version === failed.version);
    const { nowMs } = this.#environment.deadlines;
    // A circuit that is half open takes trials, which nobody counts on.
    const whole = target.circuit === null || target.circuit.breaker.state(nowMs) === 'closed';
    return open && whole && target.cluster.available && !target.detector.isEjected(nowMs);
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
    this.#assign?.update(this.#plan.targets);
    this.#sticky?.update({ planned: this.#plan.targets, effective, shed, epoch: epochOf(this.#plan) });
  }

  /** The plan where this worker sees nothing else, or where health is not believed; else what it comes to without what is out. */
  #corrected(nowMs: number): Shares {
    const { targets, lost, shed, overload, panic } = this.#plan;
    const out = this.#targets.map(
      (target, index) => (targets[index]?.available ?? 0) > 0 && (target.detector.isEjected(nowMs) || !target.cluster.available),
    );
    if (panic || !out.includes(true)) return { effective: targets.map(({ effective }) => effective), lost, shed };
    const seen = targets.map((target, index) => (out[index] === true ? { ...target, available: 0 } : target));
    const { onUnavailable } = this.#config;
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
    for (const { detector, cluster } of this.#targets) {
      if (detector.isEjected(nowMs)) next = Math.min(next, detector.ejectedUntilMs);
      for (const endpoint of cluster.endpoints)
        if (endpoint.detector.isEjected(nowMs)) next = Math.min(next, endpoint.detector.ejectedUntilMs);
    }
    return next;
  }
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
