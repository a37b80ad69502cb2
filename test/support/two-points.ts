// Two points of a history: one with requests, one without.
import type { HistorySeriesView } from '../../balancer/controller/api/history-view.ts';

export function twoPoints(series: string): HistorySeriesView {
  const figures = { rps: [4, 0], errorRatio: [0.25, null], p50Ms: [10, null], p95Ms: [20, null], p99Ms: [30, null] };
  return { series, startMs: 1_800_000_000_000, stepMs: 1000, ...figures };
}
