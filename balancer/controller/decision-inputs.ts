// What a host saw when it made a revision: for those who ask later why it was right, or was not. Pure.
import { MILLION } from '../config/config.ts';
import type { DecisionInputs, TouchedField } from '../intent/intent.ts';
import type { Planned } from '../steer/plan.ts';
import type { DemandView } from '../steer/plan-shape.ts';

export interface Sight {
  readonly planned: Planned;
  /** Requests per second of the fleet, by service. */
  readonly demand: DemandView;
  /** What clusters get before any split. */
  readonly assigned: Readonly<Record<string, number>>;
}

/** A record is kept for ever: of a change of all there is, the first by name will do. */
const MOST = 16;

/** Of the services and clusters that a change is about, and of the clusters of these services; undefined: it is about none. */
export function decisionInputs(touched: readonly TouchedField[], { planned, demand, assigned }: Sight): DecisionInputs | undefined {
  const { services: plans, health } = planned.plan;
  const named = (kind: string): readonly string[] =>
    touched.flatMap(({ path: [first, name] }) => (first === kind && name !== undefined ? [name] : []));
  const services = firstOf(named('services').filter((name) => plans[name] !== undefined));
  const placed = services.flatMap((name) => plans[name]?.targets.map(({ cluster }) => cluster) ?? []);
  const clusters = firstOf([...named('clusters'), ...placed].filter((name) => health.clusters[name] !== undefined));
  if (services.length + clusters.length === 0) return undefined;
  const loads = loadsOf(planned, demand, assigned);
  return {
    services: Object.fromEntries(
      services.map((name) => {
        const { targets = [], lost = 0 } = plans[name] ?? {};
        const shares = Object.fromEntries(targets.map(({ version, cluster, effective }) => [`${version}/${cluster}`, effective]));
        return [name, { rps: tenths(demand[name] ?? 0), shares, lost }];
      }),
    ),
    clusters: Object.fromEntries(
      clusters.map((name) => {
        const capacityRps = planned.standings[name]?.capacityRps ?? null;
        const rps = tenths(loads[name] ?? 0);
        return [
          name,
          { state: health.clusters[name]?.state ?? 'unknown', rps, capacityRps: capacityRps === null ? null : tenths(capacityRps) },
        ];
      }),
    ),
  };
}

function loadsOf({ plan }: Planned, demand: DemandView, assigned: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  const loads: Record<string, number> = { ...assigned };
  for (const { service, targets } of Object.values(plan.services))
    for (const { cluster, effective } of targets) loads[cluster] = (loads[cluster] ?? 0) + ((demand[service] ?? 0) * effective) / MILLION;
  return loads;
}

function firstOf(names: readonly string[]): readonly string[] {
  return [...new Set(names)].sort().slice(0, MOST);
}

const tenths = (figure: number): number => Math.round(figure * 10) / 10;
