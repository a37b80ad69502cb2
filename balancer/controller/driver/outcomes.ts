// What the requests of each version came to, second by second, for the rollouts that are under way.
import { clustersOfEarlierWaves, clustersOfWave, type RolloutIntent } from '../../intent/rollout.ts';
import type { Evidence, Outcomes } from '../../rollout/gate.ts';
import { BUCKETS } from '../../telemetry/latency-buckets.ts';
import type { MetricName, MetricsDelta, SeriesDelta } from '../../telemetry/meter.ts';
import { isFailure } from '../../telemetry/window.ts';

/** Seconds that are kept: what is usual. */
export const KEPT_SECONDS = 60;
/** What happens to all versions at once shows in so many seconds. */
const SHORT_SECONDS = 10;

export interface Counts {
  requests: number;
  errors: number;
  compared: number;
  different: number;
  readonly latency: number[];
}

/** Of one version in one cluster. */
export interface PlacedCounts {
  readonly version: string;
  readonly cluster: string;
  readonly counts: Counts;
}

/** cluster → counts. */
type Second = ReadonlyMap<string, Counts>;

type FollowedRollout = Pick<RolloutIntent, 'to' | 'usualErrorRatio' | 'waves' | 'wave'>;

/** Of one service. */
export class ServiceOutcomes {
  /** version → cluster → counts, of the second that runs. */
  #running = new Map<string, Map<string, Counts>>();
  /** version → cluster → counts, since it is followed: what the leader of a fleet is told. */
  readonly #totals = new Map<string, Map<string, Counts>>();
  /** version → the newest seconds, newest last. */
  readonly #seconds = new Map<string, Second[]>();
  /** version → clusters in which it was ever asked. */
  readonly #places = new Map<string, Set<string>>();

