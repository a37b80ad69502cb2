// The history of this host: fed by what workers count and by how clusters and shares stand, and asked by the admin API.
import { join } from 'node:path';
import type { Clock } from '../../health/clock.ts';
import type { Config } from '../config/config.ts';
import type { Log } from '../log.ts';
import { openHistoryFile } from '../store/history-file.ts';
import { History, type Standing } from '../telemetry/history/history.ts';
import type { Meter, MetricsDelta } from '../telemetry/meter.ts';
import type { HistoryRequest, HistorySeriesView } from './api/history-view.ts';
import type { StatusView } from './api/views.ts';
import { historyAnswer } from './history-answer.ts';

const MILLION = 1_000_000;

export interface HistoryEnvironment {
  readonly stateDir: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly meter: Meter;
  readonly config: () => Config;
}

export class HostHistory {
  /** Null: none is kept, or the file cannot be opened. */
  readonly #history: History | null;
  readonly #environment: HistoryEnvironment;

  /** Opens the file. What is wrong with it is told and stops nothing. */
  constructor(environment: HistoryEnvironment) {
    this.#environment = environment;
    this.#history = environment.config().history.maxBytes === 0 ? null : openHistory(environment);
  }

  add(delta: MetricsDelta): void {
    this.#history?.add(delta);
  }

  /** Once a second. */
  tick(status: StatusView): void {
    this.#history?.tick(standingsOf(status));
  }

  /** A text: what is wrong with the question. */
  answer(request: HistoryRequest): readonly HistorySeriesView[] | string {
    if (this.#history === null)
      return 'this host keeps no history: history.maxSize of its config is 0, or its file cannot be opened (the log says why)';
    return historyAnswer(this.#history, request, { config: this.#environment.config(), nowMs: this.#environment.clock.wallMs() });
  }

  close(): void {
    this.#history?.close();
  }
}

function openHistory({ stateDir, clock, log, meter, config }: HistoryEnvironment): History | null {
  const warn = (problem: string): void => log.warn({ problem }, 'history');
  try {
    const store = openHistoryFile({ path: join(stateDir, 'history.sqlite'), maxBytes: () => config().history.maxBytes, warn });
    return new History({
      store,
      wallMs: () => clock.wallMs(),
      maxSeries: () => config().history.maxSeries,
      onDropped: (series) => meter.counter('weir_history_series_dropped_total', [config().hostName]).add(series),
      onProblem: warn,
    });
  } catch (error) {
    warn(`it cannot be opened, and none is kept: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}

function standingsOf({ services, clusters }: StatusView): readonly Standing[] {
  const standings: Standing[] = clusters.map(({ name, health }) => ({ series: `cluster/${name}`, health }));
  for (const { name, targets, traffic } of services) {
    // Of a service that nobody asks for, no version has anything to show.
    if (traffic.rps === 0) continue;
    const shares = new Map<string, { desired: number; effective: number }>();
    for (const { version, desiredShare, effectiveShare } of targets) {
      const share = shares.get(version) ?? { desired: 0, effective: 0 };
      share.desired += desiredShare * MILLION;
      share.effective += effectiveShare * MILLION;
      shares.set(version, share);
    }
    for (const [version, share] of shares) standings.push({ series: `version/${name}/${version}`, ...share });
  }
  return standings;
}
