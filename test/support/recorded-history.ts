// A history whose time a test makes: counts as workers send them, seconds as they pass, and a process that dies at any of them.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Config } from '../../balancer/config/config.ts';
import { historyAnswer } from '../../balancer/controller/history-answer.ts';
import type { HistoryRequest, HistorySeriesView } from '../../balancer/controller/api/history-view.ts';
import { openHistoryFile } from '../../balancer/store/history-file.ts';
import { History, type Standing } from '../../balancer/telemetry/history/history.ts';
import { BUCKETS } from '../../balancer/telemetry/latency-buckets.ts';
import type { MetricsDelta } from '../../balancer/telemetry/meter.ts';
import { configOf } from './probe-config.ts';

export const START_MS = Date.parse('2026-11-21T10:00:00.000Z');

export interface Place {
  readonly service: string;
  readonly version: string;
  readonly cluster: string;
}

export const SHOP: Place = { service: 'shop', version: 'blue', cluster: 'eu' };

/** What a worker sends of requests that took about `tookMs`. */
export function counted({ service, version, cluster }: Place, requests: number, { errors = 0, tookMs = 10 } = {}): MetricsDelta {
  const bounds = [
    0.5, 1, 2.5, 5, 7.5, 10, 15, 25, 35, 50, 75, 100, 150, 250, 350, 500, 750, 1000, 1500, 2500, 5000, 7500, 10_000, 30_000, 60_000,
  ];
  const buckets = new Array<number>(BUCKETS).fill(0);
  buckets[bounds.findIndex((bound) => tookMs <= bound)] = requests;
  return [
    { name: 'weir_requests_total', labels: ['all', service, version, cluster, '2xx'], value: requests - errors },
    { name: 'weir_requests_total', labels: ['all', service, version, cluster, '5xx'], value: errors },
    { name: 'weir_request_duration_seconds', labels: [service, version, cluster], value: (requests * tookMs) / 1000, buckets },
  ];
}

export class RecordedHistory {
  nowMs = START_MS;
  maxBytes = 64 * 1024 * 1024;
  maxSeries = 20_000;
  readonly dropped: number[] = [];
  readonly problems: string[] = [];
  readonly path: string;
  readonly config: Config;
  history: History;

  constructor(t: Pick<TestContext, 'after'>, config: Config = configOf([])) {
    const directory = mkdtempSync(join(tmpdir(), 'weir-history-'));
    this.path = join(directory, 'history.sqlite');
    this.config = config;
    this.history = this.#open();
    t.after(() => {
      this.history.close();
      rmSync(directory, { recursive: true, force: true });
    });
  }

  /** As many seconds, each with the counts of `each`. */
  pass(seconds: number, each: (second: number) => MetricsDelta = () => [], standings: readonly Standing[] = []): void {
    for (let second = 0; second < seconds; second += 1) {
      this.history.add(each(second));
      this.history.tick(standings);
      this.nowMs += 1000;
    }
    this.history.tick([]);
  }

  /** Ends without a word, and starts again. What a process has written is in the file, whatever becomes of it. */
  die(): void {
    this.history = this.#open();
  }

  ask(request: HistoryRequest): readonly HistorySeriesView[] {
    const answer = historyAnswer(this.history, request, { config: this.config, nowMs: this.nowMs });
    if (typeof answer === 'string') throw new Error(answer);
    return answer;
  }

  /** The first series of the answer. */
  one(request: HistoryRequest): HistorySeriesView {
    const [first] = this.ask(request);
    if (first === undefined) throw new Error(`nothing is told of ${request.series}`);
    return first;
  }

  #open(): History {
    const store = openHistoryFile({ path: this.path, maxBytes: () => this.maxBytes, warn: (problem) => void this.problems.push(problem) });
    return new History({
      store,
      wallMs: () => this.nowMs,
      maxSeries: () => this.maxSeries,
      onDropped: (series) => void this.dropped.push(series),
      onProblem: (problem) => void this.problems.push(problem),
    });
  }
}

/** All requests that a series tells of. */
export function total({ rps, stepMs }: HistorySeriesView): number {
  return Math.round(rps.reduce<number>((sum, one) => sum + ((one ?? 0) * stepMs) / 1000, 0));
}
