// From the conditions of endpoints to the health of a cluster, and from two states of health to what is worth telling. Pure.
import type { EventCode } from '../../event-codes.ts';
import type { ClusterHealth, HealthState } from '../../steer/plan-shape.ts';
import type { Condition } from './watch.ts';

export interface EndpointCondition {
  readonly id: string;
  readonly condition: Condition;
  /** It leaves. */
  readonly draining?: boolean;
}

/** What the controller tells its operators. */
export interface HealthEvent {
  readonly code: EventCode;
  readonly cluster: string;
  /** One line, no control characters. */
  readonly text: string;
}

/**
 * Up: all endpoints are; degraded: some; down: none; unknown: nothing known of any.
 * A held endpoint is down only while another one of its cluster is up: damping must never take a cluster away.
 */
export function clusterHealth(conditions: readonly EndpointCondition[]): ClusterHealth {
  const held = conditions.some(({ condition }) => condition === 'up') ? 'down' : 'up';
  const endpoints = conditions.map(({ id, condition, draining = false }) => ({
    endpoint: id,
    state: condition === 'held' ? held : condition,
    ...(draining ? { draining } : {}),
  }));
  // Those that leave say nothing of a cluster while others stay.
  const staying = endpoints.filter(({ draining }) => draining !== true);
  const counted = staying.length > 0 ? staying : endpoints;
  const count = (wanted: HealthState): number => counted.filter(({ state }) => state === wanted).length;
  const all = counted.length;
  if (count('unknown') === all) return { state: 'unknown', endpoints };
  if (count('up') === all) return { state: 'up', endpoints };
  return { state: count('up') > 0 ? 'degraded' : 'down', endpoints };
}

/** What changed for one cluster, in words. An endpoint that is the only one of its cluster speaks for the cluster. */
export function healthEvents(
  cluster: string,
  before: ClusterHealth | undefined,
  after: ClusterHealth,
  reasonOf: (endpoint: string) => string,
): readonly HealthEvent[] {
  const event = (code: EventCode, text: string): HealthEvent => ({ code, cluster, text });
  const single = after.endpoints.length === 1;
  const changed = after.endpoints.filter(({ endpoint, state }) => state !== stateOf(before, endpoint));
  const events = single
    ? []
    : changed.map(({ endpoint, state }) =>
        event('health.endpoint', `endpoint ${endpoint} of ${cluster} is ${state}${because(reasonOf(endpoint), state)}`),
      );
  if (before?.state === after.state || (before === undefined && after.state === 'unknown')) return events;
  const up = after.endpoints.filter(({ state }) => state === 'up').length;
  const first = after.endpoints[0]?.endpoint ?? '';
  const detail = single ? because(reasonOf(first), after.state) : `: ${up} of ${after.endpoints.length} endpoints up`;
  return [...events, event(`health.cluster_${after.state}`, `cluster ${cluster} is ${after.state}${detail}`)];
}

function stateOf(health: ClusterHealth | undefined, endpoint: string): HealthState {
  return health?.endpoints.find((known) => known.endpoint === endpoint)?.state ?? 'unknown';
}

function because(reason: string, state: HealthState): string {
  return state === 'up' || reason === '' ? '' : `: ${reason}`;
}
