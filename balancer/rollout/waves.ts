// Waves of a rollout: which clusters take the steps now, what those have that took them before, and which waves make sense. Pure.
import { MILLION, type ServiceConfig } from '../config/config.ts';
import { apportion } from '../intent/apportion.ts';
import { clusterTotals, placeShares } from '../intent/cluster-totals.ts';
import type { ClusterSplits, Intent, Refusal, ServiceIntent } from '../intent/intent.ts';
import { divide, formatPercent, isRefusal } from '../intent/percent.ts';
import type { RolloutIntent } from '../intent/rollout.ts';

export type Waves = readonly (readonly string[])[];

/** ` in eu-west (wave 1 of 2)`; nothing where there are none. */
export function waveText({ waves, wave = 0 }: Pick<RolloutIntent, 'waves' | 'wave'>): string {
  return waves === undefined ? '' : ` in ${(waves[wave] ?? []).join(' and ')} (wave ${wave + 1} of ${waves.length})`;
}

/** Whether nothing of the service is outside the waves: then their end is the end of the rollout. */
export function coversAll(waves: Waves, intent: Intent, service: ServiceConfig): boolean {
  const named = new Set(waves.flat());
  return Object.entries(clusterTotals(intent, service)).every(([cluster, share]) => share === 0 || named.has(cluster));
}

/** What is wrong with the waves of a plan; null: nothing. `intent`: before it begins. */
export function wrongWaves(
  waves: Waves,
  plan: { readonly to: string; readonly first: number },
  intent: Intent,
  service: ServiceConfig,
): string | null {
  const named = waves.flat();
  const said = `waves ${waves.map((wave) => wave.join('+')).join(',')}`;
  const twice = named.find((cluster, index) => named.indexOf(cluster) !== index);
  if (twice !== undefined) return `${said}: "${twice}" is named twice; each cluster is in one wave`;
  if (waves.some((wave) => wave.length === 0)) return `${said}: a wave is empty; expected clusters such as eu-west+eu-north,us-east`;
  const { to, first } = plan;
  const weights = intent.services[service.name]?.clusterWeights[to] ?? {};
  const without = named.find((cluster) => (weights[cluster] ?? 0) === 0);
  if (without !== undefined) {
    const has = Object.keys(weights).filter((cluster) => (weights[cluster] ?? 0) > 0);
    return `${said}: "${to}" does not run in "${without}", or has weight 0 there; it runs in ${has.join(', ')}`;
  }
  const totals = clusterTotals(intent, service);
  const idle = named.find((cluster) => (totals[cluster] ?? 0) === 0);
  if (idle !== undefined) return `${said}: "${idle}" has no share of "${service.name}", so there is nothing to move there`;
  const shares = placeShares(intent, service)[to] ?? {};
  const ahead = named.find((cluster) => ((shares[cluster] ?? 0) / (totals[cluster] ?? 1)) * MILLION >= first);
  if (ahead === undefined) return null;
  const present = Math.round(((shares[ahead] ?? 0) / (totals[ahead] ?? 1)) * MILLION);
  return `${said}: "${to}" has ${formatPercent(present)} % of "${ahead}" already, and the first step, ${formatPercent(first)} %, is not more; steps rise`;
}

/** The largest wave, in millionths of the service. */
export function largestWave(waves: Waves, intent: Intent, service: ServiceConfig): number {
  const totals = clusterTotals(intent, service);
  return Math.max(0, ...waves.map((wave) => wave.reduce((sum, cluster) => sum + (totals[cluster] ?? 0), 0)));
}

/**
 * The splits of the clusters whose turn was or is: those of waves before have the last step, those of the present one `share`. The other
 * versions have the rest as they have the cluster without the rollout.
 */
export function splitsOfWaves(rollout: RolloutIntent, share: number, intent: Intent, service: ServiceConfig): ClusterSplits | Refusal {
  const { waves = [], wave = 0, steps, to } = rollout;
  const shares = placeShares(intent, service);
  const splits: Record<string, Readonly<Record<string, number>>> = {};
  for (const [index, clusters] of waves.slice(0, wave + 1).entries()) {
    for (const cluster of clusters) {
      const here = Object.entries(shares).filter(
        ([version, own]) => Object.hasOwn(own, cluster) && (version === to || (own[cluster] ?? 0) > 0),
      );
      if (!here.some(([version]) => version === to))
        return {
          kind: 'conflict',
          message: `"${to}" does not run in "${cluster}" any more, and that is in wave ${index + 1}; end the rollout (weir canary abort ${service.name})`,
        };
      const split = divide({
        subject: `service "${service.name}" in cluster "${cluster}"`,
        noun: 'version',
        present: Object.fromEntries(here.map(([version, own]) => [version, own[cluster] ?? 0])),
        named: { [to]: index < wave ? (steps.at(-1) ?? share) : share },
      });
      if (isRefusal(split)) return split;
      splits[cluster] = split;
    }
  }
  return splits;
}

/** The version has all, and each cluster what it had: its weights become those that the service had, where they were others. */
export function weightsAtEnd(
  present: ServiceIntent,
  to: string,
  intent: Intent,
  service: ServiceConfig,
): Readonly<Record<string, number>> | null {
  const weights = present.clusterWeights[to] ?? {};
  const totals = clusterTotals(intent, service);
  const clusters = Object.keys(weights);
  const shared = (of: Readonly<Record<string, number>>): readonly number[] =>
    apportion(
      MILLION,
      clusters.map((cluster) => of[cluster] ?? 0),
    );
  const [own, wanted] = [shared(weights), shared(totals)];
  // Two roundings of the same shares are a few millionths apart.
  if (wanted.every((share) => share === 0) || own.every((share, index) => Math.abs(share - (wanted[index] ?? 0)) <= 2)) return null;
  return Object.fromEntries(clusters.map((cluster, index) => [cluster, wanted[index] ?? 0]));
}
