// Measures how connections reach the workers of a running appliance: how even, how soon, and how many are lost when workers come and go.
// `node bench/listening-appliance.ts`; Linux, because it counts connections in /proc.
import { mkdtemp, readFile, readlink, readdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { weirConfig } from './contenders/weir-config.ts';
import { withDescendants } from './cpu.ts';
import { chooseLoadDriver } from './load-driver.ts';
import { startOrigin } from './origin.ts';
import { freePort, launch, waitUntil, type Running } from './processes.ts';

const WORKERS = 4;
const CONNECTIONS = 512;
const ROUNDS = 20;
/** Kept connections that ask without pause while rounds under load run. */
const LOAD_CONNECTIONS = 64;
/** Connections at a time, one request each, while workers come and go. */
const LANES = 64;
const CHANGES = 12;
const HUNG_AFTER_MS = 10_000;
const REQUEST = 'GET / HTTP/1.1\r\nhost: localhost\r\n\r\n';
const COMMAND = join(import.meta.dirname, '../tui/weir.js');

interface Host {
  readonly running: Running;
  readonly port: number;
  readonly configFile: string;
}

interface Asked {
  /** Null: answered with 200. */
  readonly problem: string | null;
  readonly close: () => void;
}

/** One connection with one request; it stays open when it was answered. */
function ask(port: number): Promise<Asked> {
  return new Promise((resolve) => {
    let received = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(REQUEST));
    const close = (): void => void socket.destroy();
    const finish = (problem: string | null): void => {
      if (problem !== null) close();
      resolve({ problem, close });
    };
    socket.setTimeout(HUNG_AFTER_MS, () => finish('hung'));
    socket.on('error', (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
    socket.on('close', () => finish('closed without an answer'));
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (received.endsWith('\n') && received.includes('\r\n\r\n'))
        finish(received.startsWith('HTTP/1.1 200 ') ? null : received.slice(9, 12));
    });
  });
}

async function workerPids(host: Host): Promise<readonly number[]> {
  const pids: number[] = [];
  for (const pid of withDescendants(host.running.pid)) {
    const title = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '');
    if (title.startsWith('weir: worker')) pids.push(pid);
  }
  return pids;
}

