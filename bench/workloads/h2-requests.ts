// Small GETs by h2load: HTTP/2 over TLS, a fixed number of streams always open on each connection.
import { runGenerator } from '../load-driver.ts';
import type { LoadFigures } from '../load.ts';
import { outputOf } from '../processes.ts';
import type { Part } from '../scenarios/comparison.ts';
import { measureCpu, type Load } from '../workload.ts';

const STREAMS = 8;

const SECONDS = { us: 1e-6, ms: 1e-3, s: 1 } as const;

/** Of a time as h2load writes it; null: it is none. */
export function milliseconds(text: string): number | null {
  const [, value, unit] = /^([\d.]+)(us|ms|s)$/.exec(text) ?? [];
  return value === undefined || (unit !== 'us' && unit !== 'ms' && unit !== 's') ? null : Number(value) * SECONDS[unit] * 1000;
}

/** What h2load printed. It tells the mean of the latencies, no percentile. */
export type H2Figures = LoadFigures & { readonly meanMs: number | null };

/** Reads the report of h2load; null when it is none, or when it did not speak HTTP/2. */
export function decodeH2load(output: string): H2Figures | null {
  const rate = /^finished in [\d.]+(?:us|ms|s), ([\d.]+) req\/s/m.exec(output)?.[1];
  const [, succeeded, failed, errored, timedOut] =
    /^requests: .* (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout/m.exec(output) ?? [];
  const [, ok] = /^status codes: (\d+) 2xx/m.exec(output) ?? [];
  const mean = /^time for request: +\S+ +\S+ +(\S+)/m.exec(output)?.[1];
  if (!/^Application protocol: h2$/m.test(output)) return null;
  if (rate === undefined || succeeded === undefined || ok === undefined || Number(rate) === 0) return null;
  const wrong = Number(succeeded) - Number(ok);
  return {
    requests: Number(ok),
    // Requests counted over the rate told: the duration without h2load's own start and end.
    seconds: Number(succeeded) / Number(rate),
    p50Ms: null,
    p99Ms: null,
    failed: Number(failed) + Math.max(0, Number(timedOut) - Number(errored)) + Math.max(0, wrong),
    meanMs: mean === undefined ? null : milliseconds(mean),
  };
}

const load: Load = async ({ started, connections, signal }, seconds) => {
  const args = ['-t', '1', '-c', String(connections), '-m', String(STREAMS), '-D', String(seconds), `https://127.0.0.1:${started.port}/`];
  const output = await runGenerator('h2load', args, signal);
  const figures = decodeH2load(output);
  if (figures === null) throw new Error(`h2load did not speak HTTP/2 to it, or told no figures. It said:\n${output}`);
  return figures;
};

export const h2Requests = (title: string, connections: readonly number[]): Part => ({
  title,
  connections,
  prepare: async () => {
    const version = /^h2load (\S+)/.exec((await outputOf('h2load', ['--version'])) ?? '')?.[1];
    if (version === undefined) throw new Error('h2load is not installed: apt-get install nghttp2-client');
    return {
      description: `h2load ${version}, 1 thread, ${STREAMS} streams on each connection`,
      rate: 'req/s',
      cost: 'CPU µs/req',
      measure: (trial) => measureCpu(trial, load),
    };
  },
});
