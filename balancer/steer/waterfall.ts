// All services together against what each cluster can take: up to the target utilisation, on by preference, then up to all of it. Pure.
import { augment } from './augment.ts';
import { type Loads, NOTHING } from './loads.ts';

/** Above this part of its capacity a cluster hands on what it can, so that a burst or another failure still finds room. */
export const TARGET_UTILISATION = 0.8;

/** Shared rounds before what is left is given out in turn. */
const MAX_ROUNDS = 24;

/** Which places a pour may use. */
interface Phase {
  readonly utilisation: number;
  /** Of the same version, or of the others. */
  readonly same: boolean;
  readonly lastResort: boolean;
}

/**
 * Pours the loads so that no cluster is above its capacity while places that could take the rest have room. What no place has room for
 * is in the result: requests per second by version. Preference: the target utilisation before a full cluster, the same version before
 * the others, lower tiers before higher ones, last resorts at the end; inside a tier by weight.
 */
export function pourLoads(loads: Loads): Float64Array {
  const rest = new Float64Array(loads.versionOwner.length);
  takeOff(loads, rest, TARGET_UTILISATION, (target) => (loads.spills(target) ? (loads.load[target] ?? 0) : 0));
  pourBoth(loads, rest, TARGET_UTILISATION, false);
  takeOff(loads, rest, 1, (target) => loads.movable(target));
  fillUp(loads, rest);
  return rest;
}

/** Finds places up to all of what clusters can take. */
export function fillUp(loads: Loads, rest: Float64Array): void {
  pourBoth(loads, rest, 1, false);
  pourBoth(loads, rest, 1, true);
  augment(loads, rest);
}

/** From clusters that are above, in proportion from all that may move. */
function takeOff(loads: Loads, rest: Float64Array, utilisation: number, movable: (target: number) => number): void {
  const fractions = new Float64Array(loads.clusters.length);
  let over = false;
  for (let cluster = 0; cluster < fractions.length; cluster += 1) {
    const excess = (loads.used[cluster] ?? 0) - (loads.capacity[cluster] ?? Infinity) * utilisation;
    if (!(excess > NOTHING)) continue;
    over = true;
    let sum = 0;
    for (const target of loads.byCluster()[cluster] ?? []) sum += movable(target);
    fractions[cluster] = sum > 0 ? Math.min(1, excess / sum) : 0;
  }
  if (!over) return;
  for (let target = 0; target < loads.count; target += 1) {
    const off = movable(target) * (fractions[loads.cluster[target] ?? 0] ?? 0);
    if (off <= 0) continue;
    loads.add(target, -off);
    const version = loads.version[target] ?? 0;
    rest[version] = (rest[version] ?? 0) + off;
  }
}

function pourBoth(loads: Loads, rest: Float64Array, utilisation: number, lastResort: boolean): void {
  pour(loads, rest, { utilisation, same: true, lastResort });
  pour(loads, rest, { utilisation, same: false, lastResort });
}

/**
 * In rounds: each version asks the places of its lowest tier with room, by weight; a cluster that is asked for more than it has gives
 * all the same part. So nobody is first, and a cluster's room is given out once.
 */
function pour(loads: Loads, rest: Float64Array, phase: Phase): void {
  const asked = new Float64Array(loads.clusters.length);
  let pools: readonly number[] = [...rest.keys()].filter((version) => (rest[version] ?? 0) > NOTHING);
  for (let round = 0; round < MAX_ROUNDS && pools.length > 0; round += 1) {
    asked.fill(0);
    const asking = pools.flatMap((version) => ask(loads, { version, amount: rest[version] ?? 0, phase, asked }) ?? []);
    if (asking.length === 0) return;
    for (const one of asking) rest[one.version] = (rest[one.version] ?? 0) - give(loads, one, asked);
    pools = asking.flatMap(({ version }) => ((rest[version] ?? 0) > NOTHING ? [version] : []));
  }
  for (const version of pools) rest[version] = inTurn(loads, version, rest[version] ?? 0, phase);
}

interface Pool {
  readonly version: number;
  /** Requests per second without a place. */
  readonly amount: number;
  readonly phase: Phase;
}

/** What a version asks for in a round: `amount × claim / claims` of each place of the tier that has room. */
interface Asking extends Pool {
  readonly tier: number;
  readonly claims: number;
}

/** Adds what the version wants of each cluster to `asked`; null: no place has room for it. */
function ask(loads: Loads, { asked, ...pool }: Pool & { readonly asked: Float64Array }): Asking | null {
  const owner = loads.versionOwner[pool.version] ?? 0;
  const [from, to] = [loads.start[owner] ?? 0, loads.start[owner + 1] ?? 0];
  let tier = Infinity;
  let claims = 0;
  for (let target = from; target < to; target += 1) {
    if (!fits(loads, target, pool.version, pool.phase)) continue;
    const own = loads.tier[target] ?? 0;
    if (own < tier) [tier, claims] = [own, 0];
    if (own === tier) claims += loads.claim[target] ?? 0;
  }
  if (claims === 0) return null;
  const asking = { ...pool, tier, claims };
  for (let target = from; target < to; target += 1) {
    const cluster = loads.cluster[target] ?? 0;
    if (wants(loads, target, asking)) asked[cluster] = (asked[cluster] ?? 0) + (pool.amount * (loads.claim[target] ?? 0)) / claims;
  }
  return asking;
}

function fits(loads: Loads, target: number, version: number, { utilisation, same, lastResort }: Phase): boolean {
  return (
    (loads.claim[target] ?? 0) > 0 &&
    (loads.version[target] === version) === same &&
    (loads.lastResort[target] === 1) === lastResort &&
    loads.room(target, utilisation) > NOTHING
  );
}

function wants(loads: Loads, target: number, { version, tier, phase }: Asking): boolean {
  return loads.tier[target] === tier && fits(loads, target, version, phase);
}

/** Rooms only shrink in a round, so what had none when it was asked has none now: both see the same places. */
function give(loads: Loads, asking: Asking, asked: Float64Array): number {
  const owner = loads.versionOwner[asking.version] ?? 0;
  let given = 0;
  for (let target = loads.start[owner] ?? 0; target < (loads.start[owner + 1] ?? 0); target += 1) {
    if (!wants(loads, target, asking)) continue;
    const cluster = loads.cluster[target] ?? 0;
    const want = (asking.amount * (loads.claim[target] ?? 0)) / asking.claims;
    const left = asked[cluster] ?? 0;
    // Room and what is still asked shrink together, so that each gets the same part of what it asked for, whoever is first.
    const part =
      left > want
        ? Math.min(want, (loads.roomOf(cluster, asking.phase.utilisation) * want) / left)
        : Math.min(want, loads.room(target, asking.phase.utilisation));
    asked[cluster] = left - want;
    loads.add(target, part);
    given += part;
  }
  return given;
}

/** What rounds left over, place by place. What has no place stays. */
function inTurn(loads: Loads, version: number, amount: number, phase: Phase): number {
  const owner = loads.versionOwner[version] ?? 0;
  let left = amount;
  for (let target = loads.start[owner] ?? 0; target < (loads.start[owner + 1] ?? 0) && left > NOTHING; target += 1) {
    if (!fits(loads, target, version, phase)) continue;
    const part = Math.min(left, loads.room(target, phase.utilisation));
    loads.add(target, part);
    left -= part;
  }
  return left;
}
