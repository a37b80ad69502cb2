// The rules of the config that a change has to keep, one small function each. Breaking glass overrules them, and is recorded.
import { isWithin } from '../config/cron.ts';
import { MILLION, type ServiceConfig } from '../config/config.ts';
import type { SafetyConfig } from '../config/safety-config.ts';
import { diffIntent } from './diff.ts';
import { glidedIntent } from './glide.ts';
import type { Intent } from './intent.ts';
import { clusterTotals, versionTotals } from './cluster-totals.ts';
import { formatPercent } from './percent.ts';
import type { Facts } from './safety.ts';

export interface Move {
  readonly before: Intent;
  readonly after: Intent;
  readonly facts: Facts;
  /** To what was there before: a rollback, the end of a time. It must not wait. */
  readonly goesBack: boolean;
}

export interface Breach {
  /** As in the config: `safety.maxShift`. */
  readonly rule: string;
  /** What it forbids here, and how to go on. */
  readonly message: string;
}

/** A move by where things are, at its beginning too: what comes over a time is not there at once. */
interface Course extends Move {
  /** Before it, now. */
  readonly now: Intent;
  /** With it: now, and in the end. */
  readonly stages: readonly Intent[];
  /** A minute from now, without it and with it. */
  readonly soon: readonly [Intent, Intent];
}

type Rule = (course: Course, safety: SafetyConfig) => string | null;

const RULES: Readonly<Record<string, Rule>> = {
  'safety.freeze': frozen,
  'safety.minActiveClusters': tooFewClusters,
  'safety.maxShift': tooFar,
  'safety.maxCapacityOut': tooMuchOut,
};

/** Every rule that the move breaks. */
export function brokenRules(move: Move): readonly Breach[] {
  const { safety } = move.facts;
  if (safety === undefined) return [];
  const course = courseOf(move);
  return Object.entries(RULES).flatMap(([rule, check]) => {
    const message = check(course, safety);
    return message === null ? [] : [{ rule, message }];
  });
}

function courseOf(move: Move): Course {
  const { before, after, facts } = move;
  const { wallMs } = facts;
  const at = (intent: Intent, inMs: number): Intent => (wallMs === undefined ? intent : glidedIntent(intent, wallMs + inMs));
  const begin = at(after, 0);
  return {
    ...move,
    now: at(before, 0),
    stages: begin === after ? [after] : [begin, after],
    soon: [at(before, MINUTE_MS), at(after, MINUTE_MS)],
  };
}

/** What a refusal says of a broken rule. */
export function refusalText({ rule, message }: Breach): string {
  return `${message} (rule ${rule}); in an emergency --break-glass --reason TEXT overrules it, and the audit says so`;
}

const MINUTE_MS = 60_000;

const STEERED: readonly (string | undefined)[] = ['split', 'clusterSplits', 'clusterWeights', 'admin', 'dialPercent'];

function frozen({ before, after, facts, goesBack, now, stages }: Course, { freeze }: SafetyConfig): string | null {
  const { wallMs } = facts;
  const steers = (one: Intent, other: Intent): boolean => diffIntent(one, other).some(({ path }) => STEERED.includes(path[2]));
  if (goesBack || wallMs === undefined || !(steers(before, after) || steers(now, stages[0] ?? after))) return null;
  const window = freeze.find(({ when, timeZone }) => isWithin(when, timeZone, wallMs));
  if (window !== undefined) return `changes are frozen now: "${window.when}" in ${window.timeZone}; wait until that is over`;
  const glide = after.glides?.[String(before.revision + 1)];
  const endsMs = wallMs + (glide?.overMs ?? 0);
  for (let atMs = wallMs + MINUTE_MS; atMs < endsMs + MINUTE_MS && glide !== undefined; atMs += MINUTE_MS) {
    const next = freeze.find(({ when, timeZone }) => isWithin(when, timeZone, Math.min(atMs, endsMs)));
    if (next === undefined) continue;
    return `it would still be on its way when changes are frozen: "${next.when}" in ${next.timeZone}; take less time (--over), or wait until that is over`;
  }
  return null;
}

