// weir itself, as an operator runs it: supervisor, controller and one worker, a split over two versions, health probes, metrics.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkerView } from '../../balancer/controller/api/views.ts';
import { certificateOf, type Contender, type StartedContender } from '../contender.ts';
import { withDescendants } from '../cpu.ts';
import { ask } from '../http-get.ts';
import { freePort, launch, waitUntil, type Running } from '../processes.ts';
import { versionIn } from './node-program.ts';
import { weirConfig, type WeirFile, type WeirSetting } from './weir-config.ts';

export const WEIR_COMMAND = join(import.meta.dirname, '../../tui/weir.js');
/** Ten thousand routes on a busy machine take a while. */
const START_DEADLINE_MS = 60_000;
const MANIFEST = join(import.meta.dirname, '../../package.json');

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;

/** Reads the workers that serve from the admin API; anything else is an empty list. */
function decodeWorkers(body: string): readonly Pick<WorkerView, 'pid'>[] {
  const value: unknown = JSON.parse(body);
  if (!isObject(value) || !Array.isArray(value['items'])) return [];
  const items: readonly unknown[] = value['items'];
  return items.flatMap((item) =>
    isObject(item) && item['state'] === 'ready' && typeof item['pid'] === 'number' ? [{ pid: item['pid'] }] : [],
  );
}

/** Applies the file with one route more; the answer comes when every worker serves it. */
async function applyAnotherRoute(file: WeirFile, socketPath: string): Promise<void> {
  const body = weirConfig({ ...file, otherRoutes: file.otherRoutes + 1 });
  const answer = await ask({ socketPath }, '/v1/config?dryRun=false', { method: 'POST', body });
  if (answer?.status !== 200) throw new Error(`weir did not take the config: ${answer?.body ?? 'no answer'}`);
}

async function serve(running: Running, file: WeirFile): Promise<StartedContender> {
  const socketPath = join(file.directory, 'state/admin.sock');
  const entrance = { port: file.ports.listener, tls: file.certificate !== null };
  const answers = async (): Promise<boolean> => (await ask(entrance, '/'))?.status === 200;
  await waitUntil(running, 'weir should answer through its listener', answers, START_DEADLINE_MS);
  let workers: readonly number[] = [];
  const complete = async (): Promise<boolean> => {
    const answer = await ask({ socketPath }, '/v1/workers');
    workers = answer?.status === 200 ? decodeWorkers(answer.body).map(({ pid }) => pid) : [];
    return workers.length === file.workers;
  };
  await waitUntil(running, `weir should name ${file.workers} worker(s) that serve`, complete, START_DEADLINE_MS);
  return {
    port: file.ports.listener,
    pids: () => withDescendants(running.pid),
    dataPlanePids: () => workers,
    reload: () => applyAnotherRoute(file, socketPath),
    stop: () => running.stop(),
  };
}

export interface WeirVariant extends Partial<WeirSetting> {
  readonly name: string;
  readonly summary: string;
  readonly connectionsFactor?: number;
}

export const weirWith = ({ name, summary, connectionsFactor = 1, ...changed }: WeirVariant): Contender => ({
  name,
  summary,
  connectionsFactor,
  available: async () => ({ ok: true, version: await versionIn(MANIFEST) }),
  start: async (setting) => {
    const { directory, wiring, origin } = setting;
    await mkdir(join(directory, 'state'), { mode: 0o700 });
    const ports = { listener: await freePort(), admin: await freePort(), metrics: await freePort() };
    const certificate = wiring.downstream === 'plain' ? null : certificateOf(setting);
    const file: WeirFile = {
      workers: 1,
      otherRoutes: 0,
      accessLog: false,
      filters: '[]',
      ...changed,
      ports,
      wiring,
      origin,
      certificate,
      directory,
    };
    const path = join(directory, 'weir.yaml');
    await writeFile(path, weirConfig(file));
    const running = await launch(process.execPath, [WEIR_COMMAND, 'serve', '-c', path]);
    try {
      return await serve(running, file);
    } catch (error) {
      await running.stop();
      throw error;
    }
  },
});

export const weir: Contender = weirWith({
  name: 'weir',
  summary: 'weir serve, 1 worker with its controller and supervisor, two versions over two clusters, probes and metrics on',
});
