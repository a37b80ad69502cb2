// Two versions side by side, for tests of what is shown of them.
import type { ResultsView } from '../../balancer/controller/api/views.ts';

/** Blue answers better than green by more than chance in errors and p95. */
export function twoResults(service: string, windowSeconds: number, baseline: string): ResultsView {
  const difference = {
    errorRatio: { value: 0.009, low: 0.001, high: 0.02 },
    p50Ms: { value: 0, low: -2.5, high: 2.5 },
    p95Ms: { value: 3, low: 0.5, high: null },
    p99Ms: { value: null, low: null, high: null },
  };
  const of = (version: string, errors: number): ResultsView['versions'][number] => ({
    ...{ version, splitPercent: 50, requests: 1000, errors, errorRatio: errors / 1000, p50Ms: 4, p95Ms: 20, p99Ms: null, mirrored: null },
    difference: version === baseline ? null : difference,
  });
  return { service, windowSeconds, baseline, versions: [of('blue', 1), of('green', 10)] };
}
