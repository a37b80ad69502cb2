// The agent's view of its cluster from start to end: reads it, asks applications, learns rates, and makes the part of a report that tells of it.
import type { Agent } from 'undici';
import type { Log } from '../balancer/log.ts';
import type { Clock, Random } from '../health/clock.ts';
import { applicationDispatcher, askService, type ApplicationLoad } from './application-load.ts';
import { clusterFigures, type ClusterFigures, type ServiceKnowledge } from './cluster-figures.ts';
import type { Measurement } from './host-meter.ts';
import type { ApiServer } from './kubernetes/api.ts';
import { ClusterView } from './kubernetes/cluster-view.ts';
import { Poller } from './kubernetes/poller.ts';
import { learnRate, NOTHING_LEARNED, type LearnedRate, type RateSample } from './learned-rate.ts';
import type { CapacitySnapshot, ObservedService, SourceReport } from './protocol.ts';
import { serviceEndpoints, slicesByService } from './ready-endpoints.ts';
import type { AgentFile, ServiceSettings } from './settings.ts';

/** What the cluster adds to a report, and what stands in it for the machine of an agent that reads no cluster. */
export type ClusterMeasurement = Measurement &
  Pick<
    CapacitySnapshot,
    'utilisation' | 'utilisationOf' | 'growth' | 'services' | 'endpoints' | 'nodes' | 'pendingPods' | 'controlPlane' | 'sources'
  > & { readonly capacityRps: number | null };

export interface ClusterSourceParts {
  readonly api: ApiServer;
  readonly file: AgentFile;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

const APPLICATION = { periodMs: 5000, freshMs: 15_000 };
/** What an edge saw of its requests says nothing of now after this. */
const OBSERVED_MS = 10_000;
/** Rates are learned from samples so far apart. */
const LEARN_MS = 1000;

export class ClusterSource {
  readonly #parts: ClusterSourceParts;
  readonly #view: ClusterView;
  readonly #applications: ReadonlyMap<string, Poller<ApplicationLoad>>;
  readonly #learned = new Map<string, LearnedRate>();
  /** By edge. */
  readonly #observed = new Map<string, { readonly atMs: number; readonly services: Readonly<Record<string, ObservedService>> }>();
  #dispatcher: Agent | null = null;
  #learnedAtMs = -Infinity;
  #figures: { readonly of: string; readonly value: ClusterFigures } | null = null;

  constructor(parts: ClusterSourceParts) {
    this.#parts = parts;
    const { file, clock, random, log, api } = parts;
    const services = [...file.services, ...file.gateways].map(({ service }) => service);
    this.#view = new ClusterView({ api, clock, random, log, services });
    const asked = file.services.filter(({ application }) => application !== null);
    this.#applications = new Map(asked.map((service) => [service.name, this.#applicationOf(service)]));
  }

  get view(): ClusterView {
    return this.#view;
  }

