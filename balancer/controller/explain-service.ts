// Where a service's share of the plan would take one request, with what made the shares: health, capacity, ramps, and what is tried next.
import { MILLION, type PriorityClass, type ServiceConfig } from '../config/config.ts';
import { IDEMPOTENT } from '../message/methods.ts';
import type { CanonicalRequest } from '../message/request.ts';
import { shedByClass } from '../steer/overload.ts';
import type { Planned } from '../steer/plan.ts';
import { UNKNOWN_REGION, type PlanTarget, type ServicePlan } from '../steer/plan-shape.ts';
import { REASON_LAYERS } from '../steer/reasons.ts';
import type { ExplainedAttempts, ExplainedCandidate, ExplainedService } from './api/explain-view.ts';
import type { EndpointView, RolloutView } from './api/views.ts';
import { explainChoice, lostOf } from './explain-choice.ts';

export interface ServiceFacts {
  readonly config: ServiceConfig;
  readonly plan: ServicePlan;
  readonly planned: Planned;
  /** Of the plan, and of the intent. */
  readonly number: number;
  readonly revision: number;
  /** That signs pins; null: none is known yet. */
  readonly pinKey: Buffer | null;
  /** A connection of which nothing but its address is known. */
  readonly passedThrough: boolean;
  /** Of a client's address; null: nobody knows. */
  readonly regionOf: (client: string) => string | null;
  readonly endpoints: (cluster: string) => readonly EndpointView[];
  /** Of a service, while it is under way; null: there is none. */
  readonly rolloutOf: (service: string) => RolloutView | null;
}

export function explainService(facts: ServiceFacts, priorityClass: PriorityClass, request: CanonicalRequest): ExplainedService {
  const { config, planned, pinKey, passedThrough } = facts;
  const { regions } = facts.plan;
  const clientRegion = regions === undefined ? null : (facts.regionOf(request.clientAddress) ?? UNKNOWN_REGION);
  const plan = (clientRegion === null ? undefined : regions?.[clientRegion]) ?? facts.plan;
  const { choice, probabilities } = explainChoice({ config, plan, health: planned.plan.health, pinKey, passedThrough }, request);
  const refusedShare = plan.shed === 0 ? 0 : shedByClass(plan.shed, plan.classes)[priorityClass];
  const candidates = plan.targets
    .map((target, index) => candidateOf(facts, target, (probabilities[index] ?? 0) * (1 - refusedShare)))
    .sort((a, b) => b.probability - a.probability);
  return {
    name: config.name,
    policy: config.steer.policy,
    onUnavailable: config.onUnavailable,
    plan: facts.number,
    revision: facts.revision,
    refusedShare,
    lostShare: lostOf(plan),
    panic: plan.panic,
    clientRegion,
    rollout: facts.rolloutOf(config.name),
    choice,
    candidates,
    attempts: attemptsOf(config, plan, request),
  };
}

function candidateOf({ planned, endpoints }: ServiceFacts, target: PlanTarget, probability: number): ExplainedCandidate {
  const { version, cluster, desired, effective, reasons, available, priority, limit, spillAt } = target;
  const standing = planned.standings[cluster];
  return {
    version,
    cluster,
    probability,
    desiredShare: desired / MILLION,
    effectiveShare: effective / MILLION,
    layer: reasons[0] === undefined ? 'base' : REASON_LAYERS[reasons[0]],
    reasons,
    available,
    tier: priority,
    limitShare: limit === null ? null : limit / MILLION,
    spillShare: spillAt === null || spillAt === undefined ? null : spillAt / MILLION,
    failback: standing?.failback ?? 'in',
    ramp: standing?.ramp ?? 1,
    capacityRps: standing?.capacityRps ?? null,
    endpoints: endpoints(cluster),
  };
}

function attemptsOf(config: ServiceConfig, plan: ServicePlan, { method }: CanonicalRequest): ExplainedAttempts {
  const { timeouts, retries, onUnavailable } = config;
  const places = plan.targets.filter(({ receives, available }) => receives && available > 0);
  const elsewhere = onUnavailable === 'redistribute' && new Set(places.map(({ cluster }) => cluster)).size > 1;
  const repeatable = IDEMPOTENT.has(method) && retries.attempts > 0;
  return {
    most: retries.attempts + 1,
    repeatable,
    tryLimit: tryLimit(timeouts, repeatable),
    firstByteMs: timeouts.firstByteMs,
    requestMs: timeouts.requestMs,
    budget: `retries in work are at most ${percent(retries.budgetRatio)} of the requests in work, or ${retries.budgetMin}`,
    next: elsewhere
      ? 'another endpoint of the cluster, then other clusters of the version, then other versions'
      : 'another endpoint of the cluster; no other cluster takes it',
  };
}

function tryLimit({ tryMs, firstByteMs }: ServiceConfig['timeouts'], repeatable: boolean): string {
  if (tryMs === 'adaptive')
    return repeatable
      ? '3 × p99 of its version in the cluster, as each worker measures it, 250 ms at least; without a body, and where there is another place'
      : 'none: it may not be sent twice';
  return tryMs === 0 || tryMs >= firstByteMs ? 'none but firstByte' : `${tryMs} ms`;
}

function percent(ratio: number): string {
  return `${Math.round(ratio * 1000) / 10} %`;
}
