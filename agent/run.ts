// An agent from start to end: measures the machine, or reads its Kubernetes cluster, and reports for one cluster until it is told to stop.
import { createLog, type Log } from '../balancer/log.ts';
import { weirVersion } from '../balancer/version.ts';
import { type Clock, type Random, systemClock } from '../health/clock.ts';
import type { ClusterMeasurement } from './cluster-source.ts';
import { createMeter, type Measure, type Measurement } from './host-meter.ts';
import type { Resolve } from './hub-addresses.ts';
import { type HubSettings, type PreparedHubs, prepareHubs } from './hub-settings.ts';
import type { LeaseSettings } from './kubernetes/lease.ts';
import type { PrescaleTarget } from './kubernetes/prescale.ts';
import type { KubernetesRequest } from './kubernetes/request.ts';
import { openCluster, openServer, type KubernetesSettings, type OpenCluster, type OpenServer } from './open-cluster.ts';
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
  /** Absent or null: the agent tells of the machine it runs on. */
  readonly kubernetes?: KubernetesSettings | null;
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
/** Of a large cluster a first list takes seconds; of one that is away the agent tells that it is. */
const FIRST_READING_MS = 15_000;
/** As the hub takes them. */
const PERIOD_BOUNDS_MS = { from: 100, to: 60_000 };

/** Runs until it is stopped: 0 then, 1 when it cannot start. What is not given is the process's own: its clock, its log, its signals. */
export async function runAgent(settings: AgentSettings, given: Partial<AgentDependencies> = {}): Promise<0 | 1> {
  const log = given.log ?? createLog('agent');
  const { clock = systemClock, random = Math.random, measure: measureHost = createMeter(), signal = stopSignal(), resolve } = given;
  const fail = (problem: string): 1 => {
    log.error({ cluster: settings.cluster }, problem);
    return 1;
  };
  const prepared = prepare(settings);
  if (typeof prepared === 'string') return fail(prepared);
  const opened = await open(settings, given.request ?? null, { clock, random, log });
  if (typeof opened === 'string') return fail(opened);
  const { cluster, server, request } = opened;
  const { periodMs } = prepared;
  const measure = cluster === null ? measureHost : () => Promise.resolve(cluster.source.measure());
  const snapshot = createSnapshots({ ...settings, periodMs }, { clock, random, measure });
  const { lease, prescale, health } = settings;
  const reporting = new Reporting(
    { ...prepared, lease, prescale, health },
    {
      ...{ clock, random, log, snapshot, request },
      ...(resolve === undefined ? {} : { resolve }),
      onReply: ({ observed }, edge) => {
        if (observed !== undefined) cluster?.source.observe(edge, observed);
      },
    },
  );
  // The first measurement covers the time since the machine started; thrown away, the ones reported cover a period each.
  await measure();
  if (!signal.aborted) {
    try {
      await reporting.start();
    } catch (error) {
      return fail(`probes cannot be answered at --health: ${String(error)}`);
    }
    await ended(signal);
  }
  await reporting.close();
  await cluster?.close();
  await server?.close();
  return 0;
}

interface Opened {
  /** Null: the agent reads no cluster. */
  readonly cluster: OpenCluster | null;
  /** Of an agent that reads none and has a lease all the same. */
  readonly server: OpenServer | null;
  /** Null: nothing is asked for but what is read. */
  readonly request: KubernetesRequest | null;
}

/** Or what is wrong. It reports when everything was read once, or cannot be: half a cluster is not small. */
async function open(
  { kubernetes = null, lease, prescale }: AgentSettings,
  given: KubernetesRequest | null,
  parts: Pick<AgentDependencies, 'clock' | 'random' | 'log'>,
): Promise<Opened | string> {
  try {
    if (kubernetes === null) {
      if (given !== null || (lease === null && prescale.length === 0)) return { cluster: null, server: null, request: given };
      const server = await openServer(parts.clock);
      return { cluster: null, server, request: server.request };
    }
    const cluster = await openCluster(kubernetes, parts);
    parts.log.info({ server: cluster.origin }, 'reading the cluster');
    cluster.source.start();
    await cluster.source.view.settled(FIRST_READING_MS);
    return { cluster, server: null, request: given ?? cluster.request };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

interface Prepared extends PreparedHubs {
  readonly periodMs: number;
}

/** What the settings amount to, or what is wrong with them. */
function prepare(settings: AgentSettings): Prepared | string {
  const { capacityRps, periodMs, prescale } = settings;
  const { from, to } = PERIOD_BOUNDS_MS;
  const period = periodMs ?? PERIOD_MS;
  if (!(period >= from && period <= to)) return `the period is ${period}ms, expected ${from}ms to ${to / 1000}s`;
  if (capacityRps !== null && !(capacityRps > 0 && Number.isFinite(capacityRps)))
    return `the capacity is ${capacityRps} requests per second, expected a positive number`;
  const autoscalers = prescale.map(({ namespace, name }) => `${namespace}/${name}`);
  const twice = autoscalers.find((one, index) => autoscalers.indexOf(one) < index);
  if (twice !== undefined)
    return `the autoscaler ${twice} is named twice; expected one service for each, as each service would set a minimum of its own`;
  const hubs = prepareHubs(settings);
  return typeof hubs === 'string' ? hubs : { ...hubs, periodMs: period };
}

/** Of the machine, or of the cluster. */
export type MeasureReported = () => Promise<Measurement & Partial<ClusterMeasurement>>;

/** Full snapshots of one boot, numbered. What is declared to the agent is a ceiling for what it finds. */
export function createSnapshots(
  { cluster, capacityRps, periodMs }: { readonly cluster: string; readonly capacityRps: number | null; readonly periodMs: number },
  { clock, random, measure }: Pick<AgentDependencies, 'clock' | 'random'> & { readonly measure: MeasureReported },
): () => Promise<CapacitySnapshot> {
  const bootId = Array.from({ length: 4 }, () =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0'),
  ).join('');
  const agentVersion = weirVersion();
  let sequence = 0;
  return async () => {
    const { capacityRps: found = null, ...measured } = await measure();
    sequence += 1;
    return {
      protocol: AGENT_PROTOCOL,
      cluster,
      bootId,
      sequence,
      sentAtMs: clock.wallMs(),
      periodMs,
      capacityRps: capacityRps === null || found === null ? (capacityRps ?? found) : Math.min(capacityRps, found),
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
