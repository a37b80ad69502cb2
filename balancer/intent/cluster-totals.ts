// What each cluster and each version has of a service by split and weights alone.
import type { ServiceConfig } from '../config/config.ts';
import type { Intent } from './intent.ts';

type Shares = Readonly<Record<string, number>>;

/** Version → cluster → millionths of the service, not rounded, by split and weights alone. */
export function placeShares(intent: Intent, service: ServiceConfig): Readonly<Record<string, Shares>> {
  const of = intent.services[service.name];
  const shares: Record<string, Record<string, number>> = {};
  const totals: Record<string, number> = {};
  for (const { name } of service.versions) {
    const weights = of?.clusterWeights[name] ?? {};
    const sum = Object.values(weights).reduce((total, weight) => total + weight, 0);
    const own: Record<string, number> = {};
    for (const [cluster, weight] of Object.entries(weights)) {
      own[cluster] = sum === 0 ? 0 : ((of?.split[name] ?? 0) * weight) / sum;
      totals[cluster] = (totals[cluster] ?? 0) + own[cluster];
    }
    shares[name] = own;
  }
  for (const [cluster, split] of Object.entries(of?.clusterSplits ?? {})) {
    const here = Object.entries(shares).filter(([, own]) => Object.hasOwn(own, cluster));
    const all = here.reduce((sum, [version]) => sum + (split[version] ?? 0), 0);
    if (all > 0) for (const [version, own] of here) own[cluster] = ((totals[cluster] ?? 0) * (split[version] ?? 0)) / all;
  }
  return shares;
}

/** Millionths of the service per cluster. */
export function clusterTotals(intent: Intent, service: ServiceConfig): Shares {
  const totals: Record<string, number> = {};
  for (const own of Object.values(placeShares(intent, service)))
    for (const [cluster, share] of Object.entries(own)) totals[cluster] = (totals[cluster] ?? 0) + share;
  return Object.fromEntries(Object.entries(totals).map(([cluster, share]) => [cluster, Math.round(share)]));
}

/** Millionths of the service per version: the split, unless clusters have one of their own. */
export function versionTotals(intent: Intent, service: ServiceConfig): Shares {
  const of = intent.services[service.name];
  if (of?.clusterSplits === undefined) return of?.split ?? {};
  return Object.fromEntries(
    Object.entries(placeShares(intent, service)).map(([version, own]) => [
      version,
      Math.round(Object.values(own).reduce((sum, share) => sum + share, 0)),
    ]),
  );
}
