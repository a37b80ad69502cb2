// Decisions made again: whether they come out as they were recorded, and what another config would have made of the same days. Pure.
import { MILLION, type Config } from '../../config/config.ts';
import type { Intent } from '../../intent/intent.ts';
import { seedIntent } from '../../intent/seed.ts';
import { plan, type Planned } from '../plan.ts';
import type { PlanInput } from '../plan-input.ts';
import { targetKey } from '../plan-shape.ts';
import { planDigest, type Decision } from './decision-lines.ts';

/** What a plan is made from besides what moves, and what the intent is fitted to. */
export type ReplayConfig = Pick<Config, 'services' | 'clusters' | 'routes' | 'hostRegion' | 'regions' | 'clientRegions'>;

/** What one policy came to. */
export interface ReplaySide {
  /** Requests that found no place; of them, those that were too many. */
  readonly lost: number;
  readonly shed: number;
  /** Decisions that gave other shares than the one before. */
  readonly changes: number;
}

export interface ReplayService {
  readonly service: string;
  /** 0 to 1: the part of the service's requests that goes elsewhere, on average over time and at most. */
  readonly movedMean: number;
  readonly movedMost: number;
  readonly movedMostAt: string;
  readonly recorded: ReplaySide;
  readonly other: ReplaySide;
  /** The mean of each minute in which anything moved. */
  readonly minutes: readonly { readonly at: string; readonly moved: number }[];
}

export interface ReplayCluster {
  readonly cluster: string;
  /** Seconds in which the plan sent more than the capacity, and the highest use, 0 to 1; null: no capacity is known. */
  readonly recorded: { readonly overloadedSeconds: number; readonly mostUsed: number | null };
  readonly other: { readonly overloadedSeconds: number; readonly mostUsed: number | null };
}

export interface ReplaySummary {
  readonly decisions: number;
  readonly from: string;
  readonly to: string;
  /** Decisions that this weir makes otherwise with the recorded config. */
  readonly mismatches: number;
  readonly firstMismatchAt: string | null;
  /** Empty without another config. */
  readonly services: readonly ReplayService[];
  readonly clusters: readonly ReplayCluster[];
}

/** A decision counts until the next one, and no longer than this: a controller that was away decided nothing. */
const LONGEST_S = 5;

interface ServiceSums {
  moved: number;
  seconds: number;
  most: number;
  mostAt: string;
  readonly sides: readonly [SideSums, SideSums];
  readonly minutes: Map<string, { moved: number; seconds: number }>;
}

interface SideSums {
  lost: number;
  shed: number;
  changes: number;
  shares: string;
}

interface ClusterSums {
  overloadedSeconds: number;
  mostUsed: number | null;
}

export class Replay {
  readonly #config: ReplayConfig | null;
  #recorded: Planned | null = null;
  #other: Planned | null = null;
  #seeded: { readonly of: Intent; readonly intent: Intent } | null = null;
  #decisions = 0;
  #mismatches = 0;
  #firstMismatchAt: string | null = null;
  #from = '';
  #to = '';
  #lastMs = 0;
  readonly #services = new Map<string, ServiceSums>();
  readonly #clusters = new Map<string, readonly [ClusterSums, ClusterSums]>();

  /** `config`: another one to hold against the recorded; null: none. */
  constructor(config: ReplayConfig | null) {
    this.#config = config;
  }

  /** What the last decision remembered; the next one is read with it. */
  get memory(): Planned['memory'] | null {
    return this.#recorded?.memory ?? null;
  }

