// Consumers, declared and added, with their keys, when they were seen last, and what they have used of their quotas.
import { limitOfPlan, type LimitConfig } from '../config/limit-config.ts';
import { windowAt } from '../config/limit-window.ts';
import type { ConsumerConfig, KeyCredential } from '../config/consumer-config.ts';
import { NO_CALLERS, storedConsumers } from '../intent/callers.ts';
import type { ConsumerView, KeyView, QuotaView } from './api/consumer-view.ts';
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
  const { callers = NO_CALLERS } = edge.keeper.intent;
  const isDeclared = (name: string): boolean => Object.hasOwn(consumers, name);
  const all = [...Object.values(consumers), ...storedConsumers(callers, isDeclared)];
  const seen = edge.seen.all();
  const views: ConsumerView[] = [];
  for (let at = 0; at < all.length; at += ASKED_AT_ONCE) {
    const some = all.slice(at, at + ASKED_AT_ONCE).map(async (consumer): Promise<ConsumerView> => {
      const { name, groups, scopes, tags, plan } = consumer;
      const standings = await Promise.all(quotas.map((quota) => quotaView(edge, limitOfPlan(quota, plan), name)));
      return {
        ...{ name, source: isDeclared(name) ? 'config' : 'store', shadows: isDeclared(name) && callers.consumers?.[name] !== undefined },
        ...{ groups, scopes, tags, plan },
        keys: consumer.keys.map((key) => keyView(edge, consumer, key)),
        lastUsedAt: seen.get(name) ?? null,
        quotas: standings.filter((view) => view !== null),
      };
    });
    views.push(...(await Promise.all(some)));
  }
  return views;
}

function keyView(edge: Edge, { name }: ConsumerConfig, { id, expiresMs, from, scopes }: KeyCredential): KeyView {
  const stored = edge.keeper.intent.callers?.keys?.[id];
  return {
    ...{ id, from, scopes },
    issuedAt: stored?.consumer === name ? stored.issuedAt : null,
    expiresAt: expiresMs === null ? null : new Date(expiresMs).toISOString(),
    expired: expiresMs !== null && expiresMs <= edge.options.clock.wallMs(),
    lastUsedAt: id === '' ? null : edge.seen.at(name, id),
  };
}

async function quotaView(edge: Edge, limit: LimitConfig, consumer: string): Promise<QuotaView | null> {
  if (!isQuota(limit)) return null;
  const { name: quota, plan, calendar, limit: allow } = limit;
  const key = `=${consumer}`;
  const { quotas, fleet } = edge.shared.limits;
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
