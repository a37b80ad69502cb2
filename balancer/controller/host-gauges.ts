// What the host is right now, as gauges for Prometheus, in parts that do not take long. Pure.
import type { ClusterView, ServiceView, StatusView } from './api/views.ts';
import type { UsedCertificate } from './certificate-watch.ts';
import type { MetricName, MetricsDelta, SeriesDelta } from '../telemetry/meter.ts';

const HEALTH_STATES = ['unknown', 'up', 'degraded', 'down'] as const;
const ADMIN_STATES = ['active', 'drain', 'maintenance'] as const;
const FAILBACK_STATES = ['in', 'out', 'held', 'waiting', 'ramping'] as const;
const AGENT_STATES = ['fresh', 'stale', 'absent'] as const;

const SERVICES_A_PART = 100;

/** All of them; a series that is in no part is gone. */
export function* hostGauges(
  status: StatusView,
  heldClusters: ReadonlyMap<string, boolean>,
  certificates: readonly UsedCertificate[],
): Generator<MetricsDelta, void> {
  const { host, services, clusters } = status;
  yield [
    ...certificates.map(({ use, file, leftMs }) => gauge('weir_certificate_remaining_seconds', [use, file], Math.round(leftMs / 1000))),
    ...[...heldClusters].map(([cluster, isHeld]) => gauge('weir_endpoints_held', [cluster], isHeld ? 1 : 0)),
    gauge('weir_workers_ready', [host], status.workersReady),
    gauge('weir_revision', [host], status.revision),
    gauge('weir_generation', [host], status.generation),
    gauge('weir_local_changes', [host], status.localChanges),
    gauge('weir_loss_tolerated', [host], status.headroom.startsWith('yes') ? 1 : 0),
  ];
  yield clusters.flatMap(clusterGauges);
  for (let first = 0; first < services.length; first += SERVICES_A_PART)
    yield services.slice(first, first + SERVICES_A_PART).flatMap(serviceGauges);
}

function serviceGauges({ name, targets, shedShare }: ServiceView): MetricsDelta {
  return [
    gauge('weir_shed_ratio', [name], shedShare),
    ...targets.flatMap(
      ({ version, cluster, desiredShare, effectiveShare, observedShare, newShare, observedLow, observedHigh, respected }) => {
        const place = [name, version, cluster];
        return [
          gauge('weir_share_desired_ratio', place, desiredShare),
          gauge('weir_share_effective_ratio', place, effectiveShare),
          gauge('weir_share_observed_ratio', place, observedShare),
          ...(newShare === null ? [] : [gauge('weir_share_new_ratio', place, newShare)]),
          ...(observedLow === null || observedHigh === null
            ? []
            : [
                gauge('weir_share_observed_low_ratio', place, observedLow),
                gauge('weir_share_observed_high_ratio', place, observedHigh),
                gauge('weir_share_respected', place, respected === false ? 0 : 1),
              ]),
        ];
      },
    ),
  ];
}

function clusterGauges({ name, health, admin, agent, capacityRps, failback, ramp, lossShedRps, running }: ClusterView): MetricsDelta {
  return [
    ...oneOf('weir_cluster_health', name, HEALTH_STATES, health),
    ...oneOf('weir_cluster_admin', name, ADMIN_STATES, admin),
    ...oneOf('weir_agent_state', name, AGENT_STATES, agent.state),
    ...oneOf('weir_cluster_failback', name, FAILBACK_STATES, failback),
    gauge('weir_cluster_requests_running', [name], running.requests),
    gauge('weir_cluster_tunnels', [name], running.tunnels),
    gauge('weir_cluster_ramp_ratio', [name], ramp),
    ...(lossShedRps === null ? [] : [gauge('weir_cluster_loss_shed_rps', [name], lossShedRps)]),
    ...(capacityRps === null ? [] : [gauge('weir_cluster_capacity_rps', [name], capacityRps)]),
  ];
}

function oneOf(name: MetricName, cluster: string, states: readonly string[], present: string): readonly SeriesDelta[] {
  return states.map((state) => gauge(name, [cluster, state], state === present ? 1 : 0));
}

function gauge(name: MetricName, labels: readonly string[], value: number): SeriesDelta {
  return { name, labels, value };
}