function tooFewClusters({ now, stages, facts }: Course, { minActiveClusters }: SafetyConfig): string | null {
  for (const { name, versions } of Object.values(facts.services)) {
    const clusters = [...new Set(versions.flatMap(({ placements }) => placements.map(({ cluster }) => cluster)))];
    const open = (intent: Intent): number => clusters.filter((cluster) => openPart(intent, cluster) > 0).length;
    const left = Math.min(...stages.map(open));
    if (left < minActiveClusters && left < open(now))
      return `service "${name}" would have ${left} open cluster${left === 1 ? '' : 's'}, and needs ${minActiveClusters}; open another of its clusters first (weir restore CLUSTER, weir dial CLUSTER 100)`;
  }
  return null;
}

function tooFar({ now, soon: [otherwise, soon], facts, goesBack }: Course, { maxShift }: SafetyConfig): string | null {
  if (goesBack || maxShift >= MILLION) return null;
  for (const service of Object.values(facts.services)) {
    const { name } = service;
    // What is on its way to where it was sent before was judged then.
    if (farther(service, otherwise, soon) === 0) continue;
    const moved = farther(service, now, soon);
    // Totals of clusters are rounded.
    if (moved > maxShift + 1)
      return `${formatPercent(moved)} % of service "${name}" would move ${soon.glides === undefined ? 'at once' : 'within a minute'}, and one step may move ${formatPercent(maxShift)} %; go there in smaller steps, over a longer time (--over), or with weir canary`;
  }
  return null;
}

function farther(service: ServiceConfig, one: Intent, other: Intent): number {
  return Math.max(
    farthest(versionTotals(one, service), versionTotals(other, service)),
    farthest(clusterTotals(one, service), clusterTotals(other, service)),
  );
}

function farthest(before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>): number {
  return Math.max(0, ...Object.keys(after).map((name) => Math.abs((after[name] ?? 0) - (before[name] ?? 0))));
}

function tooMuchOut({ now, stages, facts }: Course, { maxCapacityOut }: SafetyConfig): string | null {
  const clusters = Object.keys(facts.clusters);
  const capacity = (cluster: string): number | null =>
    facts.capacityRps === undefined ? (facts.clusters[cluster]?.capacity?.rps ?? null) : facts.capacityRps(cluster);
  const known = clusters.every((cluster) => capacity(cluster) !== null);
  const size = (cluster: string): number => (known ? (capacity(cluster) ?? 0) : 1);
  const total = clusters.reduce((sum, cluster) => sum + size(cluster), 0);
  const isDown = (cluster: string): boolean => facts.isDown?.(cluster) === true;
  const out = (intent: Intent): number =>
    clusters.reduce((sum, cluster) => sum + size(cluster) * (isDown(cluster) ? 1 : 1 - openPart(intent, cluster)), 0);
  const [had, has] = [out(now), Math.max(...stages.map(out))];
  // Dials are decimals; what is smaller than a millionth is the sum's rounding.
  if (total === 0 || has <= had + 1e-9 * total || has <= (maxCapacityOut + 1e-6) * total) return null;
  const worst = stages.find((stage) => out(stage) === has) ?? now;
  const those = clusters
    .filter((cluster) => isDown(cluster) || openPart(worst, cluster) < 1)
    .map((cluster) => `${cluster} ${isDown(cluster) ? 'is down' : stateOf(worst, cluster)}`);
  return `${formatPercent(Math.round((has / total) * MILLION))} % of the capacity of the fleet would be out at once (${those.join(', ')}), and ${formatPercent(Math.round(maxCapacityOut * MILLION))} % may be; bring another cluster back first (weir restore CLUSTER, weir dial CLUSTER 100)`;
}

/** 0 to 1: what operators leave of a cluster. */
function openPart(intent: Intent, cluster: string): number {
  const { admin, dialPercent } = intent.clusters[cluster] ?? { admin: 'active', dialPercent: 100 };
  return admin === 'active' ? dialPercent / 100 : 0;
}

function stateOf(intent: Intent, cluster: string): string {
  const { admin, dialPercent } = intent.clusters[cluster] ?? { admin: 'active', dialPercent: 100 };
  return admin === 'active' ? `is dialled to ${dialPercent}` : admin === 'drain' ? 'is draining' : 'is in maintenance';
}
