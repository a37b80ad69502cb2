// What an application says of its own load: JSON in the names of ORCA (Open Request Cost Aggregation), which gRPC and Envoy take as well.
import type { Clock } from '../health/clock.ts';
import { fieldOf } from './kubernetes/read-json.ts';
import type { Polled } from './kubernetes/poller.ts';
import { Agent } from 'undici';

export interface ApplicationLoad {
  /** 0 to 1 and above: the application's own word, or its CPU. */
  readonly utilisation: number | null;
  readonly requestsPerSecond: number | null;
  readonly p95Ms: number | null;
}

const ANSWER_MS = 2000;
const MOST_BYTES = 64 * 1024;
const MOST_UTILISATION = 100;
const MOST_RPS = 1e9;
const MOST_MS = 3_600_000;

/** `application_utilization` goes before `cpu_utilization`; `rps_fractional`; `named_metrics.p95_ms`. Null: none of it is there, or a figure is none that can be. */
export function readLoad(value: unknown): ApplicationLoad | null {
  const own = figure(fieldOf(value, 'application_utilization'), MOST_UTILISATION);
  const cpu = figure(fieldOf(value, 'cpu_utilization'), MOST_UTILISATION);
  const requests = figure(fieldOf(value, 'rps_fractional'), MOST_RPS);
  const p95 = figure(fieldOf(value, 'named_metrics', 'p95_ms'), MOST_MS);
  if ([own, cpu, requests, p95].includes(undefined)) return null;
  // ORCA leaves out what is 0, so a utilisation of 0 that stands beside one of the CPU says nothing of its own.
  const utilisation = own === null || own === 0 ? (cpu ?? own ?? null) : own;
  const load = { utilisation: utilisation ?? null, requestsPerSecond: requests ?? null, p95Ms: p95 ?? null };
  return Object.values(load).every((part) => part === null) ? null : load;
}

/** Null: not said. Undefined: nothing that it can be. */
function figure(value: unknown, most: number): number | null | undefined {
  if (value === undefined || value === null) return null;
  return typeof value === 'number' && value >= 0 && value <= most ? value : undefined;
}

/** Asks one application. Never rejects. */
export async function askLoad(dispatcher: Agent, url: string, clock: Clock): Promise<Polled<ApplicationLoad>> {
  const abort = new AbortController();
  const limit = clock.after(ANSWER_MS, () => abort.abort(new Error(`no answer within ${ANSWER_MS} ms`)), true);
  try {
    const { origin, pathname, search } = new URL(url);
    const asked = {
      origin,
      path: pathname + search,
      method: 'GET',
      headers: { accept: 'application/json' },
      signal: abort.signal,
    } as const;
    const { statusCode, body } = await dispatcher.request(asked);
    let text = '';
    for await (const chunk of body) {
      text += String(chunk);
      if (text.length > MOST_BYTES) return { kind: 'failed', problem: `it answers with more than ${MOST_BYTES} bytes` };
    }
    if (statusCode !== 200) return { kind: 'failed', problem: `it answers with status ${statusCode}` };
    const value = readLoad(JSON.parse(text));
    return value === null ? { kind: 'failed', problem: 'it answers without a figure that can be' } : { kind: 'value', value };
  } catch (error) {
    return { kind: 'failed', problem: error instanceof Error ? error.message : String(error) };
  } finally {
    limit.cancel();
  }
}

/** Stands for the address of a pod: each is then asked for itself, and tells of itself. */
const ADDRESS = '{address}';
/** Of a large service so many pods are asked in a round, others in the next. */
const MOST_ASKED = 10;

export interface AskedPods {
  readonly url: string;
  readonly addresses: readonly string[];
  /** Rises by one with each round. */
  readonly round: number;
}

/**
 * The load of a service. A URL with `{address}` is asked at pods of it: their mean use, their mean requests times their number, their worst p95.
 * Any other tells of the service as a whole.
 */
export async function askService(dispatcher: Agent, { url, addresses, round }: AskedPods, clock: Clock): Promise<Polled<ApplicationLoad>> {
  if (!url.includes(ADDRESS)) return askLoad(dispatcher, url, clock);
  if (addresses.length === 0) return { kind: 'failed', problem: 'no pod of it is ready' };
  const asked = Array.from({ length: Math.min(MOST_ASKED, addresses.length) }, (_, index) => {
    const address = addresses[(round * MOST_ASKED + index) % addresses.length] ?? '';
    return askLoad(dispatcher, url.replaceAll(ADDRESS, address.includes(':') ? `[${address}]` : address), clock);
  });
  const answers = await Promise.all(asked);
  const loads = answers.flatMap((answer) => (answer.kind === 'value' ? [answer.value] : []));
  if (loads.length === 0) return answers[0] ?? { kind: 'failed', problem: 'no pod of it answers' };
  const known = (field: keyof ApplicationLoad): readonly number[] => loads.flatMap((load) => load[field] ?? []);
  const mean = (values: readonly number[]): number | null =>
    values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
  const requests = mean(known('requestsPerSecond'));
  const p95s = known('p95Ms');
  return {
    kind: 'value',
    value: {
      utilisation: mean(known('utilisation')),
      requestsPerSecond: requests === null ? null : requests * addresses.length,
      p95Ms: p95s.length === 0 ? null : Math.max(...p95s),
    },
  };
}

export function applicationDispatcher(): Agent {
  return new Agent({ allowH2: false, connections: 2, headersTimeout: ANSWER_MS, bodyTimeout: ANSWER_MS, connect: { timeout: ANSWER_MS } });
}
