// What a service is asked before all of it goes to another version: is the version up everywhere, and would its clusters take the load and some more. Pure.
import { MILLION } from '../config/config.ts';
import type { Intent } from '../intent/intent.ts';
import { withoutClusterSplits } from '../intent/rollout.ts';
import type { Breach } from '../intent/rules.ts';
import type { Facts } from '../intent/safety.ts';
import type { Planned } from '../steer/plan.ts';
import type { DemandView } from '../steer/plan-shape.ts';
import { clusterLoads } from './cluster-shares.ts';

export interface SwitchWish {
  readonly service: string;
  readonly to: string;
  /** So many times the requests of now have to find room. */
  readonly growth: number;
}

export interface SwitchGround {
  readonly intent: Intent;
  readonly facts: Facts;
  readonly demand: DemandView;
  readonly preview: (intent: Intent, demand: DemandView) => Planned;
}

/** Every reason not to do it now. */
export function switchBreaches(wish: SwitchWish, ground: SwitchGround): readonly Breach[] {
  return [notUp(wish, ground), noRoom(wish, ground)].filter((breach) => breach !== null);
}

function notUp({ service, to }: SwitchWish, { intent, facts }: SwitchGround): Breach | null {
  const weights = intent.services[service]?.clusterWeights[to] ?? {};
  const down = Object.keys(weights).filter(
    (cluster) => (weights[cluster] ?? 0) > 0 && openPercent(intent, cluster) > 0 && facts.usable?.(service, to, cluster) === false,
  );
  if (down.length === 0) return null;
  const message = `"${to}" cannot take requests in ${down.join(', ')} now; wait until it can (weir get services), or drain what is to stay out (weir drain ${down[0] ?? 'CLUSTER'})`;
  return { rule: 'switch.health', message };
}

function noRoom({ service, to, growth }: SwitchWish, { intent, demand, preview }: SwitchGround): Breach | null {
  const present = intent.services[service];
  if (present === undefined) return null;
  const split = Object.fromEntries(Object.keys(present.split).map((version) => [version, version === to ? MILLION : 0]));
  const switched = { ...intent, services: { ...intent.services, [service]: { ...withoutClusterSplits(present), split } } };
  const rps = (demand[service] ?? 0) * growth;
  const grown = { ...demand, [service]: rps };
  const { plan, standings } = preview(switched, grown);
  const loads = clusterLoads(plan, grown);
  const clusters = [
    ...new Set((plan.services[service]?.targets ?? []).flatMap((target) => (target.effective > 0 ? [target.cluster] : []))),
  ];
  const roomOf = (cluster: string): number => ((standings[cluster]?.capacityRps ?? Infinity) * openPercent(intent, cluster)) / 100;
  // Shares are millionths: what is above by less is the rounding.
  const full = clusters.filter((cluster) => (loads.get(cluster) ?? 0) > roomOf(cluster) + rps / MILLION);
  const shed = ((plan.services[service]?.shed ?? 0) * rps) / MILLION;
  if (full.length === 0 && shed < 0.05) return null;
  const figures = full.map((cluster) => `${cluster} would have ${rounded(loads.get(cluster) ?? 0)} and takes ${rounded(roomOf(cluster))}`);
  const refused = shed < 0.05 ? [] : [`${rounded(shed)} would find no room`];
  const message =
    `the clusters of "${to}" would not take ${rounded(rps)} requests/s, ${growth} times those of now (${[...figures, ...refused].join(', ')}); ` +
    `give it more capacity first, go there in steps (weir canary start ${service} --to ${to}), or ask for less (--growth 1)`;
  return { rule: 'switch.capacity', message };
}

function openPercent(intent: Intent, cluster: string): number {
  const { admin, dialPercent } = intent.clusters[cluster] ?? { admin: 'active', dialPercent: 100 };
  return admin === 'active' ? dialPercent : 0;
}

function rounded(rps: number): number {
  return Number(rps.toFixed(1));
}
