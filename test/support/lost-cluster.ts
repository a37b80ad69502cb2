// Two clusters of one origin process each behind an appliance: the first can be killed, stopped, or made to fail.
import { spawn, spawnSync } from 'node:child_process';
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
  /** Words before the command, such as those that enter a network namespace. */
  readonly enter: readonly string[];
}

export const HERE: Where = { host: '127.0.0.1', enter: [] };

export async function startOriginProcess(t: TestContext, name: string, { host, enter }: Where): Promise<OriginProcess> {
  const command = [...enter, process.execPath, join(import.meta.dirname, 'origin-process.ts'), host, name];
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

/** A network namespace with an address of its own; a text: why there is none here. */
export function makeNamespace(t: TestContext): { readonly where: Where; readonly vanish: () => void } | string {
  const name = `weir${process.pid}`;
  // A block of four of 198.18.0.0/16 (RFC 2544) for each process: what another one left behind is in nobody's way.
  const block = process.pid % 16_384;
  const address = (last: number): string => `198.18.${block >> 6}.${(block % 64) * 4 + last}`;
  const run = (line: string): string => {
    const [command = '', ...args] = line.split(' ');
    const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
    return status === 0 ? '' : `${line}: ${error?.message ?? stderr.trim()}`;
  };
  t.after(() => void run(`ip netns del ${name}`));
  const inside = `ip netns exec ${name}`;
  const steps = [
    `ip netns add ${name}`,
    `ip link add ${name} type veth peer name edge netns ${name}`,
    `ip addr add ${address(1)}/30 dev ${name}`,
    `ip link set ${name} up`,
    `${inside} ip addr add ${address(2)}/30 dev edge`,
    `${inside} ip link set edge up`,
    `${inside} ip link set lo up`,
  ];
  for (const step of steps) {
    const problem = run(step);
    if (problem !== '') return problem;
  }
  return {
    where: { host: address(2), enter: inside.split(' ') },
    // Nothing comes back any more, not even a reset.
    vanish: () => {
      const problem = run(`${inside} ip route add blackhole ${address(1)}/32`);
      if (problem !== '') throw new Error(problem);
    },
  };
}
