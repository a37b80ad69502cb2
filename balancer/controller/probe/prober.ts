// The prober: watches every endpoint and every version with a probe of its own, takes in what workers saw and what agents find, and keeps the health
// of all.
import type { EndpointsReport } from '../../../agent/protocol.ts';
import type { Clock, Random } from '../../../health/clock.ts';
import { HOLD_DOWN, type HoldDownSettings } from '../../../health/hold-down.ts';
import type { CheckedState } from '../../../health/rise-fall.ts';
import type { ClusterConfig, Config, VersionConfig } from '../../config/config.ts';
import type { Ejection } from '../../ipc.ts';
import { type ClusterHealth, type HealthView, targetKey } from '../../steer/plan-shape.ts';
import type { ReadFile } from '../../upstream/upstream-tls.ts';
import type { EndpointView } from '../api/views.ts';
import { type CheckEnvironment, endpointCheck, versionCheck } from './checks.ts';
import { clusterHealth, type HealthEvent, healthEvents } from './cluster-health.ts';
import { type Discovered, followReport, rediscovered, sameList, siftKnown } from './discovered.ts';
import { Watch, type WatchSettings } from './watch.ts';

export interface ProberDependencies {
  readonly clock: Clock;
  readonly random: Random;
  /** Reads the authority of a cluster; throws when it cannot be read. */
  readonly readFile: ReadFile;
  /** Once per probe; `weir_probes_total`. */
  readonly count: (cluster: string, outcome: 'success' | 'failure') => void;
  /** After `view()` changed for what was observed, not for a new config. */
  readonly onChange: (event: HealthEvent) => void;
  readonly holdDown?: HoldDownSettings;
}

/** Without an active check there is nothing to count. */
const NEVER_CHECKED: WatchSettings = { intervalMs: 0, rise: 1, fall: 1 };
const NOTHING_KNOWN: HealthView = { clusters: {}, ejectedTargets: [] };
const LEAVING = 'draining: its agent says that it leaves';
const BEFORE_RESTART = 'ejected before the restart of the controller';

interface WatchedCluster {
  /** With the endpoints that were discovered, where the file lists none. */
  readonly config: ClusterConfig;
  readonly endpoints: ReadonlyMap<string, Watch>;
  /** Null: the file lists them. */
  readonly discovered: Discovered | null;
}

/** A version in a cluster. */
interface Target {
  readonly key: string;
  readonly version: VersionConfig;
  readonly cluster: string;
  /** Host field of its requests. */
  readonly host: string | null;
}

export class Prober {
  readonly #dependencies: ProberDependencies;
  readonly #environment: CheckEnvironment;
  #clusters = new Map<string, WatchedCluster>();
  #targets: ReadonlyMap<string, Watch> = new Map();
  #config: Pick<Config, 'services'> | null = null;
  #view = NOTHING_KNOWN;
  /** While a config is taken over the view changes once, at the end, and is nobody's event. */
  #replacing = false;

  constructor(dependencies: ProberDependencies) {
    this.#dependencies = dependencies;
    const { clock, readFile, count } = dependencies;
    this.#environment = { clock, readFile, count, isUp: (cluster, endpoint) => this.#watch(cluster, endpoint)?.condition === 'up' };
  }

  /** Begins with the health that was last stored, if any, and checks everything soon. */
  start(config: Config, last: HealthView | null): void {
    this.#take(config, last ?? NOTHING_KNOWN);
  }

  /** Takes over a config. What stays keeps its state; everything is checked soon. */
  replace(config: Config): void {
    this.#take(config, NOTHING_KNOWN);
  }

  /** Takes in what a worker saw in real traffic. */
  report(ejection: Ejection): void {
    const watch =
      ejection.kind === 'endpoint'
        ? this.#watch(ejection.cluster, ejection.endpoint)
        : this.#targets.get(targetKey(ejection.service, ejection.version, ejection.cluster));
    const longestMs = this.#clusters.get(ejection.cluster)?.config.outlier.maxEjectionMs ?? 0;
    // Absent: it left the config while the message was on its way.
    watch?.eject(Math.min(ejection.forMs, longestMs), ejection.reason);
  }

