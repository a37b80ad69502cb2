// What the history of a host tells of the hour before the news of tests: a cluster that was down for a while, and what that did to its requests.
import type { HistorySeriesView } from '../../balancer/controller/api/history-view.ts';
import { STATUS_AT } from './statuses.ts';

const STEP_MS = 30_000;
const POINTS = 120;
/** When it was down, as points. */
const DOWN = { from: 62, to: 70 };

/** A wave with a dent, the same each time. */
export function pastHour(series: string): HistorySeriesView {
  const points = Array.from({ length: POINTS }, (_, index) => index);
  const isDown = (index: number): boolean => index >= DOWN.from && index < DOWN.to;
  const isRough = (index: number): boolean => index >= DOWN.from - 4 && index < DOWN.to + 6;
  const wave = (index: number): number => 1900 + 500 * Math.sin(index / 19) + 90 * Math.sin(index * 1.7);
  return {
    ...{ series, startMs: Date.parse(STATUS_AT) - POINTS * STEP_MS, stepMs: STEP_MS },
    rps: points.map((index) => (isDown(index) ? 0 : Math.round(wave(index)))),
    errorRatio: points.map((index) => (isDown(index) ? null : isRough(index) ? 0.024 : 0.0004)),
    p50Ms: points.map((index) => (isDown(index) ? null : isRough(index) ? 41 : 13)),
    p95Ms: points.map((index) => (isDown(index) ? null : Math.round((isRough(index) ? 210 : 38) + 6 * Math.sin(index / 3)))),
    p99Ms: points.map((index) => (isDown(index) ? null : isRough(index) ? 700 : 120)),
    health: points.map((index) => (isDown(index) ? 'down' : isRough(index) ? 'degraded' : 'up')),
  };
}
