// The stores of all routes of a generation. The next one takes over those whose route is still the same.
import type { RouteConfig } from '../../config/config.ts';
import { ResponseStore } from './response-store.ts';

export class RouteStores {
  /** Null: all were taken over that will be. */
  #previous: RouteStores | null;
  readonly #stores = new Map<string, ResponseStore>();

  constructor(previous: RouteStores | null) {
    this.#previous = previous;
  }

  /** With another service or other filters a route may answer something else: it begins with nothing. */
  of({ name, service, filters }: Pick<RouteConfig, 'name' | 'service' | 'filters'>, maxBytes: number): ResponseStore {
    const key = JSON.stringify([name, service, filters, maxBytes]);
    const store = this.#stores.get(key) ?? this.#previous?.find(key) ?? new ResponseStore(maxBytes);
    this.#stores.set(key, store);
    return store;
  }

  find(key: string): ResponseStore | undefined {
    return this.#stores.get(key);
  }

  /** Routes of one host may divide its paths by method: what one of them changes, another may have stored. */
  invalidate(uri: string): void {
    for (const store of this.#stores.values()) store.invalidate(uri);
  }

  /** Every route has its store: lets go of those before. */
  settle(): void {
    this.#previous = null;
  }
}
