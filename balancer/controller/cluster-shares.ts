// What each cluster has of all requests: the shares of the services, weighted by their demand. Pure.
import { MILLION } from '../config/config.ts';
import type { DemandView, Plan } from '../steer/plan-shape.ts';
import type { ShareChange } from './api/views.ts';

export interface ClusterShare {
  /** 0 to 1. */
  readonly desired: number;
  readonly effective: number;
}

/** Without any demand every service counts the same. */
export function clusterShares(plan: Plan, demand: DemandView): ReadonlyMap<string, ClusterShare> {
  const services = Object.values(plan.services);
  const total = services.reduce((sum, { service }) => sum + (demand[service] ?? 0), 0);
  const shares = new Map<string, ClusterShare>();
  for (const { service, targets } of services) {
    const weight = total > 0 ? (demand[service] ?? 0) / total : 1 / services.length;
    for (const { cluster, desired, effective } of targets) {
      const so = shares.get(cluster) ?? { desired: 0, effective: 0 };
      shares.set(cluster, {
        desired: so.desired + (weight * desired) / MILLION,
        effective: so.effective + (weight * effective) / MILLION,
      });
    }
  }
  return shares;
}

/** Requests per second that each cluster gets: by the plan, and by rules that go before it. */
export function clusterLoads(plan: Plan, demand: DemandView, assigned: Readonly<Record<string, number>> = {}): ReadonlyMap<string, number> {
  const loads = new Map(Object.entries(assigned));
  for (const { service, targets } of Object.values(plan.services)) {
    for (const { cluster, effective } of targets) {
      loads.set(cluster, (loads.get(cluster) ?? 0) + ((demand[service] ?? 0) * effective) / MILLION);
    }
  }
  return loads;
}

/** The targets whose shares differ between two plans, 0 to 1. */
export function shareChanges(before: Plan, after: Plan): readonly ShareChange[] {
  return Object.values(after.services).flatMap(({ service, targets }) => {
    const old = new Map(before.services[service]?.targets.map((target) => [`${target.version}/${target.cluster}`, target]));
    return targets.flatMap(({ version, cluster, desired, effective, reasons }) => {
      const was = old.get(`${version}/${cluster}`);
      if (was?.desired === desired && was.effective === effective) return [];
      return [
        {
          service,
          version,
          cluster,
          before: { desired: (was?.desired ?? 0) / MILLION, effective: (was?.effective ?? 0) / MILLION },
          after: { desired: desired / MILLION, effective: effective / MILLION },
          reasons,
        },
      ];
    });
  });
}
