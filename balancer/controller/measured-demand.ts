// What services are asked for in parts, as this host has seen it of late.
import type { Config, PriorityClass } from '../config/config.ts';
import { UNKNOWN_REGION, type ClassDemandView, type RegionDemandView } from '../steer/plan-shape.ts';
import type { TrafficWindow } from '../telemetry/window.ts';

/** Demand is measured over this many seconds: long enough to be steady, short enough to follow a surge. */
export const DEMAND_SECONDS = 5;

type Window = Pick<TrafficWindow, 'rps'>;

/** Per priority class, of services whose routes have more than one. */
export function classDemandOf({ routes }: Pick<Config, 'routes'>, window: Window): ClassDemandView {
  const demand: Record<string, Partial<Record<PriorityClass, number>>> = {};
  const classed = new Set(routes.flatMap(({ priorityClass, service }) => (priorityClass === 'normal' ? [] : [service])));
  for (const { name, service, priorityClass } of routes) {
    if (!classed.has(service)) continue;
    const classes = (demand[service] ??= {});
    classes[priorityClass] = (classes[priorityClass] ?? 0) + window.rps({ of: 'route', route: name }, DEMAND_SECONDS);
  }
  return demand;
}

/** Of the clients of each region, of services that go to the nearest place. */
export function regionDemandOf({ services }: Pick<Config, 'services'>, window: Window, regions: readonly string[]): RegionDemandView {
  if (regions.length === 0) return {};
  const near = Object.values(services).filter(({ steer }) => steer.policy === 'nearest');
  const rps = (service: string, region: string): number => window.rps({ of: 'region', service, region }, DEMAND_SECONDS);
  return Object.fromEntries(
    near.map(({ name }) => [name, Object.fromEntries([UNKNOWN_REGION, ...regions].map((region) => [region, rps(name, region)]))]),
  );
}
