// The fleet of a config under the load and the faults of a scenario file.
import type { Config, PriorityClass, ServiceConfig } from '../../config/config.ts';
import { nearest } from '../../config/nearest.ts';
import type { Finding } from '../../config/problems.ts';
import { durationMs, percentRatio } from '../../config/quantities.ts';
import type { ScenarioFile } from '../../config/schema-scenario.ts';
import type { AgentModel, ClusterModel, Scenario, ServiceModel } from './scenario.ts';

/** What a cluster can do of which nobody said anything. */
const EVERYTHING_RPS = 1e9;

/** The scenario, and what in the file the config does not have. */
export function scenarioOf(file: ScenarioFile, config: Config): { readonly scenario: Scenario; readonly findings: readonly Finding[] } {
  const settleMs = durationMs(file.settle);
  const runMs = durationMs(file.duration);
  const findings = [...unknownNames(file, config)];
  if (settleMs >= runMs) findings.push({ path: ['settle'], message: `"${file.settle}" is not shorter than duration "${file.duration}"` });
  const scenario: Scenario = {
    durationMs: runMs,
    hosts: file.hosts,
    workers: file.workers,
    hostRegion: config.hostRegion,
    regions: config.regions,
    clusters: Object.fromEntries(Object.keys(config.clusters).map((name) => [name, clusterOf(name, file, config)])),
    services: Object.fromEntries(
      Object.values(config.services).flatMap((service) =>
        file.load[service.name] === undefined ? [] : [[service.name, serviceOf(service, file)]],
      ),
    ),
    faults: file.faults.map(({ cluster, kind, from, for: lasts, part, period, lie }) => ({
      kind,
      cluster,
      fromMs: durationMs(from),
      toMs: durationMs(from) + durationMs(lasts),
      part: percentRatio(part),
      periodMs: durationMs(period),
      lie,
    })),
    surges: file.surges.map(({ service, from, for: lasts, factor }) => ({
      service,
      fromMs: durationMs(from),
      toMs: durationMs(from) + durationMs(lasts),
      factor,
    })),
    judgedFromMs: settleMs,
    judgedToMs: null,
  };
  return { scenario, findings };
}

function clusterOf(name: string, file: ScenarioFile, config: Config): ClusterModel {
  const cluster = config.clusters[name];
  const declaredRps = cluster?.capacity?.rps ?? null;
  const agent = file.agents[name];
  return {
    rps: file.real[name] ?? declaredRps ?? agent?.capacityRps ?? EVERYTHING_RPS,
    declaredRps,
    region: cluster?.region ?? null,
    failback: cluster?.failback ?? { mode: 'ramp', windowMs: 60_000 },
    agent: agent === undefined ? null : agentOf(agent),
  };
}

function agentOf({ period, delay, loss, counts, capacityRps }: ScenarioFile['agents'][string]): AgentModel {
  return {
    periodMs: durationMs(period),
    delayMs: [0, durationMs(delay)],
    loss: percentRatio(loss),
    counts,
    capacityRps: capacityRps ?? null,
  };
}

function serviceOf(service: ServiceConfig, file: ScenarioFile): ServiceModel {
  const { rps = 0, critical = 0, high = 0, low = 0 } = file.load[service.name] ?? {};
  const parts = { critical, high, normal: Math.max(0, rps - critical - high - low), low };
  const total = Object.values(parts).reduce((sum, part) => sum + part, 0);
  const classes: Partial<Record<PriorityClass, number>> = {};
  if (total > parts.normal)
    for (const name of ['critical', 'high', 'normal', 'low'] as const) if (parts[name] > 0) classes[name] = parts[name] / total;
  return {
    rps: Math.max(rps, total),
    classes,
    policy: service.steer.policy,
    onUnavailable: service.onUnavailable,
    overload: service.steer.overload,
    clusterSplits: file.clusterSplits[service.name] ?? {},
    versions: Object.fromEntries(
      service.versions.map(({ name, placements }) => [
        name,
        {
          share: service.split[name] ?? 0,
          clusters: Object.fromEntries(placements.map(({ cluster, weight, priority }) => [cluster, { weight, priority }])),
        },
      ]),
    ),
  };
}

/** What the config does not know of a name, and what it was meant to be. */
function check(path: Finding['path'], what: string, name: string, known: object): readonly Finding[] {
  if (Object.hasOwn(known, name)) return [];
  const meant = nearest(name, Object.keys(known));
  const hint = meant === null ? `it has ${Object.keys(known).join(', ')}` : `did you mean "${meant}"?`;
  return [{ path, message: `the config has no ${what} "${name}"; ${hint}` }];
}

function unknownInSplits(name: string, splits: ScenarioFile['clusterSplits'][string], config: Config): readonly Finding[] {
  const path = ['clusterSplits', name];
  const service = config.services[name];
  if (service === undefined) return check(path, 'service', name, config.services);
  return Object.entries(splits).flatMap(([cluster, weights]) => {
    const here = service.versions.filter(({ placements }) => placements.some((placement) => placement.cluster === cluster));
    if (here.length === 0) return check([...path, cluster], `cluster of ${name}`, cluster, clustersOf(service));
    const versions = Object.fromEntries(here.map((version) => [version.name, true]));
    const findings = Object.keys(weights).flatMap((version) =>
      check([...path, cluster, version], `version of ${name} in ${cluster}`, version, versions),
    );
    if (findings.length > 0 || Object.values(weights).some((weight) => weight > 0)) return findings;
    return [{ path: [...path, cluster], message: 'no version has a weight; give one of them more than 0' }];
  });
}

function clustersOf({ versions }: ServiceConfig): object {
  return Object.fromEntries(versions.flatMap(({ placements }) => placements.map(({ cluster }) => [cluster, true])));
}

function unknownNames(file: ScenarioFile, config: Config): readonly Finding[] {
  return [
    ...Object.keys(file.load).flatMap((name) => check(['load', name], 'service', name, config.services)),
    ...Object.entries(file.clusterSplits).flatMap(([name, splits]) => unknownInSplits(name, splits, config)),
    ...Object.keys(file.real).flatMap((name) => check(['real', name], 'cluster', name, config.clusters)),
    ...Object.keys(file.agents).flatMap((name) => check(['agents', name], 'cluster', name, config.clusters)),
    ...file.faults.flatMap(({ cluster }, index) => check(['faults', index, 'cluster'], 'cluster', cluster, config.clusters)),
    ...file.surges.flatMap(({ service }, index) => check(['surges', index, 'service'], 'service', service, config.services)),
  ];
}
