// Where a change brings more requests: what each cluster has of each service under one plan and under another, and what its agent is told of it. Pure.
import { MILLION, type ClusterConfig } from '../../config/config.ts';
import type { DemandView, Plan } from '../../steer/plan-shape.ts';

/** Requests per second of a service in a cluster, before a change and after it. */
export interface Rise {
  readonly cluster: string;
  readonly service: string;
  readonly before: number;
  readonly after: number;
}

/** Less than a tenth more, or less than one request a second, is what autoscalers follow by themselves. */
const LEAST_PART = 0.1;
const LEAST_RPS = 1;

/** The clusters that get more, the largest rise first. */
export function rises(before: Plan, after: Plan, demand: DemandView): readonly Rise[] {
  const found: Rise[] = [];
  for (const { service } of Object.values(after.services)) {
    const had = loadsOf(before, service, demand);
    for (const [cluster, rps] of loadsOf(after, service, demand)) {
      const was = had.get(cluster) ?? 0;
      if (rps - was >= Math.max(LEAST_RPS, was * LEAST_PART)) found.push({ cluster, service, before: was, after: rps });
    }
  }
  return found.sort((one, other) => other.after - other.before - (one.after - one.before));
}

/** Requests per second of a service in each of its clusters. */
export function loadsOf({ services }: Plan, service: string, demand: DemandView): ReadonlyMap<string, number> {
  const loads = new Map<string, number>();
  for (const { cluster, effective } of services[service]?.targets ?? [])
    loads.set(cluster, (loads.get(cluster) ?? 0) + ((demand[service] ?? 0) * effective) / MILLION);
  return loads;
}

/** What the agent is told to expect; null: the config asks for nothing, or allows no more than there is. */
export function toldRps(rise: Rise, cluster: ClusterConfig | undefined): number | null {
  const { agent, capacity } = cluster ?? {};
  if (agent?.prescale === undefined) return null;
  const rps = Math.ceil(Math.min(rise.after, agent.prescale.mostRps ?? Infinity, capacity?.ceilingRps ?? Infinity));
  return rps > rise.before ? rps : null;
}
