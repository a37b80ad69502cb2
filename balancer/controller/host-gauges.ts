// What the host is right now, as gauges for Prometheus. Pure.
import type { StatusView } from './api/views.ts';
import type { MetricName, MetricsDelta, SeriesDelta } from '../telemetry/meter.ts';

const HEALTH_STATES = ['unknown', 'up', 'degraded', 'down'] as const;
const ADMIN_STATES = ['active', 'drain', 'maintenance'] as const;
const FAILBACK_STATES = ['in', 'out', 'held', 'waiting', 'ramping'] as const;
const AGENT_STATES = ['fresh', 'stale', 'absent'] as const;

/** All of them; a series that is not in it is gone. */
export function hostGauges(status: StatusView, heldClusters: ReadonlyMap<string, boolean>): MetricsDelta {
  const { host } = status;
  return [
    ...[...heldClusters].map(([cluster, isHeld]) => gauge('weir_endpoints_held', [cluster], isHeld ? 1 : 0)),
    gauge('weir_workers_ready', [host], status.workersReady),
    gauge('weir_revision', [host], status.revision),
    gauge('weir_generation', [host], status.generation),
    gauge('weir_local_changes', [host], status.localChanges),
    ...status.services.flatMap(({ name, targets }) =>
      targets.flatMap(
        ({ version, cluster, desiredShare, effectiveShare, observedShare, newShare, observedLow, observedHigh, respected }) => [
          gauge('weir_share_desired_ratio', [name, version, cluster], desiredShare),
          gauge('weir_share_effective_ratio', [name, version, cluster], effectiveShare),
          gauge('weir_share_observed_ratio', [name, version, cluster], observedShare),
          ...(newShare === null ? [] : [gauge('weir_share_new_ratio', [name, version, cluster], newShare)]),
          ...(observedLow === null || observedHigh === null
            ? []
            : [
                gauge('weir_share_observed_low_ratio', [name, version, cluster], observedLow),
                gauge('weir_share_observed_high_ratio', [name, version, cluster], observedHigh),
                gauge('weir_share_respected', [name, version, cluster], respected === false ? 0 : 1),
              ]),
        ],
      ),
    ),
    gauge('weir_loss_tolerated', [host], status.headroom.startsWith('yes') ? 1 : 0),
    ...status.services.map(({ name, shedShare }) => gauge('weir_shed_ratio', [name], shedShare)),
    ...status.clusters.flatMap(({ name, health, admin, agent, capacityRps, failback, ramp, lossShedRps, running }) => [
      ...oneOf('weir_cluster_health', name, HEALTH_STATES, health),
      ...oneOf('weir_cluster_admin', name, ADMIN_STATES, admin),
      ...oneOf('weir_agent_state', name, AGENT_STATES, agent.state),
      ...oneOf('weir_cluster_failback', name, FAILBACK_STATES, failback),
      gauge('weir_cluster_requests_running', [name], running.requests),
      gauge('weir_cluster_tunnels', [name], running.tunnels),
      gauge('weir_cluster_ramp_ratio', [name], ramp),
      ...(lossShedRps === null ? [] : [gauge('weir_cluster_loss_shed_rps', [name], lossShedRps)]),
      ...(capacityRps === null ? [] : [gauge('weir_cluster_capacity_rps', [name], capacityRps)]),
    ]),
  ];
}

function oneOf(name: MetricName, cluster: string, states: readonly string[], present: string): readonly SeriesDelta[] {
  return states.map((state) => gauge(name, [cluster, state], state === present ? 1 : 0));
}

function gauge(name: MetricName, labels: readonly string[], value: number): SeriesDelta {
  return { name, labels, value };
}
