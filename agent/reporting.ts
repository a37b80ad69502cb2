// The half of an agent that faces the edge: which agent of the cluster speaks, to which hubs, and what is done of what they wish for.
import type { Log } from '../balancer/log.ts';
import type { Clock, Random } from '../health/clock.ts';
import { type HealthEndpoint, openHealthEndpoint } from './health-endpoint.ts';
import { type Resolve, resolveByMachine } from './hub-addresses.ts';
import type { PreparedHubs } from './hub-settings.ts';
import { Hubs } from './hubs.ts';
import { LeaseElection, type LeaseSettings } from './kubernetes/lease.ts';
import { Prescaler, type PrescaleTarget } from './kubernetes/prescale.ts';
import type { KubernetesRequest } from './kubernetes/request.ts';
import type { CapacitySnapshot, HubReply } from './protocol.ts';
import { WishBook } from './wish-book.ts';
import { WishKeeper } from './wish-keeper.ts';

export interface ReportingSettings extends PreparedHubs {
  readonly periodMs: number;
  /** Null: this agent is the only one of its cluster. */
  readonly lease: LeaseSettings | null;
  /** Autoscalers whose minimum may be raised; empty: none. */
  readonly prescale: readonly PrescaleTarget[];
  /** Where probes are answered; null: nowhere. */
  readonly health: { readonly host: string; readonly port: number } | null;
}

export interface ReportingDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly snapshot: () => Promise<CapacitySnapshot>;
  /** Null: there is no API server; then there is no lease and nothing to raise. */
  readonly request: KubernetesRequest | null;
  readonly resolve?: Resolve;
  readonly onReply?: (reply: HubReply, edge: string) => void;
}

/** An agent that leads and whose reports no hub took for so long is not ready. */
const TAKEN_MS = 30_000;
/** An agent that made no report for so long, while a hub would take one, stands still. */
const STILL_MS = 120_000;

export class Reporting {
  readonly #settings: ReportingSettings;
  readonly #dependencies: ReportingDependencies;
  readonly #hubs: Hubs;
  readonly #election: LeaseElection | null;
  readonly #keeper: WishKeeper;
  #endpoint: HealthEndpoint | null = null;
  #leads = false;
  #measuredAtMs: number;

  constructor(settings: ReportingSettings, dependencies: ReportingDependencies) {
    this.#settings = settings;
    this.#dependencies = dependencies;
    const { clock, random, log, request, resolve = resolveByMachine, onReply } = dependencies;
    const wishes = new WishBook();
    this.#measuredAtMs = clock.nowMs();
    const snapshot = (): Promise<CapacitySnapshot> => this.#snapshot();
    this.#hubs = new Hubs(settings, {
      clock,
      random,
      log,
      resolve,
      wishes,
      onWishes: () => this.#keeper.soon(),
      snapshot,
      ...(onReply === undefined ? {} : { onReply }),
    });
    this.#election =
      settings.lease === null || request === null
        ? null
        : new LeaseElection(settings.lease, { request, clock, random, log, onChange: (leading) => this.#onLeading(leading) });
    const { prescale } = settings;
    const actor = prescale.length === 0 || request === null ? null : new Prescaler({ targets: prescale, request, log });
    this.#keeper = new WishKeeper({ book: wishes, actor, mayAct: () => this.#election?.holds ?? true, clock, log });
  }

  /** Where probes are answered; null: nowhere. */
  get healthPort(): number | null {
    return this.#endpoint?.port ?? null;
  }

  /** Rejects when the address for probes is taken. */
  async start(): Promise<void> {
    const { health, lease } = this.#settings;
    if (health !== null)
      this.#endpoint = await openHealthEndpoint(health, { alive: () => this.#isAlive(), notReady: () => this.#notReady() });
    this.#hubs.start();
    this.#keeper.start();
    // Alone, it began when it was started: of two that were started for one cluster the later one counts.
    if (lease === null) this.#onLeading({ epoch: Math.floor(this.#dependencies.clock.wallMs()) });
    else this.#election?.start();
  }

  async close(): Promise<void> {
    await this.#keeper.close();
    // First goodbye to the hubs, then the lease: the next agent finds nobody there.
    await this.#hubs.close();
    await this.#election?.close();
    await this.#endpoint?.close();
  }

  async #snapshot(): Promise<CapacitySnapshot> {
    const snapshot = await this.#dependencies.snapshot();
    this.#measuredAtMs = this.#dependencies.clock.nowMs();
    return snapshot;
  }

  #onLeading(leading: { readonly epoch: number } | null): void {
    this.#leads = leading !== null;
    this.#measuredAtMs = this.#dependencies.clock.nowMs();
    if (leading === null) this.#hubs.rest();
    else this.#hubs.lead(leading.epoch);
  }

  #isAlive(): boolean {
    return !this.#leads || !this.#hubs.ready || this.#dependencies.clock.nowMs() - this.#measuredAtMs < STILL_MS;
  }

  #notReady(): string {
    const nowMs = this.#dependencies.clock.nowMs();
    if (this.#leads) return nowMs - this.#hubs.acceptedAtMs < TAKEN_MS ? '' : 'no hub takes the reports';
    return this.#election !== null && this.#election.heardAtMs > -Infinity ? '' : 'the API server does not say who leads';
  }
}
