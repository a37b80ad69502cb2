// Two clusters of one origin process each behind an appliance: the first can be killed, stopped, or made to fail.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { startAppliance, type Appliance } from './appliance.ts';
import { until } from './until.ts';

export interface OriginProcess {
  readonly endpoint: string;
  signal(name: NodeJS.Signals): void;
  /** `failing`: three of ten answers are 503; `slow`: they take two seconds; `` : as it began. */
  behave(mode: 'failing' | 'slow' | ''): void;
}

export interface Where {
  /** The address it listens at. */
  readonly host: string;
  /** Absent: one that is free. */
  readonly port?: number;
  /** Words before the command, such as those that enter a network namespace. */
  readonly enter: readonly string[];
}

export const HERE: Where = { host: '127.0.0.1', enter: [] };

export async function startOriginProcess(t: TestContext, name: string, { host, port: wanted = 0, enter }: Where): Promise<OriginProcess> {
  const command = [...enter, process.execPath, join(import.meta.dirname, 'origin-process.ts'), host, name, String(wanted)];
  const child = spawn(command[0] ?? '', command.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const [port] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  return {
    endpoint: `http://${host}:${port.trim()}`,
    signal: (signal) => void child.kill(signal),
    behave: (mode) => void child.stdin.write(`${mode}\n`),
  };
}

export interface LostCluster {
  readonly lost: OriginProcess;
  readonly appliance: Appliance;
}

export async function startLostCluster(t: TestContext, where: Where = HERE): Promise<LostCluster> {
  const lost = await startOriginProcess(t, 'lost', where);
  const kept = await startOriginProcess(t, 'kept', HERE);
  const cluster = (endpoint: string): string => `{ endpoints: ["${endpoint}"], health: { http: { path: /healthz } } }`;
  const appliance = await startAppliance(t, {
    yaml: `
clusters: { lost: ${cluster(lost.endpoint)}, kept: ${cluster(kept.endpoint)} }
services: { shop: { versions: { blue: { clusters: { lost: {}, kept: {} } } } } }
routes: [ { service: shop } ]
`,
    workers: 2,
    untilProbed: true,
  });
  const up = async (): Promise<boolean> => (await appliance.status()).clusters.every(({ health }) => health === 'up');
  await until(up, 'both clusters are up', 20_000);
  return { lost, appliance };
}
