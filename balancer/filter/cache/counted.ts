// What the cache of a route counts.
import type { Counter } from '../../telemetry/meter.ts';
import type { FilterEnvironment } from '../filter.ts';

/** What became of a request that nobody waited for. */
export type RefreshOutcome = 'unchanged' | 'renewed' | 'not_stored' | 'failed';

export interface Counted {
  readonly hit: Counter;
  readonly miss: Counter;
  readonly stale: Counter;
  readonly bypass: Counter;
  readonly stored: Counter;
  readonly storedBytes: Counter;
  readonly evictions: Counter;
  /** Served behind their end, by why. */
  readonly staleWhileRevalidating: Counter;
  readonly staleIfError: Counter;
  readonly refreshed: Readonly<Record<RefreshOutcome, Counter>>;
}

export function countedOn({ meter, route }: Pick<FilterEnvironment, 'meter' | 'route'>): Counted {
  const requests = (outcome: string): Counter => meter.counter('weir_cache_requests_total', [route, outcome]);
  const stale = (reason: string): Counter => meter.counter('weir_cache_stale_total', [route, reason]);
  const refreshed = (outcome: RefreshOutcome): Counter => meter.counter('weir_cache_revalidations_total', [route, outcome]);
  return {
    hit: requests('hit'),
    miss: requests('miss'),
    stale: requests('stale'),
    bypass: requests('bypass'),
    stored: meter.counter('weir_cache_stored_total', [route]),
    storedBytes: meter.counter('weir_cache_stored_bytes_total', [route]),
    evictions: meter.counter('weir_cache_evictions_total', [route]),
    staleWhileRevalidating: stale('revalidating'),
    staleIfError: stale('error'),
    refreshed: {
      unchanged: refreshed('unchanged'),
      renewed: refreshed('renewed'),
      not_stored: refreshed('not_stored'),
      failed: refreshed('failed'),
    },
  };
}
