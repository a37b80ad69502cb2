// The rules that no change may break: requests always have somewhere to go, unless they had nowhere before.
import type { Config, ServiceConfig } from '../config/config.ts';
import { placeShares, versionTotals } from './cluster-totals.ts';
import type { Intent, Refusal } from './intent.ts';

/** What a change is judged by. A `Config` will do. */
export interface Facts {
  readonly services: Config['services'];
  readonly clusters: Config['clusters'];
  /** Absent: there are none. */
  readonly routes?: Config['routes'];
  /** Can this (service, version, cluster) take requests by measured health? Absent: nothing is known, everything is taken to be up. */
  readonly usable?: (service: string, version: string, cluster: string) => boolean;
  /** Rules of the config; absent: there are none. */
  readonly safety?: Config['safety'];
  /** That the config declares; absent: none. */
  readonly gates?: Config['gates'];
  readonly consumers?: Config['consumers'];
  readonly limits?: Config['limits'];
  /** Requests per second by what is known; null: not known. Absent: what the config declares. */
  readonly capacityRps?: (cluster: string) => number | null;
  /** By measured health. */
  readonly isDown?: (cluster: string) => boolean;
  /** For rules about time. */
  readonly wallMs?: number;
  /** The rules of the config are overruled. */
  readonly breakGlass?: boolean;
}

/** Moving weights towards nothing that is up has no excuse; a drain or an undo may be made while everything is down anyway. */
export type Strictness = 'weights' | 'other';

/** Why the change from `before` to `after` must not be made; null when it may. */
export function breach(before: Intent, after: Intent, facts: Facts, strictness: Strictness): Refusal | null {
  for (const service of Object.values(facts.services)) {
    if (before.services[service.name] === after.services[service.name] && before.clusters === after.clusters) continue;
    const refusal =
      leavesNothing(service, before, after) ??
      leavesNothingUp(service, { before, after, facts, strictness }) ??
      leavesVersion(service, before, after);
    if (refusal !== null) return refusal;
  }
  return null;
}

/** Places of a version that the operator lets requests go to. */
function openPlaces(intent: Intent, service: ServiceConfig, version: string): readonly string[] {
  const shares = placeShares(intent, service)[version] ?? {};
  return Object.keys(shares).filter((cluster) => (shares[cluster] ?? 0) > 0 && isOpen(intent, cluster));
}

function isOpen(intent: Intent, cluster: string): boolean {
  const { admin, dialPercent } = intent.clusters[cluster] ?? { admin: 'active', dialPercent: 100 };
  return admin === 'active' && dialPercent > 0;
}

function versionsWithShare(intent: Intent, service: ServiceConfig): readonly string[] {
  const split = versionTotals(intent, service);
  return service.versions.map(({ name }) => name).filter((name) => (split[name] ?? 0) > 0);
}

function hasOpenPlace(intent: Intent, service: ServiceConfig): boolean {
  return versionsWithShare(intent, service).some((version) => openPlaces(intent, service, version).length > 0);
}

function leavesNothing(service: ServiceConfig, before: Intent, after: Intent): Refusal | null {
  if (hasOpenPlace(after, service) || !hasOpenPlace(before, service)) return null;
  const closed = closedPlaces(after, service);
  return unsafe(
    `service "${service.name}" would have no cluster left that takes requests${closed === '' ? '' : ` (${closed})`}; ` +
      `open another of its clusters first (weir restore CLUSTER, weir dial CLUSTER 100) or move its share to a version that runs elsewhere (weir shift ${service.name} VERSION=100)`,
  );
}

/** `eu is draining, us is dialled to 0`: what keeps the versions that have a share from being served. */
function closedPlaces(intent: Intent, service: ServiceConfig): string {
  const clusters = new Set(
    versionsWithShare(intent, service).flatMap((version) => Object.keys(intent.services[service.name]?.clusterWeights[version] ?? {})),
  );
  return [...clusters]
    .filter((cluster) => !isOpen(intent, cluster))
    .map((cluster) => `${cluster} ${stateOf(intent, cluster)}`)
    .join(', ');
}

function stateOf(intent: Intent, cluster: string): string {
  const admin = intent.clusters[cluster]?.admin;
  if (admin === 'maintenance') return 'is in maintenance';
  return admin === 'drain' ? 'is draining' : 'is dialled to 0';
}

interface Step {
  readonly before: Intent;
  readonly after: Intent;
  readonly facts: Facts;
  readonly strictness: Strictness;
}

function leavesNothingUp(service: ServiceConfig, { before, after, facts, strictness }: Step): Refusal | null {
  const { usable } = facts;
  if (usable === undefined) return null;
  const anyUp = (intent: Intent) =>
    versionsWithShare(intent, service).some((version) =>
      openPlaces(intent, service, version).some((cluster) => usable(service.name, version, cluster)),
    );
  if (anyUp(after) || (strictness === 'other' && !anyUp(before))) return null;
  const down = versionsWithShare(after, service).map(
    (version) => `${version} in ${openPlaces(after, service, version).join(', ') || 'no cluster'}`,
  );
  return unsafe(
    `service "${service.name}" would send its requests only to what cannot take them now (${down.join('; ')}); ` +
      'choose a version or cluster that is up (weir get services shows them), or wait until it is (weir wait --for health:CLUSTER=up)',
  );
}

/** A version that loses its last open place: allowed only where its share then goes to the other versions. */
function leavesVersion(service: ServiceConfig, before: Intent, after: Intent): Refusal | null {
  if (service.onUnavailable === 'redistribute') return null;
  const stranded = (intent: Intent, version: string) =>
    versionsWithShare(intent, service).includes(version) && openPlaces(intent, service, version).length === 0;
  const version = service.versions.map(({ name }) => name).find((name) => stranded(after, name) && !stranded(before, name));
  if (version === undefined) return null;
  return unsafe(
    `version "${version}" of service "${service.name}" has a share and would have no cluster left that takes requests, and its ` +
      `onUnavailable is ${service.onUnavailable}, so that share would be answered 503; take its share away first (weir shift ${service.name} ${version}=0) ` +
      'or open another of its clusters (weir restore CLUSTER)',
  );
}

function unsafe(message: string): Refusal {
  return { kind: 'unsafe', message };
}
