// What clusters can take besides the requests they have: as much may be copied to them. Pure.
import { MILLION } from '../config/config.ts';
import type { PlanInput } from './plan-input.ts';
import type { PlanTarget, ServicePlan } from './plan-shape.ts';

/** Spare capacity is told in so many steps, rounded down, so that a plan does not change with every request. */
const STEPS = 20;

/** The services with what is spare at the places of the versions they copy requests to; `open`: the known capacity of clusters. */
export function withSpare(
  services: Readonly<Record<string, ServicePlan>>,
  { services: configs, demand, assigned = {} }: PlanInput,
  open: Readonly<Record<string, number>>,
): Readonly<Record<string, ServicePlan>> {
  const copying = Object.values(configs).filter(({ mirror }) => mirror !== null);
  if (copying.length === 0) return services;
  const loads: Record<string, number> = { ...assigned };
  for (const { service, targets } of Object.values(services))
    for (const { cluster, effective } of targets) loads[cluster] = (loads[cluster] ?? 0) + ((demand[service] ?? 0) * effective) / MILLION;
  const spareOf = (target: PlanTarget, to: string): PlanTarget => {
    const capacity = open[target.cluster];
    if (capacity === undefined || target.version !== to) return target;
    const step = capacity / STEPS;
    const spare =
      step === 0 ? 0 : Math.floor(Math.max(0, capacity + (assigned[target.cluster] ?? 0) - (loads[target.cluster] ?? 0)) / step) * step;
    // Each copies as if all did.
    return { ...target, spareRps: spare / copying.length };
  };
  const told = { ...services };
  for (const { name, mirror } of copying) {
    const plan = services[name];
    if (plan !== undefined && mirror !== null) told[name] = { ...plan, targets: plan.targets.map((target) => spareOf(target, mirror.to)) };
  }
  return told;
}
