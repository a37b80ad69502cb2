// An agent from start to end: measures the machine and reports for one cluster until it is told to stop.
import { createLog, type Log } from '../balancer/log.ts';
import { weirVersion } from '../balancer/version.ts';
import { type Clock, type Random, systemClock } from '../health/clock.ts';
import { createMeter, type Measure } from './capacity.ts';
import type { Resolve } from './hub-addresses.ts';
import { type HubSettings, type PreparedHubs, prepareHubs } from './hub-settings.ts';
import type { LeaseSettings } from './kubernetes/lease.ts';
import type { PrescaleTarget } from './kubernetes/prescale.ts';
import type { KubernetesRequest } from './kubernetes/request.ts';
import { AGENT_PROTOCOL, type CapacitySnapshot } from './protocol.ts';
import { Reporting } from './reporting.ts';

export interface AgentSettings extends HubSettings {
  /** Requests per second the cluster can take; null: not declared. */
  readonly capacityRps: number | null;
  /** Null: a second. */
  readonly periodMs: number | null;
  /** Of several agents of the cluster one speaks; null: this is the only one. */
  readonly lease: LeaseSettings | null;
  /** Autoscalers that may be raised ahead of traffic. */
  readonly prescale: readonly PrescaleTarget[];
  /** Where probes are answered; null: nowhere. */
  readonly health: { readonly host: string; readonly port: number } | null;
}

export interface AgentDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly measure: Measure;
  readonly resolve: Resolve;
  /** Of the API server; absent: there is none. */
  readonly request: KubernetesRequest;
  /** Ends the agent. */
  readonly signal: AbortSignal;
}

const PERIOD_MS = 1000;
/** As the hub takes them. */
const PERIOD_BOUNDS_MS = { from: 100, to: 60_000 };

/** Runs until it is stopped: 0 then, 1 when it cannot start. What is not given is the process's own: its clock, its log, its signals. */
export async function runAgent(settings: AgentSettings, given: Partial<AgentDependencies> = {}): Promise<0 | 1> {
  const log = given.log ?? createLog('agent');
  const { clock = systemClock, random = Math.random, measure = createMeter(), signal = stopSignal(), request = null, resolve } = given;
  const prepared = prepare(settings, request);
  if (typeof prepared === 'string') {
    log.error({ cluster: settings.cluster }, prepared);
    return 1;
  }
  const { periodMs } = prepared;
  const snapshot = createSnapshots({ ...settings, periodMs }, { clock, random, measure });
  const { lease, prescale, health } = settings;
  const reporting = new Reporting(
    { ...prepared, lease, prescale, health },
    { clock, random, log, snapshot, request, ...(resolve === undefined ? {} : { resolve }) },
  );
  // The first measurement covers the time since the machine started; thrown away, the ones reported cover a period each.
  await measure();
  if (!signal.aborted) {
    try {
      await reporting.start();
    } catch (error) {
      log.error({ cluster: settings.cluster, problem: String(error) }, 'the agent cannot answer probes where it was told to');
      return 1;
    }
    await ended(signal);
  }
  await reporting.close();
  return 0;
}

interface Prepared extends PreparedHubs {
  readonly periodMs: number;
}

/** What the settings amount to, or what is wrong with them. */
function prepare(settings: AgentSettings, request: KubernetesRequest | null): Prepared | string {
  const { capacityRps, periodMs, lease, prescale } = settings;
  const { from, to } = PERIOD_BOUNDS_MS;
  const period = periodMs ?? PERIOD_MS;
  if (!(period >= from && period <= to)) return `the period is ${period}ms, expected ${from}ms to ${to / 1000}s`;
  if (capacityRps !== null && !(capacityRps > 0 && Number.isFinite(capacityRps)))
    return `the capacity is ${capacityRps} requests per second, expected a positive number`;
  if (request === null && (lease !== null || prescale.length > 0))
    return 'a lease and autoscalers are at an API server, and the agent has none: run it in a pod, or name a kubeconfig';
  const autoscalers = prescale.map(({ namespace, name }) => `${namespace}/${name}`);
  const twice = autoscalers.find((one, index) => autoscalers.indexOf(one) < index);
  if (twice !== undefined) return `the autoscaler ${twice} is named twice; expected one service for each, as each service would set a minimum of its own`;
  const hubs = prepareHubs(settings);
  return typeof hubs === 'string' ? hubs : { ...hubs, periodMs: period };
}

/** Full snapshots of one boot, numbered. */
export function createSnapshots(
  { cluster, capacityRps, periodMs }: { readonly cluster: string; readonly capacityRps: number | null; readonly periodMs: number },
  { clock, random, measure }: Pick<AgentDependencies, 'clock' | 'random' | 'measure'>,
): () => Promise<CapacitySnapshot> {
  const bootId = Array.from({ length: 4 }, () =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0'),
  ).join('');
  const agentVersion = weirVersion();
  let sequence = 0;
  return async () => {
    const measured = await measure();
    sequence += 1;
    return {
      protocol: AGENT_PROTOCOL,
      cluster,
      bootId,
      sequence,
      sentAtMs: clock.wallMs(),
      periodMs,
      capacityRps,
      ...measured,
      agentVersion,
    };
  };
}

/** Resolves when it is time; aborted before counts too. */
function ended(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function stopSignal(): AbortSignal {
  const abort = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => abort.abort());
  return abort.signal;
}
