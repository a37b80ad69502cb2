// The vital figures of each worker as it last reported them, for the operator's screens.
import { CacheFigures } from './cache-figures.ts';
import type { MetricsDelta } from '../telemetry/meter.ts';

export interface Figures {
  readonly residentBytes: number;
  readonly eventLoopDelayMs: number;
  readonly inFlight: number;
}

const NONE: Figures = { residentBytes: 0, eventLoopDelayMs: 0, inFlight: 0 };

export class WorkerFigures {
  readonly #figures = new Map<string, Figures>();
  /** Of all workers. */
  readonly caches = new CacheFigures();

  add(worker: string, delta: MetricsDelta): void {
    let figures = this.of(worker);
    for (const { name, value } of delta) {
      if (name === 'weir_process_resident_bytes') figures = { ...figures, residentBytes: value };
      else if (name === 'weir_event_loop_delay_seconds') figures = { ...figures, eventLoopDelayMs: value * 1000 };
      else if (name === 'weir_requests_in_flight') figures = { ...figures, inFlight: value };
    }
    this.#figures.set(worker, figures);
    this.caches.add(worker, delta);
  }

  forget(worker: string): void {
    this.#figures.delete(worker);
    this.caches.forget(worker);
  }

  of(worker: string): Figures {
    return this.#figures.get(worker) ?? NONE;
  }

  /** Requests in work on all workers. */
  inFlight(): number {
    let sum = 0;
    for (const { inFlight } of this.#figures.values()) sum += inFlight;
    return sum;
  }
}
