// Services of the file → services of the config.
import { completeAssign } from './complete-assign.ts';
import type { Completion } from './completion.ts';
import { completeHealth, keySource } from './complete-cluster.ts';
import type { PlacementConfig, ServiceConfig, VersionConfig } from './config.ts';
import type { MirrorConfig } from './mirror-config.ts';
import type { RolloutConfig } from './rollout-config.ts';
import type { StickyConfig } from './sticky-config.ts';
import { toMillionths } from './millionths.ts';
import { nearest } from './nearest.ts';
import type { ValuePath } from './problems.ts';
import { durationMs, parsePercentile, percentRatio, sizeBytes } from './quantities.ts';
import type { HedgeDelay, RetryConfig } from './retry-config.ts';
import { completeCircuit } from './schema-circuit.ts';
import type { ServiceFile, VersionFile } from './schema-fleet.ts';

export function completeService(name: string, file: ServiceFile, completion: Completion): ServiceConfig {
  const path = ['services', name];
  const versions = new Set(Object.keys(file.versions));
  const versionProblem = (version: string): string | null =>
    versions.has(version) ? null : unknownReference('version', version, versions);
  return {
    name,
    versions: Object.entries(file.versions).map(([version, value]) =>
      completeVersion(version, value, { path: [...path, 'versions', version], completion }),
    ),
    split: completeSplit(file, [...path, 'split'], completion),
    steer: {
      policy: file.steer.policy,
      panicThreshold: percentRatio(file.steer.panicThreshold),
      overload: file.steer.overload,
    },
    onUnavailable: file.onUnavailable,
    assign: completeAssign(name, file.assign, { path: [...path, 'assign'], completion }, versionProblem),
    mirror: completeMirror(file.mirror, { path: [...path, 'mirror'], completion }, versionProblem),
    sticky: completeSticky(name, file.sticky, { path: [...path, 'sticky'], completion }),
    rollout: completeRollout(file.rollout, { path: [...path, 'rollout'], completion }),
    timeouts: {
      firstByteMs: durationMs(file.timeouts.firstByte),
      betweenBytesMs: durationMs(file.timeouts.betweenBytes),
      tryMs: file.timeouts.try === 'adaptive' ? 'adaptive' : durationMs(file.timeouts.try),
      requestMs: durationMs(file.timeouts.request),
      tunnelIdleMs: durationMs(file.timeouts.tunnelIdle),
    },
    retries: completeRetries(file.retries, [...path, 'retries'], completion),
    ...completeCircuit(file.circuit),
  };
}

function completeRetries(file: ServiceFile['retries'], path: ValuePath, completion: Completion): RetryConfig {
  const { attempts, budget, budgetMin, on, hedgeAfter } = file;
  if (attempts === 0 && hedgeAfter !== undefined && !completion.isTouched(path))
    completion.report(
      [...path, 'hedgeAfter'],
      'hedgeAfter does nothing while attempts is 0, as its second attempt is one beyond the first; set attempts to 1 or more, or leave it out',
    );
  return {
    attempts,
    budgetRatio: percentRatio(budget),
    budgetMin,
    on,
    hedgeAfter: hedgeAfter === undefined ? null : hedgeDelay(hedgeAfter),
  };
}

function hedgeDelay(written: string): HedgeDelay {
  const percentile = parsePercentile(written);
  return percentile === null ? { kind: 'time', ms: durationMs(written) } : { kind: 'percentile', percentile };
}

interface Place {
  readonly path: ValuePath;
  readonly completion: Completion;
}

/** Millionths in one percent. */
const PER_PERCENT = 10_000;

function completeRollout(file: ServiceFile['rollout'], { path, completion }: Place): RolloutConfig {
  const steps = file.steps.map((percent) => Math.round(percent * PER_PERCENT));
  const low = steps.findIndex((share, index) => index > 0 && share <= (steps[index - 1] ?? 0));
  if (low > 0 && !completion.isTouched([...path, 'steps']))
    completion.report(
      [...path, 'steps', low],
      `${file.steps[low] ?? 0} is not more than the step before it; steps rise, for example [1, 5, 25, 50, 100]`,
    );
  file.gates.forEach((gate, index) => {
    const problem = completion.extensions.gateProblem(gate, completion.declared.gates);
    if (problem !== null) completion.report([...path, 'gates', index], problem);
  });
  const waves = completeWaves(file.waves, { path: [...path, 'waves'], completion });
  return { steps, holdMs: [durationMs(file.hold)], minRequests: file.minRequests, gates: file.gates, onFail: file.onFail, ...waves };
}

