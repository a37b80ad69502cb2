// What each cluster has of a service by split and weights alone.
import type { ServiceConfig } from '../config/config.ts';
import type { Intent } from './intent.ts';

/** Millionths of the service per cluster, by split and weights alone. */
export function clusterTotals(intent: Intent, service: ServiceConfig): Readonly<Record<string, number>> {
  const totals: Record<string, number> = {};
  const of = intent.services[service.name];
  for (const { name } of service.versions) {
    const weights = of?.clusterWeights[name] ?? {};
    const sum = Object.values(weights).reduce((total, weight) => total + weight, 0);
    for (const [cluster, weight] of Object.entries(weights)) {
      totals[cluster] = (totals[cluster] ?? 0) + (sum === 0 ? 0 : ((of?.split[name] ?? 0) * weight) / sum);
    }
  }
  return Object.fromEntries(Object.entries(totals).map(([cluster, share]) => [cluster, Math.round(share)]));
}
