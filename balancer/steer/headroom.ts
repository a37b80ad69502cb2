// N-1: what would be refused if one cluster were lost now, for each of them. Pure.
import { type Loads, NOTHING } from './loads.ts';
import { fillUp } from './waterfall.ts';

export interface Loss {
  readonly cluster: string;
  /** Requests per second that it has, and of these, what would find no place. */
  readonly rps: number;
  readonly shedRps: number;
}

/** Fewer requests per second than this are rounding. */
const LEAST_SHED_RPS = 0.01;

/**
 * What each cluster has goes to the others, as far as they may take it and up to all of their capacity; the others' own requests move
 * on where that makes room. The present plan is the start: what it refuses already is not counted again.
 */
export function losses(loads: Loads): readonly Loss[] {
  return loads.clusters.map((name, cluster) => {
    const rps = loads.used[cluster] ?? 0;
    if (rps <= NOTHING) return { cluster: name, rps: 0, shedRps: 0 };
    const { loads: others, rest } = loads.without(cluster);
    fillUp(others, rest);
    return { cluster: name, rps, shedRps: shedOf(rest) };
  });
}

export interface Spill extends Loss {
  /** Clusters that would take it, with what each would get more, the most first. */
  readonly to: readonly { readonly cluster: string; readonly rps: number }[];
}

/** Where the requests of each cluster that has some would go if it were lost now; of `wanted` clusters. */
export function spills(loads: Loads, wanted: ReadonlySet<string>): readonly Spill[] {
  return loads.clusters.flatMap((name, cluster) => {
    const rps = loads.used[cluster] ?? 0;
    if (rps <= NOTHING || !wanted.has(name)) return [];
    const { loads: others, rest } = loads.without(cluster);
    fillUp(others, rest);
    const to = others.clusters
      .map((other, index) => ({ cluster: other, rps: index === cluster ? 0 : (others.used[index] ?? 0) - (loads.used[index] ?? 0) }))
      .filter((one) => one.rps >= LEAST_SHED_RPS)
      .sort((a, b) => b.rps - a.rps);
    return [{ cluster: name, rps, shedRps: shedOf(rest), to }];
  });
}

function shedOf(rest: Float64Array): number {
  const shedRps = rest.reduce((sum, amount) => sum + amount, 0);
  return shedRps < LEAST_SHED_RPS ? 0 : shedRps;
}

/** The loss that would be worst; null: any one cluster can be lost. */
export function worstLoss(all: readonly Loss[]): Loss | null {
  let worst: Loss | null = null;
  for (const loss of all) if (loss.shedRps > (worst?.shedRps ?? 0)) worst = loss;
  return worst;
}

/** The figure in words; null: no capacity is known. */
export function headroomText(all: readonly Loss[] | null): string {
  if (all === null) return 'unknown: no cluster has a known capacity';
  const worst = worstLoss(all);
  if (worst === null) return 'yes: the others can take what any one cluster has now';
  return `no: without ${worst.cluster}, ${rate(worst.shedRps)} of its ${rate(worst.rps)} requests a second would be refused`;
}

function rate(rps: number): string {
  return rps >= 10 ? String(Math.round(rps)) : rps.toFixed(1);
}