function completeWaves(written: readonly string[] | undefined, { path, completion }: Place): Pick<RolloutConfig, 'waves'> {
  if (written === undefined) return {};
  const waves = written.map((wave) => wave.split('+'));
  const before = new Set<string>();
  for (const [index, wave] of waves.entries()) {
    for (const cluster of wave) {
      if (!completion.declared.clusters.has(cluster))
        completion.report([...path, index], unknownReference('cluster', cluster, completion.declared.clusters));
      else if (before.has(cluster)) completion.report([...path, index], `"${cluster}" is named twice; each cluster is in one wave`);
      before.add(cluster);
    }
  }
  return { waves };
}

function completeMirror(
  file: ServiceFile['mirror'],
  { path, completion }: Place,
  versionProblem: (version: string) => string | null,
): MirrorConfig | null {
  if (file === undefined) return null;
  const problem = versionProblem(file.to);
  if (problem !== null) completion.report([...path, 'to'], problem);
  const { to, methods, concurrency, credentials, compare } = file;
  return {
    ...{ to, methods, concurrency, credentials },
    share: Math.round(percentRatio(file.percent) * 100 * PER_PERCENT),
    timeoutMs: durationMs(file.timeout),
    compare: compare === undefined ? null : { body: compare.body, ignore: compare.ignore, maxBodyBytes: sizeBytes(compare.maxBody) },
  };
}

function completeSticky(service: string, file: ServiceFile['sticky'], { path, completion }: Place): StickyConfig | null {
  const { mode } = file;
  if (mode === 'none') {
    const idle = (['key', 'override', 'salt', 'cookieName', 'cookieMaxAge'] as const).find((key) => file[key] !== undefined);
    if (idle !== undefined && !completion.isTouched(path))
      completion.report([...path, idle], `${idle} does nothing while mode is none; set mode to hash or cookie, or leave it out`);
    return null;
  }
  if (mode === 'hash' && file.key === undefined && !completion.isTouched(path))
    completion.report(
      [...path, 'mode'],
      'hash needs to know what clients are told apart by; add key, for example header:x-user-id or address',
    );
  return {
    mode,
    key: file.key === undefined ? null : keySource(file.key),
    scope: file.scope,
    salt: file.salt ?? service,
    onZero: file.onZero,
    drainMs: durationMs(file.drainFor),
    cookieName: file.cookieName ?? `weir-${service}`,
    cookieMaxAgeMs: file.cookieMaxAge === undefined ? null : durationMs(file.cookieMaxAge),
    override: file.override?.toLowerCase() ?? null,
  };
}

function completeVersion(name: string, file: VersionFile, { path, completion }: Place): VersionConfig {
  const clusters = [...path, 'clusters'];
  const weighted = Object.values(file.clusters).some(({ weight }) => weight !== undefined);
  const placements = Object.entries(file.clusters).map(([cluster, placement]): PlacementConfig => {
    reportUnknown({ path: [...clusters, cluster], completion }, 'cluster', completion.declared.clusters);
    if (weighted && placement.weight === undefined && !completion.isTouched(clusters))
      completion.reportKey(
        [...clusters, cluster],
        'has no weight while other clusters of this version have one; give all of them a weight, or none',
      );
    return { cluster, weight: placement.weight ?? 1, priority: placement.priority, host: placement.host ?? null };
  });
  if (placements.every(({ weight }) => weight === 0) && !completion.isTouched(clusters))
    completion.report(clusters, `every cluster of version ${name} has weight 0, so it runs nowhere; expected at least one above 0`);
  const health = file.health === undefined ? null : completeHealth(file.health, [...path, 'health'], completion);
  return { name, placements, health };
}

function completeSplit(file: ServiceFile, path: ValuePath, completion: Completion): Readonly<Record<string, number>> {
  const versions = Object.keys(file.versions);
  const known = new Set(versions);
  for (const version of Object.keys(file.split ?? {})) reportUnknown({ path: [...path, version], completion }, 'version', known);
  const written = new Map(Object.entries(file.split ?? { [versions[0] ?? '']: 1 }));
  if (Math.max(0, ...written.values()) === 0 && !completion.isTouched(path))
    completion.report(path, 'no version has a share; expected at least one number above 0');
  return toMillionths(Object.fromEntries(versions.map((version) => [version, written.get(version) ?? 0])));
}

/** The last key of the path is the name of something that must be there. */
function reportUnknown({ path, completion }: Place, what: string, known: ReadonlySet<string>): void {
  const name = String(path.at(-1));
  if (!known.has(name)) completion.reportKey(path, unknownReference(what, name, known));
}

/** `unknown cluster "eu-wets"; did you mean "eu-west"?` */
export function unknownReference(what: string, name: string, known: ReadonlySet<string>): string {
  const meant = nearest(name, [...known]);
  if (meant !== null) return `unknown ${what} "${name}"; did you mean "${meant}"?`;
  return known.size === 0
    ? `unknown ${what} "${name}"; the file names none`
    : `unknown ${what} "${name}"; known: ${[...known].slice(0, 10).join(', ')}`;
}