  add(series: SeriesDelta): void {
    const { version, cluster } = outcomePlace(series);
    countOutcome(countsOf(this.#running, version, cluster), series);
    countOutcome(countsOf(this.#totals, version, cluster), series);
  }

  /** What another host has counted. */
  addOf({ version, cluster, counts }: PlacedCounts): void {
    addTo(countsOf(this.#running, version, cluster), counts);
  }

  /** What this host has counted, since it follows the service. */
  totals(): readonly PlacedCounts[] {
    return [...this.#totals].flatMap(([version, clusters]) => [...clusters].map(([cluster, counts]) => ({ version, cluster, counts })));
  }

  /** The second that runs is over. */
  endSecond(): void {
    for (const [version, clusters] of this.#running) {
      if (!this.#seconds.has(version)) this.#seconds.set(version, []);
      this.#places.set(version, new Set([...(this.#places.get(version) ?? []), ...clusters.keys()]));
    }
    for (const [version, seconds] of this.#seconds) {
      seconds.push(this.#running.get(version) ?? new Map<string, Counts>());
      if (seconds.length > KEPT_SECONDS) seconds.shift();
    }
    this.#running = new Map();
  }

  /**
   * What the newest second says of a rollout, in the clusters of its present wave. The others are looked at where the version was asked
   * too, so that like is held against like; versions that live in clusters of their own have nothing in common, and are held against all others.
   */
  evidence(rollout: FollowedRollout): Evidence {
    const asked = this.#asked(rollout.to);
    const wave = clustersOfWave(rollout);
    return this.#evidenceIn(wave === null ? asked : new Set(wave.filter((cluster) => asked.has(cluster))), rollout);
  }

  /** The same in the clusters of the waves that have passed: the version has its last step there. Null: there are none. */
  evidenceOfEarlierWaves(rollout: FollowedRollout): Evidence | null {
    const clusters = clustersOfEarlierWaves(rollout);
    if (clusters.length === 0) return null;
    const asked = this.#asked(rollout.to);
    return this.#evidenceIn(new Set(clusters.filter((cluster) => asked.has(cluster))), rollout);
  }

  #asked(version: string): ReadonlySet<string> {
    return new Set((this.#seconds.get(version) ?? []).flatMap((second) => [...second.keys()]));
  }

  #evidenceIn(clusters: ReadonlySet<string>, { to, usualErrorRatio }: FollowedRollout): Evidence {
    const others = (version: string): boolean => version !== to;
    const meets = [...this.#places].some(([version, asked]) => others(version) && [...clusters].some((cluster) => asked.has(cluster)));
    const shared = meets || clusters.size === 0;
    const long = this.#sum(others, KEPT_SECONDS, shared ? clusters : null);
    const short = this.#sum(others, SHORT_SECONDS, shared ? clusters : null);
    const trial = this.#sum((version) => version === to, 1, clusters);
    return { trial, baseline: long.requests === 0 ? null : { short, long }, usualErrorRatio };
  }

  /** `clusters`: null: all. */
  #sum(wanted: (version: string) => boolean, seconds: number, clusters: ReadonlySet<string> | null): Outcomes {
    const sum = noCounts();
    for (const [version, all] of this.#seconds) {
      if (!wanted(version)) continue;
      for (const second of newest(all, seconds))
        for (const [cluster, counts] of second) if (clusters?.has(cluster) !== false) addTo(sum, counts);
    }
    return sum;
  }
}

function countsOf(versions: Map<string, Map<string, Counts>>, version: string, cluster: string): Counts {
  let clusters = versions.get(version);
  if (clusters === undefined) versions.set(version, (clusters = new Map<string, Counts>()));
  let counts = clusters.get(cluster);
  if (counts === undefined) clusters.set(cluster, (counts = noCounts()));
  return counts;
}

/** Where the metrics that count have the name of the service among their labels. */
export const SERVICE_LABEL: Readonly<Partial<Record<MetricName, number>>> = {
  weir_upstream_answer_seconds: 0,
  weir_upstream_errors_total: 0,
  weir_upstream_lost_tries_total: 0,
  weir_l4_connections_total: 2,
  weir_mirror_comparisons_total: 0,
};

/** Of the services that somebody follows; what nobody follows costs a look-up per series. */
export class FollowedOutcomes {
  readonly #services = new Map<string, ServiceOutcomes>();

  add(delta: MetricsDelta): void {
    if (this.#services.size === 0) return;
    for (const series of delta) {
      const place = SERVICE_LABEL[series.name];
      if (place !== undefined) this.#services.get(series.labels[place] ?? '')?.add(series);
    }
  }

  /** Follows exactly these services from now on, and ends the second. */
  endSecond(services: ReadonlySet<string>): void {
    for (const name of this.#services.keys()) if (!services.has(name)) this.#services.delete(name);
    for (const name of services) if (!this.#services.has(name)) this.#services.set(name, new ServiceOutcomes());
    for (const outcomes of this.#services.values()) outcomes.endSecond();
  }

  /** Those that are followed. */
  all(): ReadonlyMap<string, ServiceOutcomes> {
    return this.#services;
  }

  of(service: string): ServiceOutcomes | null {
    return this.#services.get(service) ?? null;
  }
}

const DIFFERENT: ReadonlySet<string> = new Set(['status', 'body', 'lost']);

/** Where the outcomes of a series belong. */
export function outcomePlace({ name, labels }: SeriesDelta): { readonly version: string; readonly cluster: string } {
  const [version = '', cluster = ''] = labels.slice(name === 'weir_l4_connections_total' ? 3 : 1);
  if (name === 'weir_mirror_comparisons_total') return { version, cluster: '' };
  return { version, cluster };
}

/** Single tries count: what a retry hides from the client, this sees. A connection that is passed through is a try of its own. */
export function countOutcome(counts: Counts, { name, labels, value, buckets = [] }: SeriesDelta): void {
  if (name === 'weir_l4_connections_total') {
    counts.requests += value;
    if (isFailure(labels[5] ?? '')) counts.errors += value;
  } else if (name === 'weir_mirror_comparisons_total') {
    const [, , outcome = ''] = labels;
    if (outcome === 'same' || DIFFERENT.has(outcome)) counts.compared += value;
    if (DIFFERENT.has(outcome)) counts.different += value;
  } else if (name === 'weir_upstream_answer_seconds') {
    for (const [index, count] of buckets.entries()) counts.latency[index] = (counts.latency[index] ?? 0) + count;
    counts.requests += buckets.reduce((sum, count) => sum + count, 0);
  } else {
    counts.errors += value;
    // An error is an answer, and counted as one already.
    if (name === 'weir_upstream_lost_tries_total') counts.requests += value;
  }
}

export function noCounts(): Counts {
  return { requests: 0, errors: 0, compared: 0, different: 0, latency: new Array<number>(BUCKETS).fill(0) };
}

export function addTo(sum: Counts, counts: Counts): void {
  sum.requests += counts.requests;
  sum.errors += counts.errors;
  sum.compared += counts.compared;
  sum.different += counts.different;
  for (const [index, count] of counts.latency.entries()) sum.latency[index] = (sum.latency[index] ?? 0) + count;
}

function newest(seconds: readonly Second[] | undefined, count: number): readonly Second[] {
  return seconds?.slice(-count) ?? [];
}
