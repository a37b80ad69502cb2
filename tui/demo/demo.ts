// The demo: three local clusters with agents, the balancer before them; runs until it is told to end and leaves nothing behind.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { StatusView } from '../../balancer/controller/api/views.ts';
import type { AdminClient } from '../client.ts';
import { CommandFailure, EXIT, type ExitCode } from '../exit.ts';
import type { Terminal } from '../terminal.ts';
import { startChild, type DemoChild } from './child.ts';
import { ClusterProcesses } from './cluster-processes.ts';
import { startGuard } from './guard.ts';
import { guideText } from './guide.ts';
import { DEMO_CLUSTERS, demoConfig, type DemoPorts } from './layout.ts';
import { DEMO_HOST, reservePort, type WantedPort } from './ports.ts';
import { notReady } from './readiness.ts';

const READY_DEADLINE_MS = 60_000;
const READY_POLL_MS = 100;

export interface DemoSetting {
  readonly terminal: Terminal;
  readonly ports: Readonly<Record<keyof DemoPorts, WantedPort>>;
  /** The `weir` command, for Node. */
  readonly program: string;
  /** Where its commands are typed; null: anywhere. */
  readonly checkout: string | null;
  readonly connect: (socketPath: string) => AdminClient;
  /** Aborted: the demo ends. */
  readonly ending: AbortSignal;
  /** Takes what is to be called when lost processes shall come back. */
  readonly onBringBack: (bringBack: () => void) => void;
}

/** What runs, from the first file to the last process. */
interface Running {
  readonly directory: string;
  readonly socketPath: string;
  readonly ports: DemoPorts;
  readonly balancer: DemoChild;
  readonly clusters: readonly ClusterProcesses[];
  readonly client: AdminClient;
}

/** All taken ports at once, not one after the other. */
async function reservePorts(wanted: DemoSetting['ports']): Promise<DemoPorts> {
  const problems: string[] = [];
  const take = async (port: WantedPort): Promise<number> => {
    const result = await reservePort(port);
    if ('port' in result) return result.port;
    problems.push(result.problem);
    return 0;
  };
  const ports = {
    listener: await take(wanted.listener),
    admin: await take(wanted.admin),
    agents: await take(wanted.agents),
    metrics: await take(wanted.metrics),
  };
  if (problems.length > 0) throw new CommandFailure(EXIT.failed, problems.join('\n'));
  return ports;
}

async function anyPort(): Promise<number> {
  const result = await reservePort({ option: '', port: 0 });
  if ('problem' in result) throw new CommandFailure(EXIT.failed, `no free port on ${DEMO_HOST}`);
  return result.port;
}

/** The failure of a process that ended before it should, in its own words. */
function endedTooSoon(child: DemoChild, how: string): CommandFailure {
  return new CommandFailure(EXIT.failed, `the ${child.name} ended (${how}). Its last words:\n${child.tail()}`);
}

/** Polls until nothing is missing; fails when a process ends meanwhile or the deadline passes. */
async function waitUntilNothingMissing(setting: DemoSetting, running: Running, missing: () => Promise<readonly string[]>): Promise<void> {
  const { clock } = setting.terminal;
  const deadlineMs = clock.nowMs() + READY_DEADLINE_MS;
  for (;;) {
    setting.ending.throwIfAborted();
    const still = await missing();
    if (still.length === 0) return;
    const lost = [running.balancer, ...running.clusters.flatMap((cluster) => cluster.lost())].find((child) => !child.isRunning());
    if (lost !== undefined) throw endedTooSoon(lost, await lost.ended);
    if (clock.nowMs() > deadlineMs) {
      const seconds = READY_DEADLINE_MS / 1000;
      throw new CommandFailure(
        EXIT.timedOut,
        `not ready within ${seconds} s: ${still.join('; ')}. The balancer's log ends with:\n${running.balancer.tail()}`,
      );
    }
    await delay(READY_POLL_MS, undefined, { signal: setting.ending });
  }
}

/** What the appliance says is missing; that it does not answer yet is missing as well. */
async function statusGaps(client: AdminClient, gaps: (status: StatusView) => readonly string[]): Promise<readonly string[]> {
  try {
    return gaps(await client.status());
  } catch (error) {
    if (error instanceof CommandFailure && error.exitCode === EXIT.unreachable) return ['the balancer does not answer yet'];
    throw error;
  }
}