  start(): void {
    this.#view.start();
    for (const poller of this.#applications.values()) poller.start();
  }

  async close(): Promise<void> {
    this.#view.close();
    for (const poller of this.#applications.values()) poller.close();
    await this.#dispatcher?.destroy();
    this.#dispatcher = null;
  }

  /** Asks every application once, for those who do not wait for a period. */
  async askApplications(): Promise<void> {
    await Promise.all([...this.#applications.values()].map((poller) => poller.once()));
  }

  /** What an edge sees of its requests to this cluster. */
  observe(edge: string, services: Readonly<Record<string, ObservedService>>): void {
    this.#observed.set(edge, { atMs: this.#parts.clock.nowMs(), services });
  }

  figures(): ClusterFigures {
    const { file, clock } = this.#parts;
    this.#learn();
    const sources = this.#view.sources();
    const wallMs = clock.wallMs();
    const knowledge = this.#knowledge();
    // Thousands of pods are looked through once a change, not once a report. Pods that wait get old, so not for longer than a few seconds.
    const states = Object.values(sources).map(({ state }) => state);
    const of = JSON.stringify([this.#view.changes, Math.floor(wallMs / 5000), states, [...knowledge]]);
    if (this.#figures?.of === of) return this.#figures.value;
    const value = clusterFigures({ file, facts: this.#view.facts(), sources, knowledge, wallMs });
    this.#figures = { of, value };
    return value;
  }

  measure(): ClusterMeasurement {
    const { cluster, services, endpoints, nodes, pendingPods, cores } = this.figures();
    return {
      // The machine that the agent happens to run on is not the cluster. A hub of before knows use by this name; 0: it learns nothing from that.
      ...{ cpuUtilisation: Math.min(100, cluster.utilisation ?? 0), memoryUtilisation: 0, cores, loadAverage1m: 0 },
      capacityRps: cluster.capacityRps,
      ...(cluster.utilisation === null || cluster.utilisationOf === null
        ? {}
        : { utilisation: Math.min(100, cluster.utilisation), utilisationOf: cluster.utilisationOf }),
      growth: Math.min(1000, cluster.growth),
      services: services.map(({ report }) => ({ ...report, growth: Math.min(1000, report.growth) })),
      ...(endpoints === undefined ? {} : { endpoints }),
      ...{ nodes, pendingPods },
      controlPlane: this.#view.controlPlane(),
      sources: this.sources(),
    };
  }

  sources(): NonNullable<CapacitySnapshot['sources']> {
    const reports = [...this.#applications.values()].map((poller) => poller.report());
    const application = reports.reduce<SourceReport | null>(
      (worst, report) => (worst === null || isWorse(report, worst) ? report : worst),
      null,
    );
    return { ...this.#view.sources(), ...(application === null ? {} : { application }) };
  }

  /** Why sources are not fresh, for people. */
  problems(): Readonly<Record<string, string>> {
    const applications = [...this.#applications].flatMap(([name, { problem }]) =>
      problem === '' ? [] : [[`application of ${name}`, problem]],
    );
    return { ...this.#view.problems(), ...(Object.fromEntries(applications) as Record<string, string>) };
  }

  #applicationOf({ service, port, application }: ServiceSettings): Poller<ApplicationLoad> {
    const { clock } = this.#parts;
    let round = 0;
    return new Poller(
      APPLICATION,
      () => {
        const { services, slices } = this.#view.facts();
        const addresses = serviceEndpoints({ service, port }, services, slicesByService(slices?.values() ?? [])).flatMap(
          ({ address, state }) => (state === 'ready' ? [address] : []),
        );
        this.#dispatcher ??= applicationDispatcher();
        return askService(this.#dispatcher, { url: application ?? '', addresses, round: round++ }, clock);
      },
      this.#parts,
    );
  }

  #loadOf(service: string): ApplicationLoad | null {
    const poller = this.#applications.get(service);
    return poller?.report().state === 'fresh' ? poller.value : null;
  }

  #knowledge(): ReadonlyMap<string, ServiceKnowledge> {
    return new Map(
      this.#parts.file.services.map(({ name }) => [
        name,
        { learnedRate: this.#learned.get(name)?.rate ?? null, applicationUtilisation: this.#loadOf(name)?.utilisation ?? null },
      ]),
    );
  }

  /** With what edges saw before what the application says: the data path knows best what it got. */
  #learn(): void {
    const nowMs = this.#parts.clock.nowMs();
    if (nowMs - this.#learnedAtMs < LEARN_MS) return;
    this.#learnedAtMs = nowMs;
    for (const [edge, { atMs }] of this.#observed) if (nowMs - atMs > OBSERVED_MS) this.#observed.delete(edge);
    const last = new Map(this.#figures?.value.services.map((service) => [service.report.service, service.report]));
    for (const { name, learnP95Ms } of this.#parts.file.services) {
      const report = last.get(name);
      const seen = this.#seen(name);
      if (learnP95Ms === null || report === undefined || seen === null) continue;
      const sample: RateSample = { ...seen, ready: report.ready, utilisation: report.utilisation };
      this.#learned.set(name, learnRate(this.#learned.get(name) ?? NOTHING_LEARNED, sample, learnP95Ms, nowMs));
    }
  }

  #seen(service: string): Pick<RateSample, 'requestsPerSecond' | 'p95Ms'> | null {
    const seen = [...this.#observed.values()].flatMap(({ services }) => services[service] ?? []);
    if (seen.length === 0) {
      const load = this.#loadOf(service);
      return load === null || load.requestsPerSecond === null ? null : { requestsPerSecond: load.requestsPerSecond, p95Ms: load.p95Ms };
    }
    const p95s = seen.flatMap(({ p95Ms }) => p95Ms ?? []);
    return {
      requestsPerSecond: seen.reduce((sum, { requestsPerSecond }) => sum + requestsPerSecond, 0),
      p95Ms: p95s.length === 0 ? null : Math.max(...p95s),
    };
  }
}

const STATES: readonly SourceReport['state'][] = ['fresh', 'stale', 'absent'];

function isWorse(a: SourceReport, b: SourceReport): boolean {
  return STATES.indexOf(a.state) > STATES.indexOf(b.state);
}
