// What two intents differ in, field by field, and how a field is put back. A field is the smallest thing that makes sense alone.
import { canonicalJson, sameJson } from '../config/canonical-json.ts';
import { CALLERS, callersPart, restoredCallers } from './callers.ts';
import { glidesPart } from './glide.ts';
import { overridesPart } from './override.ts';
import { purgesPart } from './purge.ts';
import { restoredEpochs } from './quota-reset.ts';
import { withoutRollout } from './rollout.ts';
import { TOKENS, tokensPart } from './tokens.ts';
import type { ClusterIntent, Intent, ServiceIntent, TouchedField } from './intent.ts';

/** The field of a cluster that only rises: a release cannot be taken back, since requests have gone there since. */
export const RELEASES = 'releases';

/** What is on its way, by the revision that sent it: where it goes is a field of its own. */
export const GLIDES = 'glides';

/** The part of an intent that nothing takes back: what was purged is gone. */
export const PURGES = 'purges';

/**
 * The fields of an intent by their path. A split is one field, since its parts only mean something together; the cluster weights of
 * a version are one; admin state and dial of a cluster are one each.
 */
export function fieldsOf(intent: Intent): ReadonlyMap<string, { readonly path: readonly string[]; readonly value: unknown }> {
  const fields = new Map<string, { readonly path: readonly string[]; readonly value: unknown }>();
  const add = (path: readonly string[], value: unknown) => fields.set(canonicalJson(path), { path, value });
  for (const [name, service] of Object.entries(intent.services)) {
    add(['services', name, 'split'], service.split);
    add(['services', name, 'splitSeed'], service.splitSeed);
    add(['services', name, 'clusterWeightsSeed'], service.clusterWeightsSeed);
    if (service.clusterSplits !== undefined) add(['services', name, 'clusterSplits'], service.clusterSplits);
    if (service.pinEpoch !== undefined) add(['services', name, 'pinEpoch'], service.pinEpoch);
    if (service.rollout !== undefined) add(['services', name, 'rollout'], service.rollout);
    if (service.routes !== undefined) add(['services', name, 'routes'], service.routes);
    for (const [version, weights] of Object.entries(service.clusterWeights)) add(['services', name, 'clusterWeights', version], weights);
  }
  for (const [name, cluster] of Object.entries(intent.clusters)) {
    add(['clusters', name, 'admin'], cluster.admin);
    add(['clusters', name, 'dialPercent'], cluster.dialPercent);
    if (cluster.releases !== undefined) add(['clusters', name, RELEASES], cluster.releases);
    if (cluster.returned !== undefined) add(['clusters', name, 'returned'], cluster.returned);
    if (cluster.tunnels !== undefined) add(['clusters', name, 'tunnels'], cluster.tunnels);
  }
  for (const [consumer, epochs] of Object.entries(intent.quotaEpochs ?? {}))
    for (const [limit, epoch] of Object.entries(epochs)) add(['quotaEpochs', consumer, limit], epoch);
  for (const [name, consumer] of Object.entries(intent.callers?.consumers ?? {})) add([CALLERS, 'consumers', name], consumer);
  for (const [id, key] of Object.entries(intent.callers?.keys ?? {})) add([CALLERS, 'keys', id], key);
  for (const [name, token] of Object.entries(intent.tokens ?? {})) add([TOKENS, name], token);
  for (const [id, override] of Object.entries(intent.overrides ?? {})) add(['overrides', id], override);
  for (const [id, glide] of Object.entries(intent.glides ?? {})) add([GLIDES, id], glide);
  for (const [id, purge] of Object.entries(intent.purges ?? {})) add([PURGES, id], purge);
  return fields;
}

/** Fields that differ, in the order of the documents. A field that is not there is null. The revision is no field. */
export function diffIntent(before: Intent, after: Intent): readonly TouchedField[] {
  const old = fieldsOf(before);
  const now = fieldsOf(after);
  const touched: TouchedField[] = [];
  for (const [key, { path, value }] of old) {
    const other = now.get(key)?.value ?? null;
    if (!sameJson(value, other)) touched.push({ path, before: value, after: other });
  }
  for (const [key, { path, value }] of now) {
    if (!old.has(key)) touched.push({ path, before: null, after: value });
  }
  return touched;
}

/** An intent without anything in it: what the first revision is compared with. */
export const EMPTY_INTENT: Intent = { revision: 0, services: {}, clusters: {} };

/**
 * The fields of `from` that an operator works on (splits, weights, admin states, dials) in place of those of `intent`, for the paths
 * given. What the file seeded, and which services, versions and clusters there are, stays as it is in `intent`.
 */
export function restoreFields(intent: Intent, from: Intent, paths: ReadonlySet<string>): Intent {
  const chosen = (...path: readonly string[]) => paths.has(canonicalJson(path));
  const service = (name: string, present: ServiceIntent): ServiceIntent => {
    const old = from.services[name];
    if (old === undefined) return present;
    const clusterWeights = Object.fromEntries(
      Object.entries(present.clusterWeights).map(([version, weights]) => {
        const restored = chosen('services', name, 'clusterWeights', version) ? old.clusterWeights[version] : undefined;
        return [version, restored ?? weights];
      }),
    );
    const { pinEpoch, ...others } = present;
    const epoch = chosen('services', name, 'pinEpoch') ? old.pinEpoch : pinEpoch;
    const restored = { ...others, ...(epoch === undefined ? {} : { pinEpoch: epoch }), clusterWeights };
    const now = chosen('services', name, 'split') ? { ...withoutRollout(restored, 'an undo'), split: old.split } : restored;
    if (!chosen('services', name, 'clusterSplits')) return now;
    const whole = withoutRollout(now, 'an undo');
    return old.clusterSplits === undefined ? whole : { ...whole, clusterSplits: old.clusterSplits };
  };
  const cluster = (name: string, present: ClusterIntent): ClusterIntent => {
    const old = from.clusters[name] ?? present;
    const { tunnels, ...others } = present;
    const deadline = chosen('clusters', name, 'tunnels') ? old.tunnels : tunnels;
    return {
      ...others,
      ...(deadline === undefined ? {} : { tunnels: deadline }),
      admin: chosen('clusters', name, 'admin') ? old.admin : present.admin,
      dialPercent: chosen('clusters', name, 'dialPercent') ? old.dialPercent : present.dialPercent,
    };
  };
  return {
    revision: intent.revision,
    services: mapValues(intent.services, service),
    clusters: mapValues(intent.clusters, cluster),
    ...purgesPart(intent),
    ...restoredEpochs(intent.quotaEpochs, from.quotaEpochs, (consumer, limit) => chosen('quotaEpochs', consumer, limit)),
    ...callersPart(restoredCallers(intent.callers, from.callers, chosen)),
    ...tokensPart(intent.tokens),
    ...overridesPart(picked(intent.overrides, from.overrides, (id) => chosen('overrides', id))),
    ...glidesPart(picked(intent.glides, from.glides, (id) => chosen(GLIDES, id))),
  };
}

/** Those that are chosen from the other, the rest of what is there. */
function picked<T>(
  present: Readonly<Record<string, T>> | undefined,
  other: Readonly<Record<string, T>> | undefined,
  isChosen: (id: string) => boolean,
): Readonly<Record<string, T>> {
  const of = (all: Readonly<Record<string, T>> = {}, chosen: boolean) => Object.entries(all).filter(([id]) => isChosen(id) === chosen);
  return Object.fromEntries([...of(present, false), ...of(other, true)]);
}

function mapValues<T>(record: Readonly<Record<string, T>>, change: (name: string, value: T) => T): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(name, value)]));
}
