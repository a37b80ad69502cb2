// Which clusters get nothing new by what operators asked for. Pure.
import type { Intent } from '../../intent/intent.ts';
import type { Drained } from './wish-list.ts';

/** Null: it takes what comes. */
export function drainedOf({ clusters, overrides = {} }: Intent, cluster: string): Drained | null {
  const asked = clusters[cluster];
  if (asked === undefined || (asked.admin === 'active' && asked.dialPercent > 0)) return null;
  const held = Object.values(overrides).filter(({ fields }) => fields.some((field) => 'cluster' in field && field.cluster === cluster));
  const ends = held.map(({ until }) => Date.parse(until)).filter(Number.isFinite);
  return { endsAtMs: ends.length === 0 ? null : Math.max(...ends) };
}
