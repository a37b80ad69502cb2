// The caches of routes as the API shows them.
import type { CacheView } from './api/views.ts';
import type { Edge } from './edge.ts';

export function cacheViews({ config, figures }: Edge): readonly CacheView[] {
  const caching = config.routes.filter(({ filters }) => filters.some(({ name }) => name === 'cache'));
  return caching.map(({ name, service }) => {
    const counted = figures.caches.of(name);
    const { hits, misses, stale, bypassed } = counted;
    const all = hits + misses + stale + bypassed;
    return { route: name, service, hitRatio: all === 0 ? null : hits / all, ...counted };
  });
}
