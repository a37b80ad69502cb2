// Scenario `start`: from the start of the program to the first proxied request, of a host that is alone and of one whose fleet is away.
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { WEIR_COMMAND } from '../contenders/weir.ts';
import { ask } from '../http-get.ts';
import { describeMachine, machineLine } from '../machine.ts';
import { startOrigin } from '../origin.ts';
import { freePort, launch, outputOf, waitForPort, waitUntil, type Running } from '../processes.ts';
import { UsageError, type Scenario } from '../scenario.ts';
import { median, renderTable } from '../statistics.ts';

/** What a host has to keep to. */
const GOAL_MS = 2000;

interface Subject {
  readonly name: string;
  /** Makes what is on disk before the starts that are measured; the config file comes out. */
  readonly prepare: (directory: string, origin: number) => Promise<{ readonly file: string; readonly port: number }>;
}

function weirFile(directory: string, port: number, origin: number, redis: string): string {
  return `version: 1
host: { name: bench }
state: { dir: ${JSON.stringify(`${directory}/state`)}${redis} }
workers: 2
drainDeadline: 1s
listeners:
  web: { bind: "127.0.0.1:${port}" }
clusters:
  one: { endpoints: ["http://127.0.0.1:${origin}"], health: { http: { path: / }, interval: 1s, timeout: 500ms } }
services:
  bench: { versions: { blue: { clusters: { one: {} } } } }
routes:
  - { name: all, match: { path: / }, service: bench }
`;
}

async function written(directory: string, origin: number, redis: string): Promise<{ readonly file: string; readonly port: number }> {
  await mkdir(join(directory, 'state'), { recursive: true, mode: 0o700 });
  const [file, port] = [join(directory, 'weir.yaml'), await freePort()];
  await writeFile(file, weirFile(directory, port, origin, redis));
  return { file, port };
}

const ALONE: Subject = { name: 'alone', prepare: (directory, origin) => written(directory, origin, '') };

/** It was in its fleet once, and has its copy of what the fleet had agreed on. */
const FLEET_AWAY: Subject = {
  name: 'fleet away',
  prepare: async (directory, origin) => {
    await mkdir(directory, { recursive: true });
    const [keys, redisPort] = [join(directory, 'fleet.keys'), await freePort()];
    await writeFile(keys, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
    const said = await written(directory, origin, `, redis: { url: "redis://127.0.0.1:${redisPort}", keyFile: ${JSON.stringify(keys)} }`);
    const redis = await launch('redis-server', ['--port', String(redisPort), '--bind', '127.0.0.1', '--save', '', '--dir', directory]);
    await waitForPort(redis, 'redis-server', redisPort);
    const { running } = await start(said.file, said.port);
    const reached = async (): Promise<boolean> => {
      const events = await ask({ socketPath: join(directory, 'state/admin.sock') }, '/v1/events?limit=100');
      return events?.body.includes('the fleet is reached') === true;
    };
    await waitUntil(running, 'weir should reach its fleet', reached);
    await running.stop();
    await redis.stop();
    return said;
  },
};

async function start(file: string, port: number): Promise<{ readonly running: Running; readonly tookMs: number }> {
  const startedMs = performance.now();
  const running = await launch(process.execPath, [WEIR_COMMAND, 'serve', '-c', file]);
  await waitUntil(running, 'weir should answer', async () => (await ask({ port, tls: false }, '/'))?.status === 200, 60_000);
  return { running, tookMs: performance.now() - startedMs };
}

function readOptions(args: readonly string[]): { readonly rounds: number; readonly jsonFile: string | null } {
  const text = { type: 'string' } as const;
  let values;
  try {
    ({ values } = parseArgs({ args: [...args], options: { rounds: text, json: text, quick: { type: 'boolean' } } }));
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  const rounds = Number(values.rounds ?? (values.quick === true ? 1 : 5));
  if (!Number.isInteger(rounds) || rounds < 1) throw new UsageError(`--rounds ${values.rounds}: expected a whole number from 1 on`);
  return { rounds, jsonFile: values.json ?? null };
}

async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  const { rounds, jsonFile } = readOptions(args);
  const subjects = (await outputOf('redis-server', ['--version'])) === null ? [ALONE] : [ALONE, FLEET_AWAY];
  if (subjects.length === 1) process.stdout.write('without a fleet: redis-server is not installed (apt-get install redis-server)\n');
  const directory = await mkdtemp(join(tmpdir(), 'weir-start-'));
  const origin = await startOrigin(directory, null);
  const all = new Map<string, number[]>();
  try {
    for (const { name, prepare } of subjects) {
      const { file, port } = await prepare(join(directory, name.replace(' ', '-')), origin.ports.http1);
      for (let round = 1; round <= rounds; round += 1) {
        signal.throwIfAborted();
        const { running, tookMs } = await start(file, port);
        await running.stop();
        all.set(name, [...(all.get(name) ?? []), tookMs]);
        process.stdout.write(`${name}, start ${round} of ${rounds}: ${tookMs.toFixed(0)} ms\n`);
      }
    }
  } finally {
    await origin.stop();
    await rm(directory, { recursive: true, force: true });
  }
  const machine = describeMachine(new Date());
  const rows = [...all].map(([name, tookMs]) => [
    name,
    ...[median(tookMs), Math.min(...tookMs), Math.max(...tookMs)].map((ms) => ms.toFixed(0)),
  ]);
  process.stdout.write(
    `${machineLine(machine)}\nms from the start to the first proxied request, goal ${GOAL_MS}\n${renderTable(['host', 'median', 'min', 'max'], rows)}`,
  );
  if (jsonFile !== null) await writeFile(jsonFile, `${JSON.stringify({ machine, tookMs: Object.fromEntries(all) }, null, 2)}\n`);
  return 0;
}

export const startOfHost: Scenario = {
  name: 'start',
  summary: 'from the start of the program to the first proxied request, alone and with the fleet away',
  options: ['--rounds N  starts of each (default: 5)', '--json FILE  all rounds, machine-readable', '--quick     one start of each'],
  run,
};
