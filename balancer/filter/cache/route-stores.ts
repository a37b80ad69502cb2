// The stores of all routes of a generation. The next one takes over those whose route is still the same.
import type { Clock } from '../../../health/clock.ts';
import type { RouteConfig } from '../../config/config.ts';
import type { Purges } from '../../intent/purge.ts';
import type { Meter } from '../../telemetry/meter.ts';
import { AppliedPurges, PurgeMatch } from './purging.ts';
import { ResponseStore } from './response-store.ts';

interface RouteStore {
  readonly route: string;
  readonly store: ResponseStore;
}

/** What a route has stored in this worker. */
export interface StoreFigures {
  readonly route: string;
  readonly objects: number;
  readonly bytes: number;
}

export class RouteStores {
  /** Null: all were taken over that will be. */
  #previous: RouteStores | null;
  readonly #stores = new Map<string, RouteStore>();
  readonly #applied: AppliedPurges;
  readonly #clock: Clock;
  readonly #meter: Meter;

  constructor(previous: RouteStores | null, { clock, meter }: { readonly clock: Clock; readonly meter: Meter }) {
    this.#previous = previous;
    this.#applied = previous === null ? new AppliedPurges() : previous.#applied;
    this.#clock = clock;
    this.#meter = meter;
  }

  /** With another service or other filters a route may answer something else: it begins with nothing. */
  of({ name, service, filters }: Pick<RouteConfig, 'name' | 'service' | 'filters'>, maxBytes: number): ResponseStore {
    const key = JSON.stringify([name, service, filters, maxBytes]);
    const store = this.#stores.get(key)?.store ?? this.#previous?.find(key) ?? new ResponseStore(maxBytes);
    this.#stores.set(key, { route: name, store });
    return store;
  }

  find(key: string): ResponseStore | undefined {
    return this.#stores.get(key)?.store;
  }

  figures(): readonly StoreFigures[] {
    return [...this.#stores.values()].map(({ route, store }) => ({ route, objects: store.objects, bytes: store.bytes }));
  }

  /** Routes of one host may divide its paths by method: what one of them changes, another may have stored. */
  invalidate(uri: string): void {
    for (const { store } of this.#stores.values()) store.invalidate(uri);
  }

  /** Applies those of the list that were not applied yet. */
  purge(list: Purges): void {
    const due = this.#applied.take(list);
    if (due === null) return this.#clear();
    for (const purge of due) {
      const match = new PurgeMatch(purge);
      for (const { route, store } of this.#stores.values())
        if (purge.route === null || purge.route === route) this.#count(route, store.purge(match, purge.soft ? this.#clock.nowMs() : null));
    }
  }

  /** Every route has its store: lets go of those before. */
  settle(): void {
    this.#previous = null;
  }

  /** Requests that are still under way find nothing in what `next` did not take over, where no purge comes any more. */
  retire(next: RouteStores | null): void {
    for (const [key, { store }] of this.#stores) if (next?.find(key) !== store) store.close();
  }

  #clear(): void {
    for (const { route, store } of this.#stores.values()) this.#count(route, store.clear());
  }

  #count(route: string, purged: number): void {
    if (purged > 0) this.#meter.counter('weir_cache_purged_total', [route]).add(purged);
  }
}
