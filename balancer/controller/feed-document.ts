// The document that dashboards draw from: the status, and what its further screens show.
import { GLIDES } from '../intent/diff.ts';
import { toldChanges } from '../intent/told.ts';
import { METRICS } from '../telemetry/metrics.ts';
import type { FeedView, LatencyLineView, LatencyView, RevisionLineView, RevisionView } from './api/views.ts';
import { edgeViews, workerViews } from './appliance-views.ts';
import type { Edge } from './edge.ts';

const REVISIONS = 50;
/** Services that have a latency line, the busiest: a line is sent anew every second. */
const LATENCY_SERVICES = 20;
const BOUNDS_MS: readonly number[] = METRICS.weir_request_duration_seconds.buckets.map((bound) => bound * 1000);

export interface FeedParts {
  readonly hostId: string;
  readonly revisions: readonly RevisionLineView[];
}

export function feedView(edge: Edge, status: FeedView['status'], { hostId, revisions }: FeedParts): FeedView {
  return { status, workers: workerViews(edge), edges: edgeViews(edge, hostId), revisions, latency: latencyView(edge, status) };
}

/** Newest first. */
export function revisionLines(edge: Edge): readonly RevisionLineView[] {
  return edge.options.store.revisions(REVISIONS).map(revisionLine);
}

function revisionLine({ revision, at, author, source, reason, touched, undoes, approvedBy }: RevisionView): RevisionLineView {
  const fields = touched
    .filter(({ path: [part = ''], path }) => part !== 'overrides' && part !== GLIDES && !path.some((name) => name.endsWith('Seed')))
    .map(({ path }) => path.slice(path.length > 1 ? 1 : 0).join('.'));
  return {
    ...{ revision, at, source, reason, fields, what: toldChanges(touched), undoes },
    author: author.name,
    how: author.how,
    approvedBy: approvedBy?.name ?? null,
  };
}

function latencyView(edge: Edge, { clusters, services }: Pick<FeedView['status'], 'clusters' | 'services'>): LatencyView {
  const busiest = services
    .filter(({ traffic }) => traffic.rps > 0)
    .toSorted((one, other) => other.traffic.rps - one.traffic.rps)
    .slice(0, LATENCY_SERVICES);
  const lines: readonly LatencyLineView[] = [
    { of: 'all', counts: edge.window.latencies({ of: 'all' }) },
    ...clusters.map(({ name }) => ({ of: `cluster/${name}`, counts: edge.window.latencies({ of: 'cluster', cluster: name }) })),
    ...busiest.map(({ name }) => ({ of: `service/${name}`, counts: edge.window.latencies({ of: 'service', service: name }) })).sort(byName),
  ];
  return { second: edge.window.second, boundsMs: BOUNDS_MS, lines };
}

/** A stable order: a list that changes its order is sent whole. */
function byName(one: LatencyLineView, other: LatencyLineView): number {
  return one.of < other.of ? -1 : 1;
}
