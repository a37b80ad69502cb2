// The last look at what another host has changed, before it is served here: no single revision may leave users nowhere to go.
import type { Intent, Revision } from '../../intent/intent.ts';

/** Why a revision must not be taken over; null: it may. A glass that was broken on purpose, with a name and a reason in the audit, is obeyed. */
export function unfitIntent(before: Intent, after: Intent, { overruled }: Pick<Revision, 'overruled'>): string | null {
  if (overruled !== undefined) return null;
  const clusters = Object.values(after.clusters);
  if (clusters.length > 0 && !clusters.some(isOpen) && Object.values(before.clusters).some(isOpen))
    return 'it would leave no cluster that takes traffic';
  for (const [service, { split }] of Object.entries(after.services)) {
    const whole = Object.values(split).reduce((sum, share) => sum + share, 0);
    if (whole !== 1_000_000 || Object.values(split).some((share) => share < 0)) return `the split of ${service} is not a whole`;
  }
  return null;
}

function isOpen({ admin, dialPercent }: Intent['clusters'][string]): boolean {
  return admin === 'active' && dialPercent > 0;
}
