// The vital figures of each worker as it last reported them, for the operator's screens.
import { CacheFigures } from './cache-figures.ts';
import type { MetricsDelta } from '../telemetry/meter.ts';

export interface Figures {
  readonly residentBytes: number;
  readonly eventLoopDelayMs: number;
  readonly inFlight: number;
  readonly heapBytes: number;
}

/** Open sockets of a worker. */
export interface Sockets {
  readonly clients: number;
  readonly endpoints: number;
}

const NONE: Figures = { residentBytes: 0, eventLoopDelayMs: 0, inFlight: 0, heapBytes: 0 };

export class WorkerFigures {
  readonly #figures = new Map<string, Figures>();
  /** By worker, then by the listener or cluster they are of: gauges of what has gone stay at 0. */
  readonly #clients = new Map<string, Map<string, number>>();
  readonly #endpoints = new Map<string, Map<string, number>>();
  /** Of all workers. */
  readonly caches = new CacheFigures();

  add(worker: string, delta: MetricsDelta): void {
    let figures = this.of(worker);
    for (const { name, labels, value } of delta) {
      if (name === 'weir_process_resident_bytes') figures = { ...figures, residentBytes: value };
      else if (name === 'weir_event_loop_delay_seconds') figures = { ...figures, eventLoopDelayMs: value * 1000 };
      else if (name === 'weir_process_heap_bytes') figures = { ...figures, heapBytes: value };
      else if (name === 'weir_connections_open') partsOf(this.#clients, worker).set(labels[0] ?? '', value);
      else if (name === 'weir_upstream_connections_open') partsOf(this.#endpoints, worker).set(labels[0] ?? '', value);
      else if (name === 'weir_requests_in_flight') figures = { ...figures, inFlight: value };
    }
    this.#figures.set(worker, figures);
    this.caches.add(worker, delta);
  }

  forget(worker: string): void {
    for (const figures of [this.#figures, this.#clients, this.#endpoints]) figures.delete(worker);
    this.caches.forget(worker);
  }

  of(worker: string): Figures {
    return this.#figures.get(worker) ?? NONE;
  }

  socketsOf(worker: string): Sockets {
    return { clients: sumOf(this.#clients.get(worker)), endpoints: sumOf(this.#endpoints.get(worker)) };
  }

  /** Requests in work on all workers. */
  inFlight(): number {
    let sum = 0;
    for (const { inFlight } of this.#figures.values()) sum += inFlight;
    return sum;
  }
}

function partsOf(all: Map<string, Map<string, number>>, worker: string): Map<string, number> {
  const known = all.get(worker) ?? new Map<string, number>();
  all.set(worker, known);
  return known;
}

function sumOf(parts: ReadonlyMap<string, number> | undefined): number {
  let sum = 0;
  for (const part of parts?.values() ?? []) sum += part;
  return sum;
}
