// A place that has become slower than it was, while the same version elsewhere has not, keeps a part of its share only. Pure.
import { KEPT_FLOOR, keptNext, tellsNews } from './kept-part.ts';
import type { PlanInput, PlanMemory } from './plan-input.ts';
import { targetKey, versionKey, versionsIn, type Observed } from './plan-shape.ts';
import { BRAKE } from './standing.ts';

/** Fewer answers than this say nothing of how long they take. */
export const SLOW_MIN_ANSWERS = 20;
/** Less than twice as slow is taken for chance, or for a busier hour. */
export const LEAST_SLOWDOWN = 2;
/** What is usual follows what is measured within this; of a place that is taken to be slow ten times as slowly, so that in the end nothing is held against it. */
const USUAL_MS = 60_000;
const USUAL_WHILE_SLOW_MS = 600_000;

/** What is remembered of a place. */
export interface Slowness {
  /** What its answers usually take, in ms. */
  readonly usualMs: number;
  /** The part of its share it keeps. */
  readonly kept: number;
}

/** One place of a version, at one moment. */
interface Place {
  readonly key: string;
  readonly before: Slowness | null;
  /** Null: too few answers to tell. */
  readonly answerMs: number | null;
  readonly answers: number;
  /** Requests per second its cluster can take; null: not known. */
  readonly capacityRps: number | null;
}

/**
 * Each place is compared with itself, so a far cluster is not a slow one, and then with the others, so a busy hour, or a slower release,
 * is no trouble of one place. How many times as slow as usual it is, over how many times the others are, is its slowdown; from 2 on it keeps
 * `max(0.1, 1 / slowdown)` of its weight at once, and gets the rest back within a minute. While one place of a version is held, no other of
 * it is newly: what makes those slower may be the load that they took over, and shares would go round in a circle.
 */
export function followSlowness(input: PlanInput, clusters: PlanMemory['clusters']): PlanMemory['slowness'] {
  const { observed, previous, nowMs } = input;
  const before = previous?.slowness ?? {};
  if (observed === undefined) return before;
  const elapsedMs = previous === null ? 0 : Math.max(0, nowMs - previous.atMs);
  const slowness: Record<string, Slowness> = {};
  const known = versionsIn(observed.targets, before);
  for (const service of Object.values(input.services)) {
    for (const version of service.versions) {
      if (version.placements.length < 2 || !known.has(versionKey(service.name, version.name))) continue;
      const places = version.placements.map(({ cluster }): Place => {
        const key = targetKey(service.name, version.name, cluster);
        const memory = clusters[cluster];
        const seen = tellsNews(memory?.failback, nowMs) ? measured(observed.targets[key]) : null;
        return { key, before: before[key] ?? null, ...(seen ?? NOTHING), capacityRps: memory?.capacity?.rps ?? null };
      });
      follow(places, elapsedMs, slowness);
    }
  }
  return slowness;
}

const NOTHING = { answerMs: null, answers: 0 };

function measured(observed: Observed | undefined): { readonly answerMs: number; readonly answers: number } | null {
  const { answers = 0, answerMs = null } = observed ?? {};
  return answerMs === null || answers < SLOW_MIN_ANSWERS ? null : { answerMs, answers };
}

/** All places of one version. */
function follow(places: readonly Place[], elapsedMs: number, slowness: Record<string, Slowness>): void {
  const held = places.some(({ before }) => before !== null && before.kept < 1);
  const kept = places.map((place) => {
    const keptBefore = place.before?.kept ?? 1;
    const to = held && keptBefore === 1 ? 1 : wanted(place, places);
    return keptNext(keptBefore, to, elapsedMs);
  });
  const bounded = brake(places, kept);
  for (const [index, { key, before, answerMs }] of places.entries()) {
    const part = bounded[index] ?? 1;
    if (before === null && answerMs === null) continue;
    const usualMs = before === null ? answerMs : answerMs === null ? before.usualMs : usual(before.usualMs, answerMs, part < 1, elapsedMs);
    if (usualMs !== null) slowness[key] = { usualMs, kept: part };
  }
}

/** The average of logarithms: a time that is ten times as long and one that is a tenth weigh the same. */
function usual(beforeMs: number, answerMs: number, slow: boolean, elapsedMs: number): number {
  const weight = Math.exp(-elapsedMs / (slow ? USUAL_WHILE_SLOW_MS : USUAL_MS));
  return Math.exp(weight * Math.log(beforeMs) + (1 - weight) * Math.log(answerMs));
}

/** `max(0.1, 1 / slowdown)`; 1 where there are too few answers to tell, here or elsewhere. */
function wanted({ key, before, answerMs }: Place, places: readonly Place[]): number {
  if (before === null || answerMs === null) return 1;
  let answers = 0;
  let sum = 0;
  for (const peer of places) {
    if (peer.key === key || peer.before === null || peer.answerMs === null) continue;
    answers += peer.answers;
    sum += peer.answers * Math.log(peer.answerMs / peer.before.usualMs);
  }
  if (answers === 0) return 1;
  // That the others have become faster is nothing to hold against it.
  const slowdown = answerMs / before.usualMs / Math.max(1, Math.exp(sum / answers));
  return slowdown < LEAST_SLOWDOWN ? 1 : Math.max(KEPT_FLOOR, 1 / slowdown);
}

/** Of what the places of a version can take (each the same where that of one is not known) no more than half is taken away. */
function brake(places: readonly Place[], kept: readonly number[]): readonly number[] {
  if (kept.every((part) => part === 1)) return kept;
  const known = places.every(({ capacityRps }) => capacityRps !== null);
  const sizes = places.map(({ capacityRps }) => (known ? (capacityRps ?? 0) : 1));
  const all = sizes.reduce((sum, size) => sum + size, 0);
  const out = sizes.reduce((sum, size, index) => sum + size * (1 - (kept[index] ?? 1)), 0);
  return out <= BRAKE * all ? kept : kept.map((part) => 1 - ((1 - part) * BRAKE * all) / out);
}
