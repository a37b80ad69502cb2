// Takes the file's values over into the intent: once when they are new, later only where the file changed its mind.
import type { Config, RouteConfig, ServiceConfig, VersionConfig } from '../config/config.ts';
import { sameJson } from '../config/canonical-json.ts';
import { callersPart } from './callers.ts';
import { diffIntent, EMPTY_INTENT } from './diff.ts';
import type { ClusterIntent, Intent, Refusal, ServiceIntent, TouchedField } from './intent.ts';
import { glidedIntent, glidesPart, withoutEndedGlides } from './glide.ts';
import { withoutEndedOverrides } from './override.ts';
import { purgesPart } from './purge.ts';
import { formatPercent } from './percent.ts';
import { isActive } from './rollout.ts';
import { tokensPart } from './tokens.ts';

/** What seeding reads of a config. */
export type SeedConfig = Pick<Config, 'services' | 'clusters' | 'routes'>;

export interface Seeding {
  /** With problems: the previous intent as it was. One revision higher than `previous` when anything was touched. */
  readonly intent: Intent;
  readonly touched: readonly TouchedField[];
  /** Why the file cannot be taken over; empty when it can. */
  readonly problems: readonly Refusal[];
}

type Weights = Readonly<Record<string, number>>;

/**
 * The intent after a config is loaded. What the file says is remembered beside what is asked for, so that a reload changes only what
 * changed in the file, and never takes back what an operator did. A version that is new gets 0, a cluster that is new is active at
 * 100 %. What left the file while it has a share (`wallMs`: still has one, on its way) is a problem, unless the same file says where
 * the share goes.
 */
export function seedIntent(config: SeedConfig, previous: Intent | null, wallMs?: number): Seeding {
  const before = previous ?? EMPTY_INTENT;
  const problems: Refusal[] = [];
  for (const [name, service] of Object.entries(glidedIntent(before, wallMs).services)) {
    const now = config.services[name];
    if (now === undefined) problems.push(...serviceLeft(name, service, config.routes));
    else problems.push(...heldByRollout(now, service), ...versionsLeft(now, service), ...placementsLeft(now, service, before.clusters));
  }
  if (problems.length > 0) return { intent: before, touched: [], problems };
  const active: ClusterIntent = { admin: 'active', dialPercent: 100 };
  const seeded = withoutEnded({
    revision: before.revision,
    services: Object.fromEntries(
      Object.values(config.services).map((service) => [
        service.name,
        seedService(service, config.routes, before.services[service.name] ?? null),
      ]),
    ),
    clusters: Object.fromEntries(Object.keys(config.clusters).map((name) => [name, before.clusters[name] ?? active])),
    ...purgesPart(before),
    ...callersPart(before.callers),
    ...tokensPart(before.tokens),
    ...(before.quotaEpochs === undefined ? {} : { quotaEpochs: before.quotaEpochs }),
    ...(before.overrides === undefined ? {} : { overrides: before.overrides }),
    ...glidesPart(before.glides),
  });
  const touched = diffIntent(before, seeded);
  return { intent: touched.length === 0 ? before : { ...seeded, revision: before.revision + 1 }, touched, problems: [] };
}

/** What the file changed of a field has the say from then on. */
function withoutEnded(intent: Intent): Intent {
  return withoutEndedGlides(withoutEndedOverrides(intent));
}

function seedService(service: ServiceConfig, routes: readonly RouteConfig[], previous: ServiceIntent | null): ServiceIntent {
  const clusterWeightsSeed = Object.fromEntries(service.versions.map((version) => [version.name, weightsOf(version)]));
  const routeNames = routes.filter((route) => route.service === service.name).map((route) => route.name);
  return {
    split: previous === null || splitChanged(service, previous) ? service.split : keepSplit(service, previous.split),
    splitSeed: service.split,
    clusterWeights: Object.fromEntries(service.versions.map((version) => [version.name, weightsNow(version, previous)])),
    clusterWeightsSeed,
    routes: routeNames.sort(),
    ...(previous?.clusterSplits === undefined || splitChanged(service, previous) ? {} : { clusterSplits: previous.clusterSplits }),
    ...(previous?.rollout === undefined ? {} : { rollout: previous.rollout }),
    ...(previous?.pinEpoch === undefined ? {} : { pinEpoch: previous.pinEpoch }),
  };
}

function weightsOf(version: VersionConfig): Weights {
  return Object.fromEntries(version.placements.map(({ cluster, weight }) => [cluster, weight]));
}

