// The requests per second of every target beside what its cluster can take: the arithmetic that the waterfall pours with.
import { MILLION } from '../config/config.ts';
import type { Draft } from './draft.ts';
import type { DemandView } from './plan-shape.ts';

/** Requests per second that do not matter. */
export const NOTHING = 1e-6;

/** A row for each target; a service is a run of targets. */
interface LoadTable {
  readonly drafts: readonly Draft[];
  readonly clusters: readonly string[];
  /** Requests per second; Infinity where no bound is known. */
  readonly capacity: Float64Array;
  readonly used: Float64Array;
  /** First target of each service, and behind the last. */
  readonly start: Int32Array;
  /** Of each service. */
  readonly demand: Float64Array;
  readonly service: Int32Array;
  readonly cluster: Int32Array;
  /** Number of the (service, version), and the service of each such number. */
  readonly version: Int32Array;
  readonly versionOwner: readonly number[];
  readonly load: Float64Array;
  /** What it would have if nothing had a limit, and what of that is its own share. */
  readonly wish: Float64Array;
  readonly own: Float64Array;
  /** By what it receives; 0: it does not. */
  readonly claim: Float64Array;
  readonly tier: Int32Array;
  readonly lastResort: Uint8Array;
  /** Of each service: whether its shares move for the sake of capacity. */
  readonly moves: Uint8Array;
}

const MOVES_RECEIVED = 1;
const MOVES_ALL = 2;

function movesOf({ spills, onUnavailable, wish }: Draft): number {
  if (onUnavailable !== 'redistribute' || wish.panic) return 0;
  return spills ? MOVES_ALL : MOVES_RECEIVED;
}

/** The loads that all services wish for, before any limit. */
export function wishedLoads(drafts: readonly Draft[], capacity: Readonly<Record<string, number>>, demand: DemandView): Loads {
  const count = drafts.reduce((sum, { targets }) => sum + targets.length, 0);
  const clusters = new Map<string, number>();
  const versionOwner: number[] = [];
  const start = new Int32Array(drafts.length + 1);
  const rates = Float64Array.from(drafts, ({ service, clients }) => demandOf(service, demand) * (clients?.part ?? 1));
  const [service, cluster, version, tier] = [new Int32Array(count), new Int32Array(count), new Int32Array(count), new Int32Array(count)];
  const [wish, own, claim] = [new Float64Array(count), new Float64Array(count), new Float64Array(count)];
  const lastResort = new Uint8Array(count);
  const moves = Uint8Array.from(drafts, movesOf);
  let at = 0;
  for (const [number, draft] of drafts.entries()) {
    const rps = rates[number] ?? 0;
    const versions = new Map<string, number>();
    const movable = (moves[number] ?? 0) > 0;
    let index = -1;
    for (const target of draft.targets) {
      index += 1;
      service[at] = number;
      cluster[at] = numberOf(clusters, target.cluster, clusters.size);
      version[at] = numberOf(versions, target.version, versionOwner.length);
      if (version[at] === versionOwner.length) versionOwner.push(number);
      tier[at] = target.priority;
      const wished = (rps * (draft.wish.effective[index] ?? 0)) / MILLION;
      wish[at] = wished;
      own[at] = target.available > 0 ? Math.min(wished, (rps * target.desired) / MILLION) : 0;
      claim[at] = target.receives && movable ? rps * (target.weight ?? target.desired) * target.available : 0;
      lastResort[at] = target.lastResort ? 1 : 0;
      at += 1;
    }
    start[number + 1] = at;
  }
  const names = [...clusters.keys()];
  const used = new Float64Array(names.length);
  for (let target = 0; target < count; target += 1) {
    const number = cluster[target] ?? 0;
    used[number] = (used[number] ?? 0) + (wish[target] ?? 0);
  }
  const bounds = Float64Array.from(names, (name) => capacity[name] ?? Infinity);
  const columns = { start, demand: rates, service, cluster, version, versionOwner, wish, own, claim, tier, lastResort, moves };
  return new Loads({ ...columns, drafts, clusters: names, capacity: bounds, used, load: wish.slice() });
}

