// When every place of a service is full: others that share those places move on to where there is room. Pure.
import { type Loads, NOTHING } from './loads.ts';

/** More moves than this are not worth the time; what is left is overload. */
const MAX_MOVES = 2000;

/** How a cluster is reached: what moves from the cluster before, and to where in this one. */
interface Step {
  /** Target whose load moves on; -1: the rest itself enters here. */
  readonly from: number;
  readonly to: number;
}

/**
 * Finds, for what has no place, chains of moves that end in a cluster with room (the shortest first, as in a maximum flow), so that
 * nothing is refused while the clusters together can take it. A search that ends nowhere closes all it saw: no later one looks there.
 */
export function augment(loads: Loads, rest: Float64Array): void {
  const closed = new Uint8Array(loads.clusters.length);
  let moves = 0;
  for (let version = 0; version < rest.length; version += 1) {
    while ((rest[version] ?? 0) > NOTHING && moves < MAX_MOVES) {
      const chain = search(loads, version, closed);
      if (chain === null) break;
      rest[version] = (rest[version] ?? 0) - move(loads, chain, rest[version] ?? 0);
      moves += 1;
    }
  }
}

/** The steps from the last one to the entry; null: there is no way. */
function search(loads: Loads, version: number, closed: Uint8Array): readonly Step[] | null {
  const reached = new Map<number, Step>();
  const queue: number[] = [];
  const enter = (from: number, to: number): void => {
    const cluster = loads.cluster[to] ?? 0;
    if (closed[cluster] === 1 || reached.has(cluster)) return;
    reached.set(cluster, { from, to });
    queue.push(cluster);
  };
  const owner = loads.versionOwner[version] ?? 0;
  for (const target of placesOf(loads, owner)) enter(-1, target);
  for (let next = 0; next < queue.length; next += 1) {
    const cluster = queue[next] ?? 0;
    if (loads.roomOf(cluster, 1) > NOTHING) return chainTo(loads, reached, cluster);
    for (const target of loads.byCluster()[cluster] ?? []) {
      if (!loads.spills(target) || (loads.load[target] ?? 0) <= NOTHING) continue;
      for (const other of placesOf(loads, loads.service[target] ?? 0)) enter(target, other);
    }
  }
  for (const cluster of queue) closed[cluster] = 1;
  return null;
}

/** Where the service may have load. */
function* placesOf(loads: Loads, service: number): Generator<number> {
  for (let target = loads.start[service] ?? 0; target < (loads.start[service + 1] ?? 0); target += 1)
    if ((loads.claim[target] ?? 0) > 0) yield target;
}

function chainTo(loads: Loads, reached: ReadonlyMap<number, Step>, end: number): readonly Step[] {
  const chain: Step[] = [];
  for (let step = reached.get(end); step !== undefined; step = step.from === -1 ? undefined : reached.get(loads.cluster[step.from] ?? 0)) {
    chain.push(step);
  }
  return chain;
}

/** Moves as much as all steps allow; how much that was. */
function move(loads: Loads, chain: readonly Step[], wanted: number): number {
  const last = chain[0];
  let amount = last === undefined ? 0 : Math.min(wanted, loads.room(last.to, 1));
  for (const { from } of chain) if (from !== -1) amount = Math.min(amount, loads.load[from] ?? 0);
  for (const { from, to } of chain) {
    if (from !== -1) loads.add(from, -amount);
    loads.add(to, amount);
  }
  return amount;
}