async function startProcesses(setting: DemoSetting, ports: DemoPorts, leftovers: AsyncDisposableStack): Promise<Running> {
  const { terminal, program } = setting;
  // Made with mode 0700.
  const directory = await mkdtemp(join(tmpdir(), 'weir-demo-'));
  leftovers.defer(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
  const guard = await startGuard(directory);
  leftovers.defer(() => guard.release());
  const stateDir = join(directory, 'state');
  await mkdir(stateDir, { mode: 0o700 });
  const clusters: ClusterProcesses[] = [];
  const origins = new Map<string, number>();
  leftovers.defer(async () => {
    await Promise.all(clusters.map((cluster) => cluster.stop()));
  });
  for (const cluster of DEMO_CLUSTERS) {
    const originPort = await anyPort();
    const onLost = (child: DemoChild, how: string): void =>
      terminal.message(`the ${child.name} is gone (${how}); bring it back: kill -USR2 ${process.pid}`);
    const processes = new ClusterProcesses({ cluster, originPort, directory, guard, onLost });
    origins.set(cluster.name, originPort);
    clusters.push(processes);
    await processes.startOrigin();
  }
  const file = join(directory, 'weir.yaml');
  await writeFile(file, demoConfig(ports, origins, stateDir), { mode: 0o600 });
  const args = ['serve', '-c', file];
  const balancer = await startChild({ name: 'balancer', program, args, logFile: join(directory, 'balancer.log'), guard });
  leftovers.defer(() => balancer.stop());
  const socketPath = join(stateDir, 'admin.sock');
  const client = setting.connect(socketPath);
  leftovers.defer(() => client.close());
  return { directory, socketPath, ports, balancer, clusters, client };
}

async function startAgents(setting: DemoSetting, { client, clusters, ports }: Running): Promise<void> {
  for (const processes of clusters) {
    const cluster = processes.cluster.name;
    const { secret } = await client.createToken({ name: `agent-${cluster}`, role: 'agent', cluster });
    await processes.startAgent({ program: setting.program, hub: `ws://${DEMO_HOST}:${ports.agents}`, token: secret ?? '' });
  }
}

async function bringBack({ clusters }: Running, terminal: Terminal): Promise<void> {
  const returned = await Promise.all(
    clusters.map(async (processes) => {
      const names = await processes.bringBack();
      return names.map((name) => `the ${name} is back${name.startsWith('origin') ? `: kill ${processes.originPid} ends it again` : ''}`);
    }),
  );
  const lines = returned.flat();
  terminal.message(lines.length === 0 ? 'nothing was lost' : lines.join('\n'));
}

/** Waits for the end: asked for, or because the balancer is gone. */
async function untilEnd({ ending }: DemoSetting, { balancer }: Running): Promise<void> {
  const asked = new Promise<null>((resolve) => {
    if (ending.aborted) resolve(null);
    else ending.addEventListener('abort', () => resolve(null), { once: true });
  });
  const how = await Promise.race([asked, balancer.ended]);
  if (how !== null) throw endedTooSoon(balancer, how);
}

async function runWith(setting: DemoSetting, leftovers: AsyncDisposableStack): Promise<void> {
  const { terminal } = setting;
  const ports = await reservePorts(setting.ports);
  terminal.message('starting three clusters, their agents and the balancer ...');
  const running = await startProcesses(setting, ports, leftovers);
  const { client, clusters, directory, socketPath } = running;
  await waitUntilNothingMissing(setting, running, () => statusGaps(client, () => []));
  await startAgents(setting, running);
  const names = clusters.map(({ cluster }) => cluster.name);
  await waitUntilNothingMissing(setting, running, () => statusGaps(client, (status) => notReady(status, names)));
  setting.onBringBack(() => void bringBack(running, terminal).catch((error: unknown) => terminal.message(String(error))));
  const list = clusters.map(({ cluster: { name, latencyMs }, originPid }) => ({ name, latencyMs, originPid }));
  await terminal.data(guideText({ ports, socketPath, directory, checkout: setting.checkout, demoPid: process.pid, clusters: list }));
  await untilEnd(setting, running);
}

/** Runs until `ending` aborts; whatever happens, no process and no file of it stays. */
export async function runDemo(setting: DemoSetting): Promise<ExitCode> {
  const leftovers = new AsyncDisposableStack();
  try {
    await runWith(setting, leftovers);
  } catch (error) {
    if (!setting.ending.aborted) throw error;
    return EXIT.interrupted;
  } finally {
    await leftovers.disposeAsync();
  }
  setting.terminal.message('the demo has ended; nothing of it is left');
  return EXIT.ok;
}
