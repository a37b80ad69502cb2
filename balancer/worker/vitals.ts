// How a worker is: what it holds open and how its event loop feels, written to gauges once a second.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { Clock, Timer } from '../../health/clock.ts';
import type { StoreFigures } from '../filter/cache/route-stores.ts';
import type { Counter, Meter } from '../telemetry/meter.ts';

export interface Holdings {
  readonly inFlight: number;
  readonly tunnels: number;
  readonly listeners: readonly { readonly name: string; readonly connections: number }[];
  readonly clusters: readonly { readonly name: string; readonly connections: number }[];
  readonly stores: readonly StoreFigures[];
  /** Of the event loop, 0 to 1. */
  readonly utilisation: number;
  /** Since the last look. */
  readonly accessLogDropped: number;
}

const PERIOD_MS = 1000;
const NANOSECONDS = 1e9;

export class Vitals {
  readonly #worker: string;
  readonly #meter: Meter;
  readonly #clock: Clock;
  readonly #loop: ReturnType<typeof monitorEventLoopDelay>;
  readonly #accepted = new Map<string, Counter>();
  #timer: Timer | null = null;

  constructor(worker: string, meter: Meter, clock: Clock) {
    this.#worker = worker;
    this.#meter = meter;
    this.#clock = clock;
    this.#loop = monitorEventLoopDelay({ resolution: 20 });
  }

  start(holdings: () => Holdings): void {
    this.#loop.enable();
    this.#next(holdings);
  }

  close(): void {
    this.#timer?.cancel();
    this.#loop.disable();
  }

  countConnection(listener: string): void {
    let counter = this.#accepted.get(listener);
    if (counter === undefined) {
      counter = this.#meter.counter('weir_connections_total', [listener]);
      this.#accepted.set(listener, counter);
    }
    counter.add(1);
  }

  #next(holdings: () => Holdings): void {
    this.#timer = this.#clock.after(
      PERIOD_MS,
      () => {
        this.#write(holdings());
        this.#next(holdings);
      },
      true,
    );
  }

  #write({ inFlight, tunnels, listeners, clusters, stores, utilisation, accessLogDropped }: Holdings): void {
    const meter = this.#meter;
    const worker = this.#worker;
    meter.gauge('weir_requests_in_flight', [worker]).set(inFlight);
    meter.gauge('weir_tunnels', [worker]).set(tunnels);
    for (const { name, connections } of listeners) meter.gauge('weir_connections_open', [name, worker]).set(connections);
    for (const { name, connections } of clusters) meter.gauge('weir_upstream_connections_open', [name, worker]).set(connections);
    for (const { route, objects, bytes } of stores) {
      meter.gauge('weir_cache_objects', [route, worker]).set(objects);
      meter.gauge('weir_cache_bytes', [route, worker]).set(bytes);
    }
    meter.gauge('weir_event_loop_delay_seconds', [worker]).set(this.#loop.percentile(99) / NANOSECONDS);
    meter.gauge('weir_event_loop_utilisation_ratio', [worker]).set(utilisation);
    meter.gauge('weir_process_resident_bytes', [worker]).set(process.memoryUsage.rss());
    meter.gauge('weir_process_heap_bytes', [worker]).set(getHeapStatistics().used_heap_size);
    if (accessLogDropped > 0) meter.counter('weir_access_log_dropped_total', [worker]).add(accessLogDropped);
    this.#loop.reset();
  }
}
