// The one function that turns intent, health, capacity and demand into shares: used live, in previews and in simulation.
import { MILLION } from '../config/config.ts';
import { callersPart } from '../intent/callers.ts';
import { glided, type Glided } from '../intent/glide.ts';
import { purgesPart } from '../intent/purge.ts';
import { damp } from './damping.ts';
import { draftService, type Draft, type Kept } from './draft.ts';
import { heldBack } from './intended.ts';
import { followErrors } from './error-share.ts';
import type { Loads } from './loads.ts';
import { classShares } from './overload.ts';
import { clientRegionsOf, together, type RegionPart } from './client-regions.ts';
import { clusterIntent, type PlanInput, type PlanMemory } from './plan-input.ts';
import type { Plan, ServicePlan } from './plan-shape.ts';
import { reasonsOf } from './reasons.ts';
import { followSlowness } from './slow-share.ts';
import { withSpare } from './spare.ts';
import { solve, type Solution } from './solve.ts';
import { standings, type Standing } from './standing.ts';

export type { PlanFacts, PlanInput, PlanMemory } from './plan-input.ts';

export interface Planned {
  readonly plan: Plan;
  /** What the next plan has to be given. */
  readonly memory: PlanMemory;
  readonly standings: Readonly<Record<string, Standing>>;
  /** What every target has beside what its cluster can take, as the figure of lost clusters needs it; null: no capacity is known. */
  readonly loads: Loads | null;
}

/**
 * Shares of all services together. Desired: the split, times the cluster weights, times the dials, among the clusters that operators
 * leave open. Policy `weighted` goes by weights alone; `priority`, `capacity` and `nearest` use the lowest tier of a version first, so
 * that places of a higher one stand by; for `nearest` tiers are distances, from the host or from each region of clients. All but `weighted` hand on what is above the target
 * utilisation of a cluster. Then, in turn: health and ramps (`redistribute()`), capacity of all services together (`solve()`), damping.
 * Time comes in, and memory goes in and out: the same input gives the same plan.
 */
export function plan(asked: PlanInput): Planned {
  const elapsedMs = asked.previous === null ? 0 : Math.max(0, asked.nowMs - asked.previous.atMs);
  const { wallMs = Infinity } = asked;
  const gliding = glided(asked.intent, wallMs, wallMs - elapsedMs);
  const input = { ...asked, intent: gliding.intent };
  const standing = standings(input);
  const errors = followErrors(input, standing.memory);
  const slowness = followSlowness(input, standing.memory);
  const kept = { errors, slow: keptOf(slowness) };
  const allKept = Object.keys(kept.errors).length === 0 && Object.keys(kept.slow).length === 0;
  const ejected = new Set(input.health.ejectedTargets);
  const ground = { input, standings: standing.of, heldBack: heldBack(standing.of), kept, allKept, ejected };
  const drafts = Object.values(input.services).flatMap((service) =>
    clientRegionsOf(service, input).map((clients) => draftService(service, ground, clients)),
  );
  const open = openCapacity(input, standing.of);
  const bounds = { capacity: open, demand: input.demand, classDemand: input.classDemand ?? {} };
  const { solutions, loads } = solve(drafts, bounds);
  const services: Record<string, ServicePlan> = {};
  let parts: RegionPart[] = [];
  for (const [index, draft] of drafts.entries()) {
    const solution = solutions[index];
    if (solution === undefined) continue;
    const { service, clients } = draft;
    const finished = finish(draft, solution, { ...ground, elapsedMs, gliding });
    if (clients !== null) parts = [...parts, { ...clients, plan: finished }];
    // The drafts of a service follow each other.
    if (drafts[index + 1]?.service === service) continue;
    services[service] = clients === null ? finished : together(parts);
    parts = [];
  }
  return {
    plan: {
      services: withSpare(services, input, open),
      health: input.health,
      ...purgesPart(input.intent),
      ...callersPart(input.intent.callers),
    },
    memory: { atMs: input.nowMs, clusters: standing.memory, errors, slowness, services },
    standings: standing.of,
    loads,
  };
}

/** Of the places that are slower than usual. */
function keptOf(slowness: PlanMemory['slowness']): Readonly<Record<string, number>> {
  const slow: Record<string, number> = {};
  for (const key in slowness) {
    const { kept = 1 } = slowness[key] ?? {};
    if (kept < 1) slow[key] = kept;
  }
  return slow;
}

/** A dial turns down a cluster's capacity with its weight; a last resort that is dialled to 0 has all of it if it comes to that. */
function openCapacity(input: PlanInput, of: Readonly<Record<string, Standing>>): Readonly<Record<string, number>> {
  const open: Record<string, number> = {};
  for (const [cluster, { capacityRps }] of Object.entries(of)) {
    if (capacityRps === null) continue;
    const dialled = (capacityRps * (clusterIntent(input, cluster).dialPercent || 100)) / 100;
    open[cluster] = Math.max(0, dialled - (input.assigned?.[cluster] ?? 0));
  }
  return open;
}

interface Finishing {
  readonly input: PlanInput;
  readonly standings: Readonly<Record<string, Standing>>;
  readonly kept: Kept;
  readonly ejected: ReadonlySet<string>;
  readonly elapsedMs: number;
  readonly gliding: Glided;
}

function finish(draft: Draft, solution: Solution, finishing: Finishing): ServicePlan {
  const { input, standings: of, elapsedMs, gliding } = finishing;
  const { service, onUnavailable, overload } = draft;
  const last = input.previous?.services[service];
  const before = draft.clients === null ? last : last?.regions?.[draft.clients.region];
  const { services, clusters } = gliding;
  const moves = services.has(service) || (clusters.size > 0 && draft.targets.some(({ cluster }) => clusters.has(cluster)));
  const { effective, damped } = damp(draft, solution, { before, elapsedMs, standings: of, gliding: moves });
  const cause = { ...finishing, draft, solution, damped, gliding };
  let lost = MILLION;
  let index = -1;
  for (const target of draft.targets) {
    index += 1;
    target.effective = effective[index] ?? 0;
    target.limit = solution.limits[index] ?? null;
    target.spillAt = solution.spillAt[index] ?? null;
    target.reasons = reasonsOf(target, index, cause);
    lost -= target.effective;
  }
  const { targets } = draft;
  const classes = classShares(input.classDemand?.[service]);
  const pinEpoch = input.intent.services[service]?.pinEpoch;
  return {
    service,
    onUnavailable,
    overload,
    targets,
    lost,
    shed: Math.min(lost, solution.shed),
    panic: draft.wish.panic,
    classes,
    ...(pinEpoch === undefined ? {} : { pinEpoch }),
  };
}
