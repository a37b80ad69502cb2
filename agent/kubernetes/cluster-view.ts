// All the agent knows of its cluster: a reader for each kind of object, what cannot be watched asked for now and then, and how fresh each is.
import { type Clock, pause, type Random } from '../../health/clock.ts';
import type { Log } from '../../balancer/log.ts';
import type { CapacitySnapshot, SourceReport } from '../protocol.ts';
import { type ApiServer, isDenied } from './api.ts';
import type { AutoscalerFacts } from './autoscaler-facts.ts';
import { ServerGate } from './gate.ts';
import { type Kind, KINDS, pathOf, READY_PATH, slicesPath } from './kinds.ts';
import { listAll } from './list.ts';
import type { UseFacts } from './metrics-facts.ts';
import type { NodeFacts } from './node-facts.ts';
import type { PodFacts } from './pod-facts.ts';
import { Poller, type Polled } from './poller.ts';
import { Reflector, type ReflectorParts } from './reflector.ts';
import type { ServiceFacts } from './service-facts.ts';
import type { SliceFacts } from './slice-facts.ts';

export interface ClusterViewOptions {
  readonly api: ApiServer;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** `namespace/name` of the Services that count. */
  readonly services: readonly string[];
}

/** Cores in use and how much a figure is to be believed, by pod or node. */
export type Uses = ReadonlyMap<string, UseFacts>;

/** What is known, by key; a kind that was never listed is null. */
export interface ClusterFacts {
  readonly nodes: ReadonlyMap<string, NodeFacts> | null;
  readonly pods: ReadonlyMap<string, PodFacts> | null;
  readonly services: ReadonlyMap<string, ServiceFacts> | null;
  readonly slices: ReadonlyMap<string, SliceFacts> | null;
  readonly autoscalers: ReadonlyMap<string, AutoscalerFacts> | null;
  /** Null: there are no figures, or they are too old to mean anything. */
  readonly podUses: Uses | null;
  readonly nodeUses: Uses | null;
}

interface Measured {
  readonly at: string;
  readonly sinceMs: number;
}

export type ControlPlane = NonNullable<CapacitySnapshot['controlPlane']>;

const METRICS = { periodMs: 15_000, freshMs: 45_000 };
const READINESS = { periodMs: 10_000, freshMs: 30_000 };
/** A figure whose time does not change for so long is one that nobody measures any more. */
const UNCHANGED_MS = 120_000;

export class ClusterView {
  readonly #options: ClusterViewOptions;
  readonly #gate: ServerGate;
  readonly #nodes: Reflector<NodeFacts>;
  readonly #pods: Reflector<PodFacts>;
  readonly #services: Reflector<ServiceFacts>;
  readonly #slices: Reflector<SliceFacts>;
  readonly #autoscalers: Reflector<AutoscalerFacts>;
  readonly #podMetrics: Poller<Uses>;
  readonly #nodeMetrics: Poller<Uses>;
  readonly #readiness: Poller<'ready' | 'degraded'>;
  /** By kind and object, when each figure was first seen as it is. */
  readonly #measured = new Map<string, ReadonlyMap<string, Measured>>();
  #changes = 0;

