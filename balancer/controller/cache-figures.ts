// What the caches of a host's routes have stored and answered, added up over its workers, since the controller began.
import type { MetricsDelta, SeriesDelta } from '../telemetry/meter.ts';

export interface RouteCacheFigures {
  /** In all workers. */
  readonly objects: number;
  readonly bytes: number;
  readonly hits: number;
  /** GET and HEAD that were asked of the service: not stored, not there any more, or not to be answered from memory. */
  readonly misses: number;
  readonly stale: number;
  readonly bypassed: number;
  /** Of hits and stale: served behind their end. */
  readonly servedStale: number;
  readonly evicted: number;
  readonly purged: number;
}

type Counted = { -readonly [Name in keyof Omit<RouteCacheFigures, 'objects' | 'bytes'>]: number };

interface Held {
  objects: number;
  bytes: number;
}

export class CacheFigures {
  readonly #counted = new Map<string, Counted>();
  /** worker → route */
  readonly #held = new Map<string, Map<string, Held>>();

  add(worker: string, delta: MetricsDelta): void {
    for (const series of delta) if (series.name.startsWith('weir_cache_')) this.#add(worker, series);
  }

  forget(worker: string): void {
    this.#held.delete(worker);
  }

  of(route: string): RouteCacheFigures {
    const held = { objects: 0, bytes: 0 };
    for (const routes of this.#held.values()) {
      const { objects = 0, bytes = 0 } = routes.get(route) ?? {};
      held.objects += objects;
      held.bytes += bytes;
    }
    return { ...held, ...(this.#counted.get(route) ?? NOTHING) };
  }

  #add(worker: string, { name, labels: [route = '', what = ''], value }: SeriesDelta): void {
    if (name === 'weir_cache_objects') this.#heldBy(worker, route).objects = value;
    else if (name === 'weir_cache_bytes') this.#heldBy(worker, route).bytes = value;
    else {
      const counted = this.#counted.get(route) ?? { ...NOTHING };
      this.#counted.set(route, counted);
      if (name === 'weir_cache_requests_total' && what in OUTCOMES) counted[OUTCOMES[what as keyof typeof OUTCOMES]] += value;
      else if (name === 'weir_cache_stale_total') counted.servedStale += value;
      else if (name === 'weir_cache_evictions_total') counted.evicted += value;
      else if (name === 'weir_cache_purged_total') counted.purged += value;
    }
  }

  #heldBy(worker: string, route: string): Held {
    const routes = this.#held.get(worker) ?? new Map<string, Held>();
    this.#held.set(worker, routes);
    const held = routes.get(route) ?? { objects: 0, bytes: 0 };
    routes.set(route, held);
    return held;
  }
}

const OUTCOMES = { hit: 'hits', miss: 'misses', stale: 'stale', bypass: 'bypassed' } as const;
const NOTHING: Readonly<Counted> = { hits: 0, misses: 0, stale: 0, bypassed: 0, servedStale: 0, evicted: 0, purged: 0 };
