// weir itself, as an operator runs it: supervisor, controller and one worker, a split over two versions, health probes, metrics.
import { mkdir, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import type { WorkerView } from '../../balancer/controller/api/views.ts';
import type { Contender, StartedContender } from '../contender.ts';
import { withDescendants } from '../cpu.ts';
import { freePort, launch, waitUntil, type Running } from '../processes.ts';
import { versionIn } from './node-program.ts';

const COMMAND = join(import.meta.dirname, '../../tui/weir.js');
const MANIFEST = join(import.meta.dirname, '../../package.json');

interface Ports {
  readonly listener: number;
  readonly admin: number;
  readonly metrics: number;
  readonly origin: number;
}

/** The file it runs with. */
export const weirConfig = (ports: Ports, stateDir: string, otherRoutes = 0): string => `
version: 1
host: { name: bench }
state: { dir: ${JSON.stringify(stateDir)} }
workers: 1
drainDeadline: 1s
listeners:
  web: { bind: "127.0.0.1:${ports.listener}" }
admin: { bind: "127.0.0.1:${ports.admin}" }
metrics: { bind: "127.0.0.1:${ports.metrics}" }
clusters:
  one:
    endpoints: ["http://127.0.0.1:${ports.origin}"]
    health: { http: { path: / }, interval: 1s, timeout: 500ms }
    maxConnections: 1024
  two:
    endpoints: ["http://127.0.0.1:${ports.origin}"]
    health: { http: { path: / }, interval: 1s, timeout: 500ms }
    maxConnections: 1024
services:
  bench:
    versions:
      blue: { clusters: { one: { weight: 70 }, two: { weight: 30 } } }
      green: { clusters: { one: { weight: 50 }, two: { weight: 50 } } }
    split: { blue: 90, green: 10 }
routes:
${others(otherRoutes)}  - { name: all, match: { path: / }, service: bench }
`;

/** Half of them by host and path, half by path on any host, as a grown config has them. */
function others(count: number): string {
  const line = (i: number): string => {
    const match = i % 2 === 0 ? `{ hosts: [shop-${i}.example.com], path: /api/v${i % 7} }` : `{ path: /team-${i % 97}/service-${i} }`;
    return `  - { name: other-${i}, match: ${match}, service: bench }\n`;
  };
  return Array.from({ length: count }, (_, i) => line(i)).join('');
}

/** The answer to GET over a port or a unix socket; null when there is none. */
function get(where: { port: number } | { socketPath: string }, path: string): Promise<{ status: number; body: string } | null> {
  return new Promise((resolve) => {
    const outgoing = request({ ...where, host: '127.0.0.1', path, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.once('error', () => resolve(null));
    });
    outgoing.once('error', () => resolve(null));
    outgoing.end();
  });
}

/** Reads a list of workers from the admin API; anything else is an empty list. */
function decodeWorkers(body: string): readonly Pick<WorkerView, 'pid'>[] {
  const value: unknown = JSON.parse(body);
  if (typeof value !== 'object' || value === null || !('items' in value) || !Array.isArray(value.items)) return [];
  const items: readonly unknown[] = value.items;
  return items.flatMap((item) =>
    typeof item === 'object' && item !== null && 'pid' in item && typeof item.pid === 'number' ? [{ pid: item.pid }] : [],
  );
}

async function serve(running: Running, ports: Ports, socketPath: string): Promise<StartedContender> {
  const answers = async (): Promise<boolean> => (await get({ port: ports.listener }, '/'))?.status === 200;
  await waitUntil(running, 'weir should answer through its listener', answers);
  const answer = await get({ socketPath }, '/v1/workers');
  const workers = answer?.status === 200 ? decodeWorkers(answer.body).map((worker) => worker.pid) : [];
  if (workers.length === 0) throw new Error(`weir named no workers on ${socketPath}: ${answer?.body ?? 'no answer'}`);
  return {
    port: ports.listener,
    pids: () => withDescendants(running.pid),
    dataPlanePids: () => workers,
    stop: () => running.stop(),
  };
}

export interface WeirVariant {
  readonly name: string;
  readonly summary: string;
  /** Routes that the requests do not take. */
  readonly otherRoutes: number;
}

export const weirWith = ({ name, summary, otherRoutes }: WeirVariant): Contender => ({
  name,
  summary,
  available: async () => ({ ok: true, version: await versionIn(MANIFEST) }),
  start: async ({ originPort, directory }) => {
    const stateDir = join(directory, 'state');
    await mkdir(stateDir, { mode: 0o700 });
    const ports = { listener: await freePort(), admin: await freePort(), metrics: await freePort(), origin: originPort };
    const file = join(directory, 'weir.yaml');
    await writeFile(file, weirConfig(ports, stateDir, otherRoutes));
    const running = await launch(process.execPath, [COMMAND, 'serve', '-c', file]);
    try {
      return await serve(running, ports, join(stateDir, 'admin.sock'));
    } catch (error) {
      await running.stop();
      throw error;
    }
  },
});

export const weir: Contender = weirWith({
  name: 'weir',
  summary: 'weir serve, 1 worker with its controller and supervisor, two versions over two clusters, probes and metrics on',
  otherRoutes: 0,
});
