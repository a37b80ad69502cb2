// What the hosts of a fleet have counted of the versions under rollout: added up for the gates, and kept host by host, so that what one host sees alone (its own
// way to a cluster is broken) does not move the fleet.
import type { Clock } from '../../../health/clock.ts';
import { clustersOfEarlierWaves, clustersOfWave, type RolloutIntent } from '../../intent/rollout.ts';
import type { Evidence, Outcomes } from '../../rollout/gate.ts';
import { Trial, type Decision } from '../../rollout/trial.ts';
import type { Counted } from '../fleet/counting.ts';
import type { HostCounts, ToldOutcomes } from '../fleet/presence.ts';
import { addTo, noCounts, type Counts, type FollowedOutcomes, type PlacedCounts } from './outcomes.ts';

/** What a host has counted while it was not heard of for longer is not of now. */
const GAP_MS = 10_000;
/** A host that was not heard of for so long has no voice; when a step begins, all are waited for as long. */
const VOICE_MS = 5000;
/** What counts as lately, in reports. */
const LATELY = 10;

interface Voice {
  since: number;
  atMs: number;
  /** Version and cluster → what was told last. */
  last: ReadonlyMap<string, PlacedCounts>;
}

/** Of one host, in the present step of a rollout: what it has counted of each version in each cluster. */
interface Seen {
  readonly whole: Map<string, PlacedCounts>;
  /** The newest reports, newest last. */
  readonly lately: (readonly PlacedCounts[])[];
  atMs: number;
}

/** Of one host, in the clusters that a decision is about: version → counts. */
interface Sight {
  readonly whole: ReadonlyMap<string, Counts>;
  readonly lately: readonly ReadonlyMap<string, Counts>[];
}

export class FleetVotes {
  readonly #outcomes: FollowedOutcomes;
  readonly #clock: Clock;
  readonly #own: string;
  /** When the services that are followed began to be. */
  readonly #since = new Map<string, number>();
  /** Service → host. */
  readonly #voices = new Map<string, Map<string, Voice>>();
  readonly #seen = new Map<string, Map<string, Seen>>();
  /** Service → when its step began. */
  readonly #begunMs = new Map<string, number>();
  #live = 1;

  /** `own`: the id of this host. */
  constructor(outcomes: FollowedOutcomes, clock: Clock, own: string) {
    this.#outcomes = outcomes;
    this.#clock = clock;
    this.#own = own;
  }