  /** Takes in what the agent of a cluster finds there. Nothing where the file lists the endpoints. Whether other endpoints are known now than before. */
  discover(cluster: string, report: EndpointsReport): boolean {
    const watched = this.#clusters.get(cluster);
    const discovery = watched?.config.discovery ?? null;
    if (watched === undefined || discovery === null || watched.discovered === null) return false;
    const isUp = (endpoint: string): boolean => watched.endpoints.get(endpoint)?.condition === 'up';
    const { discovered, told } = followReport(watched.discovered, report, {
      cluster,
      discovery,
      isUp,
      nowMs: this.#dependencies.clock.nowMs(),
    });
    const changes = sameList(watched.discovered, discovered) ? [] : changesOf(cluster, watched.discovered, discovered);
    if (changes.length === 0) this.#put(cluster, { ...watched, discovered });
    else this.#exchange(watched.config, discovered);
    for (const text of told) this.#dependencies.onChange({ code: 'agent.endpoints_held', cluster, text });
    for (const text of changes) this.#dependencies.onChange({ code: 'agent.endpoints', cluster, text });
    return changes.length > 0;
  }

  /** Of clusters whose endpoints are discovered: whether the agent names none, so that those known are held. */
  held(): ReadonlyMap<string, boolean> {
    return new Map(
      [...this.#clusters].flatMap(([name, { discovered }]) =>
        discovered === null ? [] : [[name, discovered.emptySinceMs !== null && discovered.list.length > 0] as const],
      ),
    );
  }

  /** The health of all, as the plan takes it; a new object after each change. */
  view(): HealthView {
    return this.#view;
  }