  constructor(options: ClusterViewOptions) {
    this.#options = options;
    const { api, clock, random, log } = options;
    this.#gate = new ServerGate(clock, random);
    const parts: ReflectorParts = { api, clock, random, log, gate: this.#gate };
    const follow = <T>(kind: Kind<T>, path = pathOf(kind)): Reflector<T> =>
      new Reflector({ name: kind.resource, path, read: kind.read }, parts, () => {
        this.#changes += 1;
      });
    this.#nodes = follow<NodeFacts>(KINDS.nodes);
    this.#pods = follow<PodFacts>(KINDS.pods);
    this.#services = follow<ServiceFacts>(KINDS.services);
    this.#slices = follow<SliceFacts>(KINDS.endpointSlices, slicesPath(options.services));
    this.#autoscalers = follow<AutoscalerFacts>(KINDS.autoscalers);
    const namespaces = [...new Set(options.services.map((key) => key.slice(0, key.indexOf('/'))))].sort();
    this.#podMetrics = new Poller(METRICS, () => this.#uses(KINDS.podMetrics, namespaces), options);
    this.#nodeMetrics = new Poller(METRICS, () => this.#uses(KINDS.nodeMetrics, [null]), options);
    this.#readiness = new Poller(READINESS, () => this.#askReadiness(), options);
  }

  start(): void {
    for (const reader of this.#readers()) reader.start();
  }

  close(): void {
    for (const reader of this.#readers()) reader.close();
  }

  /** Rises with every change of an object: nothing has to be worked out again while it stays. */
  get changes(): number {
    return this.#changes;
  }

  /** Settles when every kind was listed or cannot be, or after so long. For those who ask once. */
  async settled(deadlineMs: number): Promise<void> {
    const { clock } = this.#options;
    const untilMs = clock.nowMs() + deadlineMs;
    const waiting = (): boolean =>
      this.#reflectors().some((reflector) => !reflector.isKnown && reflector.problem === '') ||
      [this.#podMetrics, this.#nodeMetrics].some((poller) => poller.value === null && poller.problem === '');
    while (waiting() && clock.nowMs() < untilMs) await pause(clock, 20);
  }

  facts(): ClusterFacts {
    const itemsOf = <T>(reflector: Reflector<T>): ReadonlyMap<string, T> | null => (reflector.isKnown ? reflector.items : null);
    return {
      nodes: itemsOf(this.#nodes),
      pods: itemsOf(this.#pods),
      services: itemsOf(this.#services),
      slices: itemsOf(this.#slices),
      autoscalers: itemsOf(this.#autoscalers),
      podUses: this.#podMetrics.report().state === 'fresh' ? this.#podMetrics.value : null,
      nodeUses: this.#nodeMetrics.report().state === 'fresh' ? this.#nodeMetrics.value : null,
    };
  }

  sources(): Readonly<
    Record<'nodes' | 'pods' | 'services' | 'endpointSlices' | 'autoscalers' | 'podMetrics' | 'nodeMetrics', SourceReport>
  > {
    return {
      nodes: this.#nodes.report(),
      pods: this.#pods.report(),
      services: this.#services.report(),
      endpointSlices: this.#slices.report(),
      autoscalers: this.#autoscalers.report(),
      podMetrics: this.#podMetrics.report(),
      nodeMetrics: this.#nodeMetrics.report(),
    };
  }

  /** Why a source is not fresh, for people; those that are fresh are not named. */
  problems(): Readonly<Record<string, string>> {
    const named = {
      ...{ nodes: this.#nodes, pods: this.#pods, services: this.#services, endpointSlices: this.#slices, autoscalers: this.#autoscalers },
      ...{ podMetrics: this.#podMetrics, nodeMetrics: this.#nodeMetrics },
    };
    return Object.fromEntries(Object.entries(named).flatMap(([name, { problem }]) => (problem === '' ? [] : [[name, problem]])));
  }

  /** A server that is away is no cluster that is away: what is known of it stays. */
  controlPlane(): ControlPlane {
    const { value } = this.#readiness;
    return value === null || this.#readiness.report().state !== 'fresh' || !this.#gate.isOpen ? 'away' : value;
  }

  /** Lists and watches begun so far, by resource. */
  counts(): Readonly<Record<string, { readonly lists: number; readonly watches: number }>> {
    return {
      nodes: this.#nodes.counts,
      pods: this.#pods.counts,
      services: this.#services.counts,
      endpointslices: this.#slices.counts,
      horizontalpodautoscalers: this.#autoscalers.counts,
    };
  }

  #reflectors(): readonly Reflector<unknown>[] {
    return [this.#nodes, this.#pods, this.#services, this.#slices, this.#autoscalers];
  }

  #readers(): readonly { start(): void; close(): void }[] {
    return [...this.#reflectors(), this.#podMetrics, this.#nodeMetrics, this.#readiness];
  }

  async #uses(kind: Kind<UseFacts>, namespaces: readonly (string | null)[]): Promise<Polled<Uses>> {
    if (!this.#gate.isOpen) return { kind: 'failed', problem: 'the API server is away' };
    const uses = new Map<string, UseFacts>();
    const nowMs = this.#options.clock.nowMs();
    const before = this.#measured.get(kind.resource);
    const measured = new Map<string, Measured>();
    for (const namespace of namespaces) {
      const listed = await listAll(this.#options.api, pathOf(kind, namespace), (object) => {
        const use = kind.read(object);
        if (use === null) return;
        // By the agent's own clock, as the server's may be wrong.
        const known = before?.get(use.key);
        const sinceMs = known?.at === use.measuredAt ? known.sinceMs : nowMs;
        measured.set(use.key, { at: use.measuredAt, sinceMs });
        if (nowMs - sinceMs < UNCHANGED_MS) uses.set(use.key, use);
      });
      if (!listed.ok) return { kind: isDenied(listed) ? 'absent' : 'failed', problem: listed.problem };
    }
    this.#measured.set(kind.resource, measured);
    return { kind: 'value', value: uses };
  }

  async #askReadiness(): Promise<Polled<'ready' | 'degraded'>> {
    const answer = await this.#options.api.get(READY_PATH);
    if (answer.ok) return { kind: 'value', value: 'ready' };
    // 401 and 403: it answers, and does not tell; 5xx: parts of it are not well.
    if (answer.status === 0) return { kind: 'failed', problem: answer.problem };
    return { kind: 'value', value: answer.status >= 500 ? 'degraded' : 'ready' };
  }
}