  /** Why the other config cannot be held against the recorded intent; null: done. */
  add({ at, input, digest, continues }: Decision): string | null {
    const recorded = plan(input);
    if (planDigest(recorded) !== digest) {
      this.#mismatches += 1;
      this.#firstMismatchAt ??= at;
    }
    this.#decisions += 1;
    if (this.#from === '') this.#from = at;
    this.#to = at;
    const seconds = continues ? Math.min(LONGEST_S, Math.max(0, (input.nowMs - this.#lastMs) / 1000)) : 0;
    if (this.#config !== null) {
      const intent = this.#intentFor(this.#config, input.intent);
      if (typeof intent === 'string') return intent;
      // What held until now counts for the time that has passed.
      if (this.#recorded !== null && this.#other !== null) this.#count([this.#recorded, this.#other], input, { at, seconds });
      const remembered = continues ? (this.#other?.memory ?? input.previous) : input.previous;
      this.#other = plan({ ...input, ...fleetOf(this.#config), intent, previous: remembered });
    }
    this.#recorded = recorded;
    this.#lastMs = input.nowMs;
    return null;
  }

  summary(): ReplaySummary {
    const services = [...this.#services].map(([service, { moved, seconds, most, mostAt, sides, minutes }]) => ({
      ...{ service, movedMean: seconds === 0 ? 0 : moved / seconds, movedMost: most, movedMostAt: mostAt },
      ...{ recorded: sideOf(sides[0]), other: sideOf(sides[1]) },
      minutes: [...minutes]
        .filter(([, minute]) => minute.moved > 0)
        .map(([minuteAt, minute]) => ({ at: `${minuteAt}:00Z`, moved: minute.moved / minute.seconds })),
    }));
    const clusters = [...this.#clusters].map(([cluster, [recorded, other]]) => ({
      cluster,
      recorded: { ...recorded },
      other: { ...other },
    }));
    const { from, to } = { from: this.#from, to: this.#to };
    return {
      decisions: this.#decisions,
      from,
      to,
      mismatches: this.#mismatches,
      firstMismatchAt: this.#firstMismatchAt,
      services,
      clusters,
    };
  }

  /** As if the config had been taken over at each revision: what it changes of splits and weights counts, what operators set stays. */
  #intentFor(config: ReplayConfig, intent: Intent): Intent | string {
    if (this.#seeded?.of.revision === intent.revision) return this.#seeded.intent;
    const seeding = seedIntent(config, intent);
    const [problem] = seeding.problems;
    if (problem !== undefined) return `revision ${intent.revision}: ${problem.message}`;
    this.#seeded = { of: intent, intent: seeding.intent };
    return seeding.intent;
  }

  #count(
    sides: readonly [Planned, Planned],
    { demand }: PlanInput,
    { at, seconds }: { readonly at: string; readonly seconds: number },
  ): void {
    if (seconds === 0) return;
    const names = new Set(sides.flatMap(({ plan: { services } }) => Object.keys(services)));
    for (const service of names) this.#countService(service, sides, { at, seconds, rps: demand[service] ?? 0 });
    const clusters = new Set(sides.flatMap(({ standings }) => Object.keys(standings)));
    const loads = sides.map((side) => loadsOf(side, demand));
    for (const cluster of clusters) {
      const sums = this.#clusters.get(cluster) ?? [noOverload(), noOverload()];
      this.#clusters.set(cluster, sums);
      for (const index of [0, 1] as const)
        countCluster(sums[index], loads[index]?.get(cluster) ?? 0, sides[index].standings[cluster]?.capacityRps ?? null, seconds);
    }
  }

  #countService(
    service: string,
    sides: readonly [Planned, Planned],
    { at, seconds, rps }: { readonly at: string; readonly seconds: number; readonly rps: number },
  ): void {
    const sums = this.#services.get(service) ?? noService();
    this.#services.set(service, sums);
    const shares = sides.map(({ plan: { services } }) => sharesOf(services[service]?.targets ?? []));
    const moved = movedBetween(shares[0] ?? new Map<string, number>(), shares[1] ?? new Map<string, number>());
    sums.moved += moved * seconds;
    sums.seconds += seconds;
    if (moved > sums.most) [sums.most, sums.mostAt] = [moved, at];
    const minute = sums.minutes.get(at.slice(0, 16)) ?? { moved: 0, seconds: 0 };
    sums.minutes.set(at.slice(0, 16), { moved: minute.moved + moved * seconds, seconds: minute.seconds + seconds });
    for (const index of [0, 1] as const) {
      const [side, planned] = [sums.sides[index], sides[index].plan.services[service]];
      side.lost += (rps * seconds * (planned?.lost ?? 0)) / MILLION;
      side.shed += (rps * seconds * (planned?.shed ?? 0)) / MILLION;
      const text = [...(shares[index] ?? [])].join(' ');
      if (side.shares !== '' && side.shares !== text) side.changes += 1;
      side.shares = text;
    }
  }
}

function fleetOf({ services, clusters, hostRegion, regions, clientRegions }: ReplayConfig): Partial<PlanInput> {
  return { services, clusters, hostRegion, regions, clientRegions: [...new Set(Object.values(clientRegions))].sort() };
}

function sharesOf(
  targets: readonly { readonly version: string; readonly cluster: string; readonly effective: number }[],
): ReadonlyMap<string, number> {
  return new Map(targets.map(({ version, cluster, effective }) => [targetKey('', version, cluster), effective]));
}

/** 0 to 1. */
function movedBetween(one: ReadonlyMap<string, number>, other: ReadonlyMap<string, number>): number {
  let risen = 0;
  for (const [key, share] of other) risen += Math.max(0, share - (one.get(key) ?? 0));
  let fallen = 0;
  for (const [key, share] of one) fallen += Math.max(0, share - (other.get(key) ?? 0));
  return Math.max(risen, fallen) / MILLION;
}

function loadsOf({ plan: { services } }: Planned, demand: PlanInput['demand']): ReadonlyMap<string, number> {
  const loads = new Map<string, number>();
  for (const { service, targets } of Object.values(services))
    for (const { cluster, effective } of targets)
      loads.set(cluster, (loads.get(cluster) ?? 0) + ((demand[service] ?? 0) * effective) / MILLION);
  return loads;
}

function countCluster(sums: ClusterSums, rps: number, capacityRps: number | null, seconds: number): void {
  if (capacityRps === null || capacityRps === 0) return;
  sums.mostUsed = Math.max(sums.mostUsed ?? 0, rps / capacityRps);
  if (rps > capacityRps) sums.overloadedSeconds += seconds;
}

function sideOf({ lost, shed, changes }: SideSums): ReplaySide {
  return { lost, shed, changes };
}

function noService(): ServiceSums {
  const side = (): SideSums => ({ lost: 0, shed: 0, changes: 0, shares: '' });
  return { moved: 0, seconds: 0, most: 0, mostAt: '', sides: [side(), side()], minutes: new Map() };
}

function noOverload(): ClusterSums {
  return { overloadedSeconds: 0, mostUsed: null };
}

/** For people. */
export function replayText({ decisions, from, to, mismatches, firstMismatchAt, services, clusters }: ReplaySummary): string {
  const percent = (part: number | null): string => (part === null ? '-' : `${Math.round(part * 1000) / 10} %`);
  const count = (number: number): string => String(Math.round(number));
  const lines = [
    `${decisions} decisions from ${from} to ${to}`,
    mismatches === 0
      ? 'all of them come out as they were recorded'
      : `${mismatches} of them come out otherwise than recorded, the first at ${firstMismatchAt ?? ''}: they were made by another weir`,
  ];
  for (const { service, movedMean, movedMost, movedMostAt, recorded, other } of services) {
    lines.push(
      `service ${service}: ${percent(movedMean)} of its requests go elsewhere, ${percent(movedMost)} at most${movedMost > 0 ? ` (${movedMostAt})` : ''}`,
    );
    lines.push(
      `  without a place: ${count(recorded.lost)} → ${count(other.lost)} requests, ${count(recorded.shed)} → ${count(other.shed)} of them too many`,
    );
    lines.push(`  changes of shares: ${recorded.changes} → ${other.changes}`);
  }
  for (const { cluster, recorded, other } of clusters) {
    const over = `above its capacity for ${count(recorded.overloadedSeconds)} → ${count(other.overloadedSeconds)} s`;
    lines.push(`cluster ${cluster}: used up to ${percent(recorded.mostUsed)} → ${percent(other.mostUsed)}, ${over}`);
  }
  return `${lines.join('\n')}\n`;
}