  /** The endpoints of a cluster with the reasons why they are not up; empty for an unknown cluster. */
  endpoints(cluster: string): readonly EndpointView[] {
    const states = this.#view.clusters[cluster]?.endpoints ?? [];
    return states.map(({ endpoint, state, draining }) => {
      const because = state === 'up' ? '' : (this.#watch(cluster, endpoint)?.reason ?? '');
      return { id: endpoint, health: state, reason: draining === true ? LEAVING : because };
    });
  }

  close(): void {
    for (const watch of allWatches(this.#clusters, this.#targets)) watch.close();
    this.#clusters = new Map();
    this.#targets = new Map();
  }

  #take(config: Config, last: HealthView): void {
    this.#replacing = true;
    this.#config = config;
    const before = allWatches(this.#clusters, this.#targets);
    this.#clusters = new Map(Object.values(config.clusters).map((cluster) => [cluster.name, this.#takeCluster(cluster, last)]));
    this.#targets = new Map(targetsOf(config).map((target) => [target.key, this.#takeTarget(target, last)]));
    const after = new Set(allWatches(this.#clusters, this.#targets));
    for (const watch of before) if (!after.has(watch)) watch.close();
    this.#view = this.#compute();
    this.#replacing = false;
  }

  /** The endpoints of one cluster are others now. */
  #exchange(config: ClusterConfig, discovered: Discovered): void {
    this.#replacing = true;
    const before = this.#clusters.get(config.name);
    const after = this.#watched(withEndpoints(config, discovered), discovered, NOTHING_KNOWN);
    this.#put(config.name, after);
    for (const [id, watch] of before?.endpoints ?? []) if (!after.endpoints.has(id)) watch.close();
    // Versions are asked through the endpoints there are.
    for (const target of targetsOf(this.#config ?? { services: {} }))
      if (target.cluster === config.name) this.#takeTarget(target, NOTHING_KNOWN);
    this.#replacing = false;
    this.#clusterChanged(config.name);
  }

  #put(cluster: string, watched: WatchedCluster): void {
    this.#clusters.set(cluster, watched);
  }

  #takeCluster(config: ClusterConfig, last: HealthView): WatchedCluster {
    const { discovery, name } = config;
    if (discovery === null) return this.#watched(config, null, last);
    const known = this.#clusters.get(name)?.discovered ?? null;
    const discovered = known === null ? rediscovered(last.clusters[name], discovery) : siftKnown(known, discovery);
    return this.#watched(withEndpoints(config, discovered), discovered, last);
  }

  #watched(config: ClusterConfig, discovered: Discovered | null, last: HealthView): WatchedCluster {
    const known = last.clusters[config.name]?.endpoints;
    const endpoints = config.endpoints.map((endpoint): [string, Watch] => {
      const state = known?.find((stored) => stored.endpoint === endpoint.id)?.state;
      const initial = state === 'up' || state === 'down' ? state : 'unknown';
      const watch = this.#watch(config.name, endpoint.id) ?? this.#createWatch(initial, () => this.#clusterChanged(config.name));
      watch.configure(endpointCheck(config, endpoint, this.#environment), config.health ?? NEVER_CHECKED);
      if (state === 'down' && config.health === null) watch.eject(config.outlier.baseEjectionMs, BEFORE_RESTART);
      return [endpoint.id, watch];
    });
    return { config, discovered, endpoints: new Map(endpoints) };
  }

  #takeTarget({ key, version, cluster, host }: Target, last: HealthView): Watch {
    const ejected = last.ejectedTargets.includes(key);
    const watch = this.#targets.get(key) ?? this.#createWatch(ejected ? 'down' : 'unknown', () => this.#targetChanged(key, cluster));
    const at = this.#clusters.get(cluster)?.config;
    watch.configure(at === undefined ? null : versionCheck(at, version, host, this.#environment), version.health ?? NEVER_CHECKED);
    if (ejected && version.health === null) watch.eject(at?.outlier.baseEjectionMs ?? 0, BEFORE_RESTART);
    return watch;
  }

  #createWatch(initial: CheckedState, onChange: () => void): Watch {
    const { clock, random, holdDown = HOLD_DOWN } = this.#dependencies;
    return new Watch(initial, { clock, random, holdDown, onChange });
  }

  #watch(cluster: string, endpoint: string): Watch | undefined {
    return this.#clusters.get(cluster)?.endpoints.get(endpoint);
  }

  #clusterChanged(name: string): void {
    if (this.#replacing) return;
    const before = this.#view.clusters[name];
    this.#view = this.#compute();
    const after = this.#view.clusters[name];
    if (after === undefined) return;
    const reasonOf = (endpoint: string): string => this.#watch(name, endpoint)?.reason ?? '';
    for (const event of healthEvents(name, before, after, reasonOf)) this.#dependencies.onChange(event);
  }

  #targetChanged(key: string, cluster: string): void {
    if (this.#replacing) return;
    const before = this.#view.ejectedTargets.includes(key);
    this.#view = this.#compute();
    const after = this.#view.ejectedTargets.includes(key);
    if (before === after) return;
    const text = after ? `${key} is ejected: ${this.#targets.get(key)?.reason ?? ''}` : `${key} is back`;
    this.#dependencies.onChange({ code: 'ejection.changed', cluster, text });
  }

  #compute(): HealthView {
    const clusters: Record<string, ClusterHealth> = {};
    for (const [name, { endpoints, discovered }] of this.#clusters) {
      const leaving = new Set(discovered?.list.flatMap(({ config, draining }) => (draining ? [config.id] : [])));
      clusters[name] = clusterHealth([...endpoints].map(([id, { condition }]) => ({ id, condition, draining: leaving.has(id) })));
    }
    const ejectedTargets = [...this.#targets].filter(([, watch]) => watch.condition === 'down').map(([key]) => key);
    return { clusters, ejectedTargets };
  }
}

function withEndpoints(config: ClusterConfig, { list }: Discovered): ClusterConfig {
  return { ...config, endpoints: list.map((endpoint) => endpoint.config) };
}

/** What operators see of it: which came, drain and went. */
function changesOf(cluster: string, before: Discovered, after: Discovered): readonly string[] {
  const stateOf = ({ list }: Discovered): ReadonlyMap<string, boolean> =>
    new Map(list.map(({ config, draining }) => [config.id, draining]));
  const [was, is] = [stateOf(before), stateOf(after)];
  const say = (what: string, ids: readonly string[]): readonly string[] => {
    if (ids.length === 0) return [];
    const shown =
      ids.slice(0, SHOWN_ENDPOINTS).join(', ') + (ids.length > SHOWN_ENDPOINTS ? ` and ${ids.length - SHOWN_ENDPOINTS} more` : '');
    return [`${ids.length === 1 ? 'endpoint' : 'endpoints'} ${shown} of ${cluster} ${ids.length === 1 ? 'has' : 'have'} ${what}`];
  };
  return [
    ...say(
      'come',
      [...is.keys()].filter((id) => !was.has(id)),
    ),
    ...say(
      'begun to drain',
      [...is].flatMap(([id, draining]) => (draining && was.get(id) === false ? [id] : [])),
    ),
    ...say(
      'gone',
      [...was.keys()].filter((id) => !is.has(id)),
    ),
    ...say(
      'come back',
      [...is].flatMap(([id, draining]) => (!draining && was.get(id) === true ? [id] : [])),
    ),
  ];
}

const SHOWN_ENDPOINTS = 5;

function targetsOf(config: Pick<Config, 'services'>): readonly Target[] {
  return Object.values(config.services).flatMap((service) =>
    service.versions.flatMap((version) =>
      version.placements.map(({ cluster, host }) => ({ key: targetKey(service.name, version.name, cluster), version, cluster, host })),
    ),
  );
}

function allWatches(clusters: ReadonlyMap<string, WatchedCluster>, targets: ReadonlyMap<string, Watch>): readonly Watch[] {
  return [...[...clusters.values()].flatMap(({ endpoints }) => [...endpoints.values()]), ...targets.values()];
}
