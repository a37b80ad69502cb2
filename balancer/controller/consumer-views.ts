// Consumers with what they have used of their quotas.
import { limitOfPlan, type LimitConfig } from '../config/limit-config.ts';
import { windowAt } from '../config/limit-window.ts';
import type { ConsumerView, QuotaView } from './api/consumer-view.ts';
import type { Edge } from './edge.ts';
import { isOfFleet } from './fleet/fleet-limits.ts';
import { isQuota } from './quotas.ts';

/** Questions to the store of the fleet that are under way together. */
const ASKED_AT_ONCE = 100;

export async function consumerViews(edge: Edge): Promise<readonly ConsumerView[]> {
  const { consumers, limits } = edge.config;
  const quotas = Object.values(limits).filter(
    (limit) => limit.calendar !== null && limit.by.length === 1 && limit.by[0]?.kind === 'consumer',
  );
  const all = Object.values(consumers);
  const views: ConsumerView[] = [];
  for (let at = 0; at < all.length; at += ASKED_AT_ONCE) {
    const some = all.slice(at, at + ASKED_AT_ONCE).map(async ({ name, groups, scopes, plan }): Promise<ConsumerView> => {
      const standings = await Promise.all(quotas.map((quota) => quotaView(edge, limitOfPlan(quota, plan), name)));
      return { name, groups, scopes, plan, quotas: standings.filter((view) => view !== null) };
    });
    views.push(...(await Promise.all(some)));
  }
  return views;
}

async function quotaView(edge: Edge, limit: LimitConfig, consumer: string): Promise<QuotaView | null> {
  if (!isQuota(limit)) return null;
  const { name: quota, plan, calendar, limit: allow } = limit;
  const key = `=${consumer}`;
  const { quotas, fleet } = edge.limits;
  const resetsAt = new Date(windowAt(calendar, edge.options.clock.wallMs()).endMs).toISOString();
  const view = { consumer, quota, plan, window: calendar, allow, resetsAt };
  if (fleet !== null && isOfFleet(limit)) {
    const standing = await fleet.standing(limit, quotas.whose(limit, key));
    const left = standing?.left ?? null;
    return { ...view, scope: 'fleet', used: left === null ? null : allow - left, left };
  }
  const used = quotas.used(limit, key);
  return { ...view, scope: 'host', used, left: Math.max(0, allow - used) };
}