/** A weight that the file changed is the file's for the whole version, since weights only mean something beside each other. */
function weightsNow(version: VersionConfig, previous: ServiceIntent | null): Weights {
  const file = weightsOf(version);
  const asked = previous?.clusterWeights[version.name];
  const seed = previous?.clusterWeightsSeed[version.name];
  return asked !== undefined && seed !== undefined && sameJson(file, seed) ? asked : file;
}

/** Versions at 0 do not count: adding one, or taking one out, says nothing about where the shares go. */
function splitChanged(service: ServiceConfig, previous: Pick<ServiceIntent, 'splitSeed'>): boolean {
  return !sameJson(withoutZeros(service.split), withoutZeros(previous.splitSeed));
}

function withoutZeros(weights: Weights): Weights {
  return Object.fromEntries(Object.entries(weights).filter(([, weight]) => weight !== 0));
}

function keepSplit(service: ServiceConfig, split: Weights): Weights {
  return Object.fromEntries(service.versions.map(({ name }) => [name, split[name] ?? 0]));
}

/** No route of the new file leads to a service that left; a route that vanished with it left its requests nowhere. */
function serviceLeft(name: string, service: ServiceIntent, routes: readonly RouteConfig[]): readonly Refusal[] {
  const vanished = (service.routes ?? []).filter((route) => !routes.some((kept) => kept.name === route));
  if (vanished.length === 0) return [];
  const list = vanished.map((route) => `"${route}"`).join(', ');
  return [
    {
      kind: 'unsafe',
      message:
        `services.${name}: the service left the file together with the route${vanished.length === 1 ? '' : 's'} ${list} that brought it requests; ` +
        `point the route${vanished.length === 1 ? '' : 's'} at another service, or apply a file without the route${vanished.length === 1 ? '' : 's'} first and one without the service after it`,
    },
  ];
}

/** A rollout holds the split: nothing else changes it, or the versions it is between. */
function heldByRollout(now: ServiceConfig, { rollout, ...before }: ServiceIntent): readonly Refusal[] {
  if (!isActive(rollout)) return [];
  const gone = [rollout.to, ...Object.keys(withoutZeros(rollout.from))].find(
    (version) => !now.versions.some(({ name }) => name === version),
  );
  if (gone === undefined && !splitChanged(now, before)) return [];
  const what =
    gone === undefined
      ? `services.${now.name}.split: the split changed`
      : `services.${now.name}.versions.${gone}: the version left the file`;
  return [
    {
      kind: 'conflict',
      message: `${what} while a rollout of "${now.name}" to "${rollout.to}" is under way; wait for its end, or end it first (weir canary abort ${now.name})`,
    },
  ];
}

function versionsLeft(now: ServiceConfig, before: ServiceIntent): readonly Refusal[] {
  if (splitChanged(now, before)) return [];
  return Object.entries(before.split)
    .filter(([version, share]) => share > 0 && !now.versions.some(({ name }) => name === version))
    .map(([version, share]) => ({
      kind: 'unsafe',
      message:
        `services.${now.name}.versions.${version}: the version left the file while it has ${formatPercent(share)} % of "${now.name}"; ` +
        `take its share away first (weir shift ${now.name} ${version}=0), or say in the same file where it goes (services.${now.name}.split)`,
    }));
}

/** A place left with its share in it, while the places that stay say exactly what they said before. */
function placementsLeft(now: ServiceConfig, before: ServiceIntent, clusters: Intent['clusters']): readonly Refusal[] {
  if (splitChanged(now, before)) return [];
  return now.versions.flatMap((version) => {
    const file = weightsOf(version);
    const asked = before.clusterWeights[version.name] ?? {};
    const seed = before.clusterWeightsSeed[version.name] ?? {};
    const said = Object.entries(file).some(([cluster, weight]) => seed[cluster] !== weight);
    if (said || (before.split[version.name] ?? 0) === 0) return [];
    return Object.entries(asked)
      .filter(([cluster, weight]) => weight > 0 && !Object.hasOwn(file, cluster) && isOpen(clusters[cluster]))
      .map(([cluster]): Refusal => leftPlace(now.name, version.name, cluster));
  });
}

function isOpen(cluster: ClusterIntent | undefined): boolean {
  return cluster === undefined || (cluster.admin === 'active' && cluster.dialPercent > 0);
}

function leftPlace(service: string, version: string, cluster: string): Refusal {
  const path = `services.${service}.versions.${version}.clusters`;
  return {
    kind: 'unsafe',
    message:
      `${path}.${cluster}: the cluster left the file while it has a share of version "${version}" of "${service}"; ` +
      `drain it first (weir drain ${cluster}), or say in the same file where its share goes: other weights under ${path}, or another services.${service}.split`,
  };
}
