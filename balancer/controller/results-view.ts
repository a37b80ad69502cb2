// The versions of a service side by side, as the API shows them: what their tries came to, and how sure the differences are.
import { MILLION } from '../config/config.ts';
import type { Outcomes } from '../rollout/gate.ts';
import { partDifference, quantileDifference, wilson, Z95 } from '../telemetry/intervals.ts';
import { quantileMs } from '../telemetry/latency-buckets.ts';
import type { DifferenceView, MirroredView, ResultsView, VersionResultView } from './api/views.ts';
import type { ResultsRequest } from './appliance.ts';
import { noCounts } from './driver/outcomes.ts';
import type { Edge } from './edge.ts';
import { intentNow } from './intent-now.ts';

/** A text: what is asked for is not there. */
export function resultsView(edge: Edge, name: string, { windowSeconds, baseline: asked }: ResultsRequest): ResultsView | string {
  const service = edge.config.services[name];
  if (service === undefined) return `no service named ${JSON.stringify(name)}; there are ${Object.keys(edge.config.services).join(', ')}`;
  const split = intentNow(edge).services[name]?.split ?? service.split;
  const names = service.versions.map((version) => version.name);
  // Of equal shares the first of the file.
  const largest = names.reduce((best, version) => ((split[version] ?? 0) > (split[best] ?? 0) ? version : best));
  const baseline = asked ?? largest;
  if (!names.includes(baseline)) return `${name} has no version ${JSON.stringify(baseline)}; there are ${names.join(', ')}`;
  const { versions, seconds } = edge.results.of(name, windowSeconds);
  const outcomesOf = (version: string): Outcomes => versions.get(version) ?? noCounts();
  return {
    service: name,
    windowSeconds: seconds,
    baseline,
    versions: names.map((version) => {
      const against = version === baseline ? null : outcomesOf(baseline);
      return { version, splitPercent: ((split[version] ?? 0) * 100) / MILLION, ...resultOf(outcomesOf(version), against) };
    }),
  };
}

export function resultOf(own: Outcomes, baseline: Outcomes | null): Omit<VersionResultView, 'version' | 'splitPercent'> {
  const quantile = (part: number): number | null => quantileMs(own.latency, part);
  return {
    requests: own.requests,
    errors: own.errors,
    errorRatio: ratioOf(own),
    p50Ms: quantile(0.5),
    p95Ms: quantile(0.95),
    p99Ms: quantile(0.99),
    mirrored: mirroredOf(own),
    difference:
      baseline === null
        ? null
        : {
            errorRatio: ratioDifference(own, baseline),
            p50Ms: latencyDifference(own, baseline, 0.5),
            p95Ms: latencyDifference(own, baseline, 0.95),
            p99Ms: latencyDifference(own, baseline, 0.99),
          },
  };
}

function mirroredOf({ compared = 0, different = 0 }: Outcomes): MirroredView | null {
  if (compared === 0) return null;
  return { compared, different, ratio: { value: different / compared, ...wilson({ hits: different, of: compared }, Z95) } };
}

function ratioOf({ requests, errors }: Outcomes): number {
  return requests === 0 ? 0 : errors / requests;
}

function ratioDifference(own: Outcomes, baseline: Outcomes): DifferenceView {
  const interval = partDifference({ hits: own.errors, of: own.requests }, { hits: baseline.errors, of: baseline.requests });
  const known = own.requests > 0 && baseline.requests > 0;
  return { value: known ? ratioOf(own) - ratioOf(baseline) : null, ...interval };
}

function latencyDifference(own: Outcomes, baseline: Outcomes, part: number): DifferenceView {
  const [mine, theirs] = [quantileMs(own.latency, part), quantileMs(baseline.latency, part)];
  if (mine === null || theirs === null) return { value: null, low: null, high: null };
  return { value: mine - theirs, ...quantileDifference(own.latency, baseline.latency, part) };
}
