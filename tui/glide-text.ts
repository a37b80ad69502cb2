// What is on its way, for people: from where to where, how far it is, and how long it takes yet.
import type { ClusterView, GlideView, ServiceView } from '../balancer/controller/api/views.ts';
import * as text from './format.ts';

/** `shop.split: green 10% → 50%, 32% now; 4m left (revision 5)`, a line for each field; `agoSeconds`: since it was so. */
export function glideLines(glides: readonly GlideView[], agoSeconds = 0): readonly string[] {
  const fields = Map.groupBy(glides, ({ revision, field }) => `${revision} ${field}`);
  return [...fields.values()].map((parts) => {
    const [{ field, revision, remainingSeconds } = { field: '', revision: 0, remainingSeconds: 0 }] = parts;
    const moving = parts.map(({ name, from, now, to }) => `${name} ${text.share(from)} → ${text.share(to)}, ${text.ratio(now)} now`);
    return `${field}: ${moving.join('; ')}; ${text.countdown(remainingSeconds - agoSeconds)} left (revision ${revision})`;
  });
}

/** While it is on its way: where it goes, and how long that takes yet. */
export function dialText({ dialPercent, glides }: ClusterView): string {
  const [next] = glides;
  if (next === undefined) return text.percent(dialPercent);
  const then = glides.map(({ field, name, to }) => (field.endsWith('.admin') ? name : text.share(to))).join(', ');
  return `${Number(dialPercent.toFixed(1))}% → ${then} (${text.countdown(next.remainingSeconds)})`;
}

/** The split now, and the same while it is on its way. */
export function splitText({ split, glides }: ServiceView): string {
  const going = glides.filter(({ field, name }) => field.endsWith('.split') && Object.hasOwn(split, name));
  const [next] = going;
  if (next === undefined) return text.split(split);
  const now = Object.fromEntries(Object.entries(split).map(([name, value]) => [name, Number(value.toFixed(1))]));
  const then = Object.fromEntries(going.map(({ name, to }) => [name, to * 100]));
  return `${text.split(now)} → ${text.split(then)} (${text.countdown(next.remainingSeconds)})`;
}