/** Flat arrays, since all services of a fleet are solved together once a second. */
export class Loads implements LoadTable {
  readonly drafts: readonly Draft[];
  readonly clusters: readonly string[];
  readonly capacity: Float64Array;
  readonly used: Float64Array;
  readonly start: Int32Array;
  readonly demand: Float64Array;
  readonly service: Int32Array;
  readonly cluster: Int32Array;
  readonly version: Int32Array;
  readonly versionOwner: readonly number[];
  readonly load: Float64Array;
  readonly wish: Float64Array;
  readonly own: Float64Array;
  readonly claim: Float64Array;
  readonly tier: Int32Array;
  readonly lastResort: Uint8Array;
  readonly moves: Uint8Array;
  #byCluster: readonly (readonly number[])[] | null = null;

  constructor(table: LoadTable) {
    this.drafts = table.drafts;
    this.clusters = table.clusters;
    this.capacity = table.capacity;
    this.used = table.used;
    this.start = table.start;
    this.demand = table.demand;
    this.service = table.service;
    this.cluster = table.cluster;
    this.version = table.version;
    this.versionOwner = table.versionOwner;
    this.load = table.load;
    this.wish = table.wish;
    this.own = table.own;
    this.claim = table.claim;
    this.tier = table.tier;
    this.lastResort = table.lastResort;
    this.moves = table.moves;
  }

  /** The same fleet without one cluster, and what that one had, by version, without a place. */
  without(cluster: number): { readonly loads: Loads; readonly rest: Float64Array } {
    const copy = { load: this.load.slice(), used: this.used.slice(), capacity: this.capacity.slice(), claim: this.claim.slice() };
    const loads = new Loads({ ...this.#table(), ...copy });
    loads.#byCluster = this.byCluster();
    const rest = new Float64Array(this.versionOwner.length);
    for (const target of loads.byCluster()[cluster] ?? []) {
      const version = loads.version[target] ?? 0;
      rest[version] = (rest[version] ?? 0) + (loads.load[target] ?? 0);
      loads.load[target] = 0;
      loads.claim[target] = 0;
    }
    loads.used[cluster] = 0;
    loads.capacity[cluster] = 0;
    return { loads, rest };
  }

  get count(): number {
    return this.load.length;
  }

  /** Moves load to a target, or off it. */
  add(target: number, rps: number): void {
    this.load[target] = (this.load[target] ?? 0) + rps;
    this.#use(target, rps);
  }

  /** What the cluster of a target can take up to this part of its capacity. */
  room(target: number, utilisation: number): number {
    return this.roomOf(this.cluster[target] ?? 0, utilisation);
  }

  roomOf(cluster: number, utilisation: number): number {
    return Math.max(0, (this.capacity[cluster] ?? 0) * utilisation - (this.used[cluster] ?? 0));
  }

  /** Is its share moved for the sake of capacity? Not where operators said that it stays. */
  spills(target: number): boolean {
    return this.moves[this.service[target] ?? 0] === MOVES_ALL;
  }

  /** What of a target may go elsewhere: all where capacity decides, else only what came from elsewhere. */
  movable(target: number): number {
    const load = this.load[target] ?? 0;
    switch (this.moves[this.service[target] ?? 0]) {
      case MOVES_ALL:
        return load;
      case MOVES_RECEIVED:
        return Math.max(0, load - (this.own[target] ?? 0));
      default:
        return 0;
    }
  }

  /** Targets of each cluster. */
  byCluster(): readonly (readonly number[])[] {
    if (this.#byCluster !== null) return this.#byCluster;
    const lists: number[][] = this.clusters.map(() => []);
    for (let target = 0; target < this.count; target += 1) lists[this.cluster[target] ?? 0]?.push(target);
    this.#byCluster = lists;
    return lists;
  }

  #table(): LoadTable {
    const { drafts, clusters, capacity, used, start, demand, service, cluster, version, versionOwner } = this;
    const { load, wish, own, claim, tier, lastResort, moves } = this;
    const fleet = { drafts, clusters, capacity, used, start, demand, versionOwner, moves };
    return { ...fleet, service, cluster, version, load, wish, own, claim, tier, lastResort };
  }

  #use(target: number, rps: number): void {
    const cluster = this.cluster[target] ?? 0;
    this.used[cluster] = (this.used[cluster] ?? 0) + rps;
  }
}

/** What cannot be a rate is none. */
export function demandOf(service: string, demand: DemandView): number {
  const rps = demand[service] ?? 0;
  return Number.isFinite(rps) && rps > 0 ? rps : 0;
}

function numberOf(numbers: Map<string, number>, name: string, next: number): number {
  const known = numbers.get(name);
  if (known !== undefined) return known;
  numbers.set(name, next);
  return next;
}
