// What becomes of the tunnels to a cluster that is drained: a part of the intent, so that whoever drives it next knows the deadline. Pure.
import type { DrainConfig } from '../config/drain-config.ts';
import type { ClusterIntent, Intent, TunnelDeadline } from './intent.ts';

/** Undefined: they stay. */
export function deadlineOf({ deadlineMs, tunnelsPerSecond }: DrainConfig, wallMs: number): TunnelDeadline | undefined {
  return deadlineMs === null ? undefined : { at: new Date(wallMs + deadlineMs).toISOString(), perSecond: tunnelsPerSecond };
}

export function tunnelText(deadline: TunnelDeadline | undefined): string {
  return deadline === undefined ? ', its tunnels stay' : `, its tunnels close from ${deadline.at.slice(11, 19)} UTC on`;
}

export function withTunnels({ admin, dialPercent, releases, returned }: ClusterIntent, tunnels: TunnelDeadline | undefined): ClusterIntent {
  return {
    admin,
    dialPercent,
    ...(releases === undefined ? {} : { releases }),
    ...(returned === undefined ? {} : { returned }),
    ...(tunnels === undefined ? {} : { tunnels }),
  };
}

/** A cluster that is active again keeps its tunnels, however it came to be so. */
export function withoutEndedDrains(intent: Intent): Intent {
  const ended = Object.entries(intent.clusters).filter(([, { admin, tunnels }]) => admin === 'active' && tunnels !== undefined);
  if (ended.length === 0) return intent;
  const kept = ended.map(([name, cluster]) => [name, withTunnels(cluster, undefined)] as const);
  return { ...intent, clusters: { ...intent.clusters, ...Object.fromEntries(kept) } };
}
