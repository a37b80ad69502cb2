// Shares for the clients of each region, and what all of them come to. Pure.
import { MILLION, type ServiceConfig } from '../config/config.ts';
import { apportion } from '../intent/apportion.ts';
import type { PlanInput } from './plan-input.ts';
import { UNKNOWN_REGION, type PlanTarget, type ServicePlan, type ShareReason } from './plan-shape.ts';

/** Clients of a service that are in one region. */
export interface ClientRegion {
  readonly region: string;
  /** 0 to 1: of the service's requests. */
  readonly part: number;
}

const ALL_CLIENTS: readonly null[] = [null];

/** What the service has shares for: all its clients, or those of each region, first those of whom nothing is known. */
export function clientRegionsOf(
  { name, steer }: ServiceConfig,
  { clientRegions = [], regionDemand }: PlanInput,
): readonly (ClientRegion | null)[] {
  if (clientRegions.length === 0 || steer.policy !== 'nearest') return ALL_CLIENTS;
  const regions = [UNKNOWN_REGION, ...clientRegions];
  const counts = regions.map((region) => countOf(regionDemand?.[name]?.[region]));
  const total = counts.reduce((sum, count) => sum + count, 0);
  // Before anything is known of its clients they count as those who are where the host is.
  return regions.map((region, index) => ({ region, part: total === 0 ? (index === 0 ? 1 : 0) : (counts[index] ?? 0) / total }));
}

/** What cannot be a count is none. */
function countOf(count: number | undefined): number {
  return count !== undefined && Number.isFinite(count) && count > 0 ? count : 0;
}

export interface RegionPart extends ClientRegion {
  readonly plan: ServicePlan;
}

/** The plan of a service by those of its clients' regions: each as much as it has of the requests. There is at least one. */
export function together(parts: readonly RegionPart[]): ServicePlan {
  const [first] = parts;
  if (first === undefined) throw new Error('a service without clients has no plan');
  const lost = Math.round(mean(parts, ({ plan }) => plan.lost));
  const raw = first.plan.targets.map((_, index) => ({
    desired: mean(parts, ({ plan }) => plan.targets[index]?.desired ?? 0),
    effective: mean(parts, ({ plan }) => plan.targets[index]?.effective ?? 0),
  }));
  const desired = apportion(
    Math.round(raw.reduce((sum, share) => sum + share.desired, 0)),
    raw.map((share) => share.desired),
  );
  const effective = apportion(
    MILLION - lost,
    raw.map((share) => share.effective),
  );
  const present = parts.filter(({ part }) => part > 0);
  const targets = first.plan.targets.map((target, index) => ({
    ...target,
    desired: desired[index] ?? 0,
    effective: effective[index] ?? 0,
    limit: bound(present, ({ plan }) => plan.targets[index]?.limit ?? null),
    spillAt: bound(present, ({ plan }) => plan.targets[index]?.spillAt ?? null),
    reasons: reasonsOf(present.flatMap(({ plan }) => plan.targets[index] ?? [])),
  }));
  return {
    ...first.plan,
    targets,
    lost,
    shed: Math.min(lost, Math.round(mean(parts, ({ plan }) => plan.shed))),
    panic: present.some(({ plan }) => plan.panic),
    regions: Object.fromEntries(parts.map(({ region, plan }) => [region, plan])),
  };
}

function mean(parts: readonly RegionPart[], of: (part: RegionPart) => number): number {
  let sum = 0;
  for (const part of parts) sum += part.part * of(part);
  return sum;
}

/** No bound is known where one of the regions has none. */
function bound(parts: readonly RegionPart[], of: (part: RegionPart) => number | null): number | null {
  const bounds = parts.map(of);
  return bounds.includes(null) ? null : Math.floor(parts.reduce((sum, { part }, index) => sum + part * (bounds[index] ?? 0), 0));
}

/** All that some region has, the first of them first; that a place is as the intent has it, or stands by, only where nothing else is to be said. */
function reasonsOf(targets: readonly PlanTarget[]): readonly ShareReason[] {
  const all = [...new Set(targets.flatMap(({ reasons }) => reasons))];
  const said = all.filter((reason) => reason !== 'intent' && reason !== 'standby');
  if (said.length > 0) return said;
  return all.includes('intent') ? ['intent'] : all;
}
