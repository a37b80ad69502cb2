// The figures of a cluster as text, each with what it was made from, so that somebody with kubectl can check it by hand. Pure.
import { headroomRps } from './capacity.ts';
import type { ClusterFigures, ExplainedGateway, ExplainedService } from './cluster-figures.ts';
import type { CapacitySnapshot } from './protocol.ts';

export interface Explanation {
  readonly figures: ClusterFigures;
  readonly controlPlane: NonNullable<CapacitySnapshot['controlPlane']>;
  readonly sources: NonNullable<CapacitySnapshot['sources']>;
  readonly problems: Readonly<Record<string, string>>;
}

/** Lines for people; figures with one digit after the point at most. */
export function explainText({ figures, controlPlane, sources, problems }: Explanation): string {
  const { cluster, services, gateways, nodes, nodesUtilisation, pendingPods, endpoints } = figures;
  const of = cluster.bound === null ? '' : `, bound by ${cluster.bound === 'declared' ? 'the declared ceiling' : `the ${cluster.bound}`}`;
  const lines = [
    `cluster: ${rps(cluster.capacityRps)}${of}; in use ${percent(cluster.utilisation)}${from(cluster.utilisationOf)}; in two minutes up to ${grown(cluster.capacityRps, cluster.growth)}`,
    `  capacity = min(declared, sum of gateways, sum of services), of those that are known`,
    `nodes: ${nodes.ready} of ${nodes.total} ready, ${nodes.pressed} under pressure, ${nodes.schedulable} take new pods; in use ${percent(nodesUtilisation)}`,
    `pods that no node has room for: ${pendingPods}`,
    ...services.flatMap(serviceLines),
    ...gateways.flatMap(gatewayLines),
    ...(endpoints === undefined
      ? []
      : [`endpoints for the edge${endpoints.fresh ? '' : ' (not fresh: the edge keeps what it has)'}: ${endpointsText(endpoints.list)}`]),
    `API server: ${controlPlane}`,
    ...Object.entries(sources).map(
      ([name, { state, ageMs }]) =>
        `  ${name}: ${state}${ageMs === null ? '' : `, heard of ${seconds(ageMs)} ago`}${because(problems[name])}`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function serviceLines({ report, scaler, use, growth, podSize, autoscaler }: ExplainedService): readonly string[] {
  const { ready, serving, total, ratePerEndpoint, rateOf, capacityRps, utilisation, utilisationOf } = report;
  const counted = ready > 0 ? `${ready} ready` : `${serving} on their way out, none is ready`;
  const rate = ratePerEndpoint === null ? 'rate not known' : `${digits(ratePerEndpoint)} requests/s each (${rateOf ?? ''})`;
  const all = (['application', 'pods', 'nodes'] as const).map((name) => `${name} ${percent(use[name])}`);
  const size =
    podSize === null ? 'no pod known' : `pods of ${digits(podSize.cpuCores * 1000)}m and ${digits(podSize.memoryBytes / 2 ** 20)} MiB`;
  return [
    `service ${report.service}: ${rps(capacityRps)} = ${counted} of ${total} x ${rate} x scaler ${digits(scaler)}`,
    `  in use ${percent(utilisation)}${from(utilisationOf)} (${all.join(', ')}); room now ${rps(headroomRps(report))}`,
    `  in two minutes up to ${grown(capacityRps, growth.factor)}: ${boundText(growth.bound)}; ${replicas(autoscaler, growth)}, ${size}, room for ${growth.room ?? 'an unknown number'} more`,
  ];
}

function gatewayLines({ service, endpoints, ratePerEndpoint }: ExplainedGateway): readonly string[] {
  const { ready, serving, total } = endpoints;
  const counted = ready > 0 ? ready : serving;
  if (ratePerEndpoint === null) return [`gateway ${service}: ${ready} ready of ${total}, no rate declared, so it bounds nothing`];
  return [`gateway ${service}: ${rps(counted * ratePerEndpoint)} = ${counted} of ${total} x ${digits(ratePerEndpoint)} requests/s each`];
}

const BOUNDS: Readonly<Record<ExplainedService['growth']['bound'], string>> = {
  no_autoscaler: 'no autoscaler scales it',
  max_replicas: 'the most replicas of its autoscaler',
  room: 'the room on the nodes',
  pending_pods: 'pods of it wait for room already',
  unknown: 'not enough is known, so nothing is promised',
};

function boundText(bound: ExplainedService['growth']['bound']): string {
  return BOUNDS[bound];
}

function replicas(autoscaler: string | null, { current, most }: ExplainedService['growth']): string {
  return autoscaler === null ? 'replicas are fixed' : `autoscaler ${autoscaler} has ${current} of at most ${most}`;
}

function endpointsText(list: readonly { readonly host: string; readonly port: number; readonly draining?: true }[]): string {
  if (list.length === 0) return 'none';
  return list
    .map(({ host, port, draining }) => `${host.includes(':') ? `[${host}]` : host}:${port}${draining === true ? ' (draining)' : ''}`)
    .join(', ');
}

function rps(value: number | null): string {
  return value === null ? 'not known' : `${digits(value)} requests/s`;
}

function grown(capacityRps: number | null, factor: number): string {
  return capacityRps === null ? `${digits(factor)} times that` : rps(capacityRps * factor);
}

function percent(value: number | null): string {
  return value === null ? 'not known' : `${digits(value * 100)} %`;
}

function from(source: string | null): string {
  return source === null ? '' : ` (${source})`;
}

function because(problem: string | undefined): string {
  return problem === undefined ? '' : ` (${problem})`;
}

function seconds(ms: number): string {
  return `${digits(ms / 1000)} s`;
}

function digits(value: number): string {
  return String(Math.round(value * 10) / 10);
}
