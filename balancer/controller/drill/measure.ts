// What a drill is measured by: the figures of each service and cluster before it, summed up second by second while it runs. Pure but for the window it reads.
import type { TrafficOf, TrafficWindow } from '../../telemetry/window.ts';
import type { DrillCluster, DrillFigures, DrillReport, DrillService } from './report.ts';
import type { Lately } from './watch.ts';

/** What is usual. */
const BEFORE_SECONDS = 60;
/** What is looked at while it runs. */
const LATELY_SECONDS = 10;

type Window = Pick<TrafficWindow, 'figures' | 'outcomes'>;

/** Over the last seconds. */
export function lately(window: Window, whose: TrafficOf, seconds: number): Lately {
  const { rps, errorRatio, p50Ms, p95Ms, p99Ms, windowSeconds } = window.figures(whose, Math.max(1, Math.min(seconds, LATELY_SECONDS)));
  return { rps, errorRatio, p50Ms, p95Ms, p99Ms, requests: rps * windowSeconds };
}

/** Before it begins. */
export function servicesBefore(window: Window, services: readonly string[]): readonly DrillService[] {
  return services.map((service) => {
    const { rps, errorRatio, p95Ms, p99Ms } = window.figures({ of: 'service', service }, BEFORE_SECONDS);
    const nothing = { rps: 0, errorRatio: 0, p95Ms: null, p99Ms: null };
    return { service, before: { rps, errorRatio, p95Ms, p99Ms }, during: nothing, requests: 0, errors: 0 };
  });
}

/** The part that each cluster has of all requests. */
export function sharesNow(window: Window, clusters: readonly string[], seconds: number): ReadonlyMap<string, number> {
  const counts = clusters.map((cluster) => [cluster, window.outcomes({ of: 'cluster', cluster }, seconds)?.requests ?? 0] as const);
  const all = counts.reduce((sum, [, requests]) => sum + requests, 0);
  return new Map(counts.map(([cluster, requests]) => [cluster, all === 0 ? 0 : requests / all]));
}

/** With what the last `seconds` brought. */
export function withSeconds(report: DrillReport, window: Window, seconds: number): DrillReport {
  const measured = report.seconds + seconds;
  const services = report.services.map((service): DrillService => {
    const now = window.outcomes({ of: 'service', service: service.service }, seconds) ?? { requests: 0, errorRatio: 0 };
    const requests = service.requests + now.requests;
    const errors = service.errors + now.requests * now.errorRatio;
    const late = lately(window, { of: 'service', service: service.service }, measured);
    return { ...service, requests, errors, during: during(service.during, late, { requests, errors, seconds: measured }) };
  });
  const counted = report.clusters.map((cluster) => {
    const now = window.outcomes({ of: 'cluster', cluster: cluster.cluster }, seconds)?.requests ?? 0;
    return { ...cluster, requests: cluster.requests + now };
  });
  const all = counted.reduce((sum, { requests }) => sum + requests, 0);
  const clusters = counted.map((cluster): DrillCluster => ({ ...cluster, shareDuring: all === 0 ? 0 : cluster.requests / all }));
  return { ...report, services, clusters, seconds: measured };
}

function during(
  before: DrillFigures,
  now: Lately,
  { requests, errors, seconds }: { readonly requests: number; readonly errors: number; readonly seconds: number },
): DrillFigures {
  return {
    rps: requests / seconds,
    errorRatio: requests === 0 ? 0 : errors / requests,
    p95Ms: worse(before.p95Ms, now.p95Ms),
    p99Ms: worse(before.p99Ms, now.p99Ms),
  };
}

function worse(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.max(one, other);
}