  /** What this host tells the leader. */
  told(): NonNullable<HostCounts['outcomes']> {
    const all = this.#outcomes.all();
    for (const service of this.#since.keys()) if (!all.has(service)) this.#since.delete(service);
    const told: Record<string, ToldOutcomes> = {};
    for (const [service, outcomes] of all) {
      if (!this.#since.has(service)) this.#since.set(service, this.#clock.wallMs());
      told[service] = { since: this.#since.get(service) ?? 0, places: outcomes.totals().map(toldPlace) };
    }
    return told;
  }

  /** By the leader: what all have told, of so many that live. */
  take(all: readonly Counted[], live: number): void {
    this.#live = live;
    for (const { id, counts } of all) {
      for (const [service, told] of Object.entries(counts.outcomes ?? {})) this.#takeOf(service, id, told);
    }
    for (const service of this.#voices.keys()) if (this.#outcomes.of(service) === null) this.#voices.delete(service);
  }

  /** A step of a rollout begins: what was seen before does not count. */
  begin(service: string): void {
    this.#seen.delete(service);
    this.#begunMs.set(service, this.#clock.nowMs());
  }

  /** Why a decision that was made on the sum must not be acted on; null: it may. */
  doubt(service: string, rollout: RolloutIntent, { action, note, evidence, where }: Decision): string | null {
    if (this.#live <= 1) return null;
    const nowMs = this.#clock.nowMs();
    const all = [...(this.#seen.get(service)?.values() ?? [])].filter(({ atMs }) => nowMs - atMs <= VOICE_MS);
    const isNew = nowMs - (this.#begunMs.get(service) ?? nowMs) < VOICE_MS;
    if (all.length < (isNew ? this.#live : majorityOf(this.#live))) return `only ${all.length} of ${this.#live} hosts tell what they count`;
    if (action !== 'fail' || evidence === 'answers') return null;
    const clusters = where === 'present' ? clustersOfWave(rollout) : clustersOfEarlierWaves(rollout);
    const sights = all.map((seen) => sightIn(clusters, seen));
    const voters = sights.filter(({ whole }) => (whole.get(rollout.to)?.requests ?? 0) > 0);
    const alone = majorityOf(voters.length) - 1;
    // Without as many as are no majority, those that see it worst, the others have to say the same.
    const rest = [...voters].sort(worstFirst(voters, rollout.to, note)).slice(alone);
    if (voters.length <= 1 || failsFor(rest, rollout)) return null;
    return `${note}, and most of the ${voters.length} hosts that ask it do not see it`;
  }

  #takeOf(service: string, id: string, { since, places }: ToldOutcomes): void {
    const outcomes = this.#outcomes.of(service);
    if (outcomes === null) return;
    const nowMs = this.#clock.nowMs();
    const voices = memberOf(this.#voices, service, () => new Map<string, Voice>());
    const before = voices.get(id);
    const now = new Map(places.map((place) => [`${place.version} ${place.cluster}`, placeOf(place)]));
    voices.set(id, { since, atMs: nowMs, last: now });
    if (before?.since !== since || nowMs - before.atMs > GAP_MS) return;
    const news = [...now].map(([key, place]) => ({ ...place, counts: less(place.counts, before.last.get(key)?.counts) }));
    // Its own are there already, from its workers.
    if (id !== this.#own) for (const place of news) outcomes.addOf(place);
    const hosts = memberOf(this.#seen, service, () => new Map<string, Seen>());
    const seen = memberOf<string, Seen>(hosts, id, () => ({ whole: new Map<string, PlacedCounts>(), lately: [], atMs: nowMs }));
    seen.atMs = nowMs;
    for (const { version, cluster, counts } of news)
      addTo(memberOf(seen.whole, `${version} ${cluster}`, () => ({ version, cluster, counts: noCounts() })).counts, counts);
    seen.lately.push(news);
    if (seen.lately.length > LATELY) seen.lately.shift();
  }
}

function majorityOf(hosts: number): number {
  return Math.floor(hosts / 2) + 1;
}

/** `clusters`: null: all. */
function sightIn(clusters: readonly string[] | null, { whole, lately }: Seen): Sight {
  const byVersion = (places: Iterable<PlacedCounts>): ReadonlyMap<string, Counts> => {
    const versions = new Map<string, Counts>();
    for (const { version, cluster, counts } of places)
      if (clusters === null || clusters.includes(cluster)) addTo(memberOf(versions, version, noCounts), counts);
    return versions;
  };
  return { whole: byVersion(whole.values()), lately: lately.map(byVersion) };
}

/** What these hosts saw in the whole step, or lately, ends the rollout. */
function failsFor(hosts: readonly Sight[], rollout: RolloutIntent): boolean {
  const whole = hosts.map((seen) => seen.whole);
  const lately = hosts.flatMap((seen) => seen.lately);
  return [whole, lately].some((parts) => {
    const trial = new Trial(rollout);
    trial.add(evidenceOf(parts, rollout));
    return trial.decide(rollout.phase, 0)?.action === 'fail';
  });
}

function evidenceOf(parts: readonly ReadonlyMap<string, Counts>[], { to, usualErrorRatio }: RolloutIntent): Evidence {
  const [trial, others] = [noCounts(), noCounts()];
  for (const part of parts) for (const [version, counts] of part) addTo(version === to ? trial : others, counts);
  return { trial, baseline: others.requests === 0 ? null : { short: others, long: others }, usualErrorRatio };
}

/** By what the decision is about: answers that differ, slow ones, or errors. */
function worstFirst(all: readonly Sight[], to: string, note: string): (one: Sight, other: Sight) => number {
  const of = ({ whole }: Sight): Counts => whole.get(to) ?? noCounts();
  const measure = note.startsWith('gate p') ? slowness : note.startsWith('gate mirror') ? differences : failures;
  const sum = noCounts();
  for (const seen of all) addTo(sum, of(seen));
  const usual = measure(sum)[0] / Math.max(1, measure(sum)[1]);
  const excess = (seen: Sight): number => {
    const [bad, count] = measure(of(seen));
    return bad - usual * count;
  };
  return (one, other) => excess(other) - excess(one);
}

type Measure = (counts: Outcomes) => readonly [bad: number, of: number];

const failures: Measure = ({ errors, requests }) => [errors, requests];
const differences: Measure = ({ different = 0, compared = 0 }) => [different, compared];
/** Buckets grow evenly in the logarithm: the mean of their numbers is a mean latency. */
const slowness: Measure = ({ latency }) => [
  latency.reduce((sum, count, index) => sum + count * index, 0),
  latency.reduce((sum, count) => sum + count, 0),
];

function less(now: Counts, before: Counts = noCounts()): Counts {
  const part = (one: number, other: number | undefined): number => Math.max(0, one - (other ?? 0));
  return {
    requests: part(now.requests, before.requests),
    errors: part(now.errors, before.errors),
    compared: part(now.compared, before.compared),
    different: part(now.different, before.different),
    latency: now.latency.map((count, index) => part(count, before.latency[index])),
  };
}

type ToldPlace = ToldOutcomes['places'][number];

function toldPlace({ version, cluster, counts: { latency, ...counts } }: PlacedCounts): ToldPlace {
  const filled = latency.flatMap((count, index) => (count > 0 ? [[String(index), count] as const] : []));
  return { version, cluster, ...counts, latency: Object.fromEntries(filled) };
}

function placeOf({ version, cluster, latency, ...counts }: ToldPlace): PlacedCounts {
  const buckets = noCounts().latency.map((_, index) => latency[String(index)] ?? 0);
  return { version, cluster, counts: { ...counts, latency: buckets } };
}

function memberOf<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
