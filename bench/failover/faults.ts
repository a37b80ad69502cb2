// The ways in which a cluster is lost or half broken, and its processes.
import { join } from 'node:path';
import { ask } from '../http-get.ts';
import { launch, outputOf, waitUntil, type Running } from '../processes.ts';

/** Gateway addresses of each cluster: all of them are lost together. */
const ENDPOINTS = 2;
const HERE: Where = { host: '127.0.0.1', enter: [] };

export interface Where {
  readonly host: string;
  /** Words before the command, such as those that enter a network namespace. */
  readonly enter: readonly string[];
}

export interface StartedCluster {
  readonly addresses: readonly string[];
  signal(name: NodeJS.Signals): void;
  behave(mode: 'failing' | 'slow'): Promise<void>;
  /** How many requests of clients it has had, all endpoints together. */
  asked(): Promise<number>;
  stop(): Promise<void>;
}

/** A place for the cluster that is lost, with what loses it; a text: why it cannot be made here. */
export interface Ground {
  readonly where: Where;
  lose(cluster: StartedCluster): Promise<void>;
  clear(): Promise<void>;
}

export interface Fault {
  readonly name: string;
  readonly summary: string;
  readonly ratePerSecond: number;
  readonly seconds: number;
  prepare(): Promise<Ground | string>;
}

async function startOrigin({ host, enter }: Where): Promise<{ readonly running: Running; readonly port: number }> {
  const [command, ...args] = [...enter, process.execPath, join(import.meta.dirname, 'origin-process.ts'), host];
  const running = await launch(command, args);
  const port = (): number => Number(/^port (\d+)$/m.exec(running.output())?.[1] ?? 0);
  await waitUntil(running, 'an origin should listen', () => Promise.resolve(port() > 0));
  return { running, port: port() };
}

export async function startCluster(where: Where = HERE): Promise<StartedCluster> {
  const origins = await Promise.all(Array.from({ length: ENDPOINTS }, () => startOrigin(where)));
  const signal = (name: NodeJS.Signals): void => {
    for (const { running } of origins) if (!running.hasExited()) process.kill(running.pid, name);
  };
  return {
    addresses: origins.map(({ port }) => `${where.host}:${port}`),
    signal,
    behave: async (mode) => {
      const answers = await Promise.all(origins.map(({ port }) => ask({ host: where.host, port, tls: false }, `/behave/${mode}`)));
      if (answers.some((answer) => answer?.status !== 200)) throw new Error(`an origin did not become ${mode}`);
    },
    asked: async () => {
      const answers = await Promise.all(origins.map(({ port }) => ask({ host: where.host, port, tls: false }, '/asked')));
      return answers.reduce((sum, answer) => sum + Number(answer?.body ?? 0), 0);
    },
    stop: async () => {
      // One that is frozen would not see a request to end.
      signal('SIGKILL');
      await Promise.all(origins.map(({ running }) => running.exited));
    },
  };
}

const here = (lose: Ground['lose']): Fault['prepare'] => {
  const ground: Ground = { where: HERE, lose, clear: () => Promise.resolve() };
  return () => Promise.resolve(ground);
};

const signalled = (name: NodeJS.Signals): Fault['prepare'] =>
  here((cluster) => {
    cluster.signal(name);
    return Promise.resolve();
  });

/** The command's complaint; empty: it worked. */
async function complaint(line: string): Promise<string> {
  const [command = '', ...args] = line.split(' ');
  const said = await outputOf(command, args);
  return said === null ? `${command} cannot be started` : said.trim();
}

let made = 0;

/** Four addresses of their own (RFC 2544): those of the last namespace may still lead to it while the kernel takes it down. */
function addressesOf(number: number): { readonly gateway: string; readonly host: string } {
  const first = ((process.pid * 64 + number) * 4) % 65_536;
  const address = (last: number): string => `198.18.${(first + last) >> 8}.${(first + last) & 255}`;
  return { gateway: address(1), host: address(2) };
}

/** A network namespace whose host falls silent: nothing comes back any more, not even a reset. */
async function namespace(): Promise<Ground | string> {
  // Its interfaces are gone a while after it: the next one has another name. No longer than the name of an interface may be.
  made += 1;
  const name = `weir${process.pid}n${made}`.slice(-15);
  const { gateway, host } = addressesOf(made);
  const inside = `ip netns exec ${name}`;
  const clear = async (): Promise<void> => {
    await complaint(`ip link del ${name}`);
    await complaint(`ip netns del ${name}`);
  };
  const steps = [
    `ip netns add ${name}`,
    `ip link add ${name} type veth peer name edge netns ${name}`,
    `ip addr add ${gateway}/30 dev ${name}`,
    `ip link set ${name} up`,
    `${inside} ip addr add ${host}/30 dev edge`,
    `${inside} ip link set edge up`,
    `${inside} ip link set lo up`,
  ];
  for (const step of steps) {
    const problem = await complaint(step);
    if (problem === '') continue;
    await clear();
    return `${step}: ${problem}`;
  }
  const lose = async (): Promise<void> => {
    const problem = await complaint(`${inside} ip route add blackhole ${gateway}/32`);
    if (problem !== '') throw new Error(problem);
  };
  return { where: { host, enter: inside.split(' ') }, lose, clear };
}

export const FAULTS: readonly Fault[] = [
  { name: 'killed', summary: 'its processes are killed (SIGKILL)', ratePerSecond: 1000, seconds: 10, prepare: signalled('SIGKILL') },
  { name: 'frozen', summary: 'its processes are frozen (SIGSTOP)', ratePerSecond: 100, seconds: 12, prepare: signalled('SIGSTOP') },
  { name: 'vanished', summary: 'its host falls silent, packets dropped', ratePerSecond: 200, seconds: 12, prepare: namespace },
  {
    name: 'failing',
    summary: '30 % of its answers are 503',
    ratePerSecond: 200,
    seconds: 15,
    prepare: here((cluster) => cluster.behave('failing')),
  },
  {
    name: 'slow',
    summary: 'its answers take 800 ms longer',
    ratePerSecond: 200,
    seconds: 15,
    prepare: here((cluster) => cluster.behave('slow')),
  },
];