/** Accepted connections at the port, by worker. Columns: proc_net_tcp(5). */
async function connectionsByWorker(host: Host): Promise<ReadonlyMap<number, number>> {
  const local = `:${host.port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = (await readFile('/proc/net/tcp', 'latin1')).split('\n').map((line) => line.trim().split(/\s+/));
  const inodes = new Set(
    lines.filter(([, at, , state]) => at?.endsWith(local) && state === '01').map((fields) => `socket:[${fields[9] ?? ''}]`),
  );
  const counts = new Map<number, number>();
  for (const pid of await workerPids(host)) {
    const names = await readdir(`/proc/${pid}/fd`).catch(() => []);
    const targets = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')));
    counts.set(pid, targets.filter((target) => inodes.has(target)).length);
  }
  return counts;
}

interface BalanceRound {
  readonly ratio: number;
  readonly milliseconds: number;
}

/** Opens all at once. The busiest worker's part of them over the mean, and when the last was answered. */
async function balanceRound(host: Host): Promise<BalanceRound> {
  const before = await connectionsByWorker(host);
  const started = performance.now();
  const asked = await Promise.all(Array.from({ length: CONNECTIONS }, () => ask(host.port)));
  const milliseconds = performance.now() - started;
  const failed = asked.find(({ problem }) => problem !== null);
  if (failed !== undefined) throw new Error(`a connection failed while nothing stopped: ${String(failed.problem)}`);
  const after = await connectionsByWorker(host);
  for (const { close } of asked) close();
  const counts = [...after].map(([pid, count]) => count - (before.get(pid) ?? 0));
  // The client's side is closed at once, the worker's a moment later; the next round must not count it.
  await delay(200);
  return { ratio: Math.max(...counts) / (CONNECTIONS / WORKERS), milliseconds };
}

const range = (values: readonly number[], digits: number): string => {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part: number): string => (sorted[Math.round(part * (sorted.length - 1))] ?? 0).toFixed(digits);
  return `median ${at(0.5)}  (${at(0)} to ${at(1)})`;
};

async function balance(host: Host, name: string): Promise<void> {
  const rounds: BalanceRound[] = [];
  for (let round = 0; round < ROUNDS; round += 1) rounds.push(await balanceRound(host));
  const ratios = range(
    rounds.map(({ ratio }) => ratio),
    2,
  );
  const times = range(
    rounds.map(({ milliseconds }) => milliseconds),
    0,
  );
  process.stdout.write(`  ${name.padEnd(12)} busiest over the mean ${ratios}   all answered after ${times} ms\n`);
}

async function balanceUnderLoad(host: Host): Promise<void> {
  const driver = await chooseLoadDriver('auto');
  const enough = new AbortController();
  const load = driver.run({ port: host.port, tls: false, connections: LOAD_CONNECTIONS, seconds: 600 }, enough.signal).catch(() => null);
  await delay(2000);
  await balance(host, 'under load');
  enough.abort();
  await load;
}

/** New connections in `LANES` lanes while `change` runs; prints how many were not answered. */
async function lost(host: Host, name: string, change: () => Promise<void>): Promise<void> {
  const problems: Record<string, number> = {};
  let asked = 0;
  let running = true;
  const lanes = Array.from({ length: LANES }, async () => {
    while (running) {
      const { problem, close } = await ask(host.port);
      close();
      asked += 1;
      if (problem !== null) problems[problem] = (problems[problem] ?? 0) + 1;
    }
  });
  await change();
  running = false;
  await Promise.all(lanes);
  const sum = Object.values(problems).reduce((total, count) => total + count, 0);
  process.stdout.write(`  ${name.padEnd(12)} ${String(sum).padStart(5)} of ${asked}  ${JSON.stringify(problems)}\n`);
}

const untilWorkers = async (host: Host, count: number): Promise<void> => {
  const arrived = async (): Promise<boolean> => (await workerPids(host)).length === count;
  await waitUntil(host.running, `${count} workers should run`, arrived, 60_000);
  // For the new ones to accept.
  await delay(1500);
};

async function scaleDownAndUp(host: Host): Promise<void> {
  for (let change = 0; change < CHANGES; change += 1) {
    const count = change % 2 === 0 ? 1 : WORKERS;
    const text = await readFile(host.configFile, 'utf8');
    await writeFile(host.configFile, text.replace(/workers: \d+/, `workers: ${count}`));
    process.kill(host.running.pid, 'SIGHUP');
    await untilWorkers(host, count);
  }
}

async function killOneByOne(host: Host): Promise<void> {
  for (let change = 0; change < CHANGES; change += 1) {
    const oldest = (await workerPids(host))[0];
    if (oldest === undefined) return;
    process.kill(oldest, 'SIGKILL');
    await delay(50);
    await untilWorkers(host, WORKERS);
  }
}

async function measureAll(host: Host): Promise<void> {
  process.stdout.write(`${WORKERS} workers, ${CONNECTIONS} connections at once, ${ROUNDS} rounds\n`);
  await balance(host, 'idle');
  await balanceUnderLoad(host);
  process.stdout.write(`Connections not answered, ${LANES} at a time, ${CHANGES} changes\n`);
  await lost(host, 'in order', () => scaleDownAndUp(host));
  await lost(host, 'killed', () => killOneByOne(host));
}

const WIRING = { downstream: 'plain', upstream: 'http1' } as const;

async function run(): Promise<void> {
  process.stdout.write(`Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores\n`);
  const directory = await mkdtemp(join(tmpdir(), 'weir-listening-'));
  const origin = await startOrigin(directory, null);
  const ports = { listener: await freePort(), admin: await freePort(), metrics: await freePort() };
  const configFile = join(directory, 'weir.yaml');
  const what = { workers: WORKERS, otherRoutes: 0, accessLog: false, filters: '[]', wiring: WIRING, certificate: null };
  await writeFile(configFile, weirConfig({ ...what, ports, origin: origin.ports, directory }));
  const running = await launch(process.execPath, [COMMAND, 'serve', '-c', configFile]);
  try {
    const host = { running, port: ports.listener, configFile };
    await waitUntil(running, 'weir should be ready', async () => Promise.resolve(/"msg":"ready"/.test(running.output())), 60_000);
    await delay(2000);
    await measureAll(host);
  } finally {
    await running.stop();
    await origin.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

await run();
