// An agent from start to end: measures the machine and reports for one cluster until it is told to stop.
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { createLog, type Log } from '../balancer/log.ts';
import { weirVersion } from '../balancer/version.ts';
import { type Clock, type Random, systemClock } from '../health/clock.ts';
import { createMeter, type Measure } from './capacity.ts';
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
/** As the hub takes them. */
const PERIOD_BOUNDS_MS = { from: 100, to: 60_000 };

/** Runs until it is stopped: 0 then, 1 when it cannot start. What is not given is the process's own: its clock, its log, its signals. */
export async function runAgent(settings: AgentSettings, given: Partial<AgentDependencies> = {}): Promise<0 | 1> {
  const log = given.log ?? createLog('agent');
  const { clock = systemClock, random = Math.random, measure = createMeter(), signal = stopSignal() } = given;
  const prepared = prepare(settings);
  if (typeof prepared === 'string') {
    log.error({ cluster: settings.cluster }, prepared);
    return 1;
  }
  const { url, ca, periodMs } = prepared;
  if (url.protocol === 'ws:' && !isLoopback(url.hostname)) {
    log.warn({ hub: url.href }, 'the token travels in the clear; use wss:// where others can listen');
  }
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
  return 0;
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

function isLoopback(host: string): boolean {
  const address = host.replace(/^\[|\]$/g, '');
  return host === 'localhost' || address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
}

function stopSignal(): AbortSignal {
  const abort = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => abort.abort());
  return abort.signal;
}
