// An agent from start to end: measures the machine, or reads its Kubernetes cluster, and reports for one cluster until it is told to stop.
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { createLog, type Log } from '../balancer/log.ts';
import { weirVersion } from '../balancer/version.ts';
import { type Clock, type Random, systemClock } from '../health/clock.ts';
import type { ClusterMeasurement } from './cluster-source.ts';
import { createMeter, type Measure, type Measurement } from './host-meter.ts';
import { openCluster, type KubernetesSettings, type OpenCluster } from './open-cluster.ts';
import { spareMemory } from './spare-memory.ts';
import { AGENT_PATH, AGENT_PROTOCOL, type CapacitySnapshot } from './protocol.ts';
import { Uplink } from './uplink.ts';

export interface AgentSettings {
  /** Address of the hub: `ws://HOST:PORT` or `wss://HOST:PORT`, with a path where a proxy wants one. */
  readonly hub: string;
  readonly cluster: string;
  /** The secret itself, or what reads it anew before each connection (a file that is rotated). Never a flag of a command line. */
  readonly token: string | (() => string);
  /** Requests per second the cluster can take; null: not declared. */
  readonly capacityRps: number | null;
  /** Null: a second. */
  readonly periodMs: number | null;
  /** PEM file of the authority that signed the hub's certificate; null: the system's authorities. */
  readonly caFile: string | null;
  /** Absent or null: the agent tells of the machine it runs on. */
  readonly kubernetes?: KubernetesSettings | null;
}

export interface AgentDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly measure: Measure;
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
  const { clock = systemClock, random = Math.random, measure: measureHost = createMeter(), signal = stopSignal() } = given;
  const prepared = prepare(settings);
  if (typeof prepared === 'string') {
    log.error({ cluster: settings.cluster }, prepared);
    return 1;
  }
  const { url, ca, periodMs } = prepared;
  if (url.protocol === 'ws:' && !isLoopback(url.hostname)) {
    log.warn({ hub: url.href }, 'the token travels in the clear; use wss:// where others can listen');
  }
  const cluster = await open(settings, { clock, random, log });
  if (typeof cluster === 'string') {
    log.error({ cluster: settings.cluster }, cluster);
    return 1;
  }
  const measure = cluster === null ? measureHost : () => Promise.resolve(cluster.source.measure());
  const { token } = settings;
  const snapshot = createSnapshots({ ...settings, periodMs }, { clock, random, measure });
  const uplink = new Uplink(
    { url, ca, periodMs, token: typeof token === 'string' ? () => token : token },
    { clock, random, log, snapshot },
  );
  // The first measurement covers the time since the machine started; thrown away, the ones reported cover a period each.
  await measure();
  if (!signal.aborted) {
    uplink.start();
    await new Promise((resolve) => {
      signal.addEventListener('abort', resolve, { once: true });
    });
  }
  await uplink.close();
  await cluster?.close();
  return 0;
}

/** Null: the agent reads no cluster; or what is wrong. It reports when everything was read once, or cannot be: half a cluster is not small. */
async function open(
  { kubernetes = null }: AgentSettings,
  parts: Pick<AgentDependencies, 'clock' | 'random' | 'log'>,
): Promise<OpenCluster | null | string> {
  if (kubernetes === null) return null;
  try {
    spareMemory();
    const cluster = await openCluster(kubernetes, parts);
    parts.log.info({ server: cluster.origin }, 'reading the cluster');
    cluster.source.start();
    await cluster.source.view.settled(FIRST_READING_MS);
    return cluster;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

interface Prepared {
  readonly url: URL;
  readonly ca: string | null;
  readonly periodMs: number;
}

/** What the settings amount to, or what is wrong with them. */
function prepare({ hub, cluster, capacityRps, periodMs, caFile }: AgentSettings): Prepared | string {
  const { from, to } = PERIOD_BOUNDS_MS;
  const period = periodMs ?? PERIOD_MS;
  if (!(period >= from && period <= to)) return `the period is ${period}ms, expected ${from}ms to ${to / 1000}s`;
  if (capacityRps !== null && !(capacityRps > 0 && Number.isFinite(capacityRps)))
    return `the capacity is ${capacityRps} requests per second, expected a positive number`;
  const url = hubUrl(hub, cluster);
  if (url === null) return 'that is not the address of a hub, expected ws://HOST:PORT or wss://HOST:PORT';
  try {
    return { url, periodMs: period, ca: caFile === null ? null : readFileSync(caFile, 'utf8') };
  } catch (error) {
    return `the authority file ${caFile ?? ''} cannot be read: ${String(error)}`;
  }
}

function hubUrl(hub: string, cluster: string): URL | null {
  if (!/^wss?:\/\//.test(hub) || !URL.canParse(hub)) return null;
  const url = new URL(hub);
  // Credentials in an address end up in logs; the token has its own way.
  if (url.username !== '' || url.password !== '') return null;
  url.pathname = url.pathname.replace(/\/$/, '') + AGENT_PATH + encodeURIComponent(cluster);
  url.search = '';
  url.hash = '';
  return url;
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

function isLoopback(host: string): boolean {
  const address = host.replace(/^\[|\]$/g, '');
  return host === 'localhost' || address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
}

function stopSignal(): AbortSignal {
  const abort = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => abort.abort());
  return abort.signal;
}
