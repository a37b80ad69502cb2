// Scenario `overload`: three times the load that one core can carry. What is served of it, and what becomes of critical routes, the admin API and readiness.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { WEIR_COMMAND } from '../contenders/weir.ts';
import { ask, type Where } from '../http-get.ts';
import { describeMachine, machineLine } from '../machine.ts';
import { NGINX_MISSING, nginxConfig, nginxVersion } from '../nginx.ts';
import { freePort, launch, outputOf, waitForPort, waitUntil, type Running } from '../processes.ts';
import { UsageError, type Scenario } from '../scenario.ts';
import { median, renderTable } from '../statistics.ts';
import { milliseconds } from '../workloads/h2-requests.ts';

/** The host has one core, and what makes the load and answers behind it has the other. */
const HOST_CORE = '0';
const LOAD_CORE = '1';
const FACTOR = 3;
/** Work enough for a request that a refusal is cheap beside it. */
const BODY_BYTES = 20_000;
const CONNECTIONS = 200;
const STREAMS = 100;
/** What is left of the load may be worked off before the peak is looked for again. */
const RECOVERY_MS = 1000;
/** Between two questions of those that are watched meanwhile. */
const WATCH_MS = 250;

const KINDS = ['weir', 'weir-all-in', 'nginx'] as const;
type Kind = (typeof KINDS)[number];

interface Options {
  readonly kinds: readonly Kind[];
  readonly rounds: number;
  readonly seconds: number;
  readonly jsonFile: string | null;
}

interface Host {
  readonly running: Running;
  readonly port: number;
  /** What is asked all the while, by name. */
  readonly watched: Readonly<Record<string, { readonly where: Where; readonly path: string }>>;
}

interface Watched {
  readonly asked: number;
  readonly answered: number;
  readonly slowestMs: number;
}

interface Figures {
  readonly kind: Kind;
  /** What a closed loop gets before and after, and the mean of both. */
  readonly before: number;
  readonly after: number;
  readonly peak: number;
  readonly goodput: number;
  readonly meanMs: number | null;
  readonly watched: Readonly<Record<string, Watched>>;
}

const pinned = (core: string, command: string, args: readonly string[]): Promise<Running> =>
  launch('taskset', ['-c', core, command, ...args]);

const weirFile = (
  directory: string,
  ports: { readonly web: number; readonly ready: number },
  origin: number,
  overloadDelay: string,
): string => `
version: 1
host: { name: bench }
state: { dir: ${JSON.stringify(`${directory}/state`)} }
workers: 1
overloadDelay: ${overloadDelay}
drainDeadline: 1s
listeners:
  web: { bind: "127.0.0.1:${ports.web}", limits: { requestsPerConnection: 1000000000 } }
  ready: { bind: "127.0.0.1:${ports.ready}", protocol: readiness }
clusters:
  one: { endpoints: ["http://127.0.0.1:${origin}"], health: { http: { path: / }, interval: 1s, timeout: 900ms }, maxConnections: 1024 }
services:
  bench: { versions: { blue: { clusters: { one: {} } } } }
routes:
  - { name: critical, match: { path: /critical }, service: bench, priorityClass: critical, listeners: [web] }
  - { name: all, match: { path: / }, service: bench, listeners: [web] }
`;

async function startWeir(directory: string, origin: number, overloadDelay: string): Promise<Host> {
  await mkdir(join(directory, 'state'), { recursive: true, mode: 0o700 });
  const ports = { web: await freePort(), ready: await freePort() };
  const file = join(directory, 'weir.yaml');
  await writeFile(file, weirFile(directory, ports, origin, overloadDelay));
  const running = await pinned(HOST_CORE, process.execPath, [WEIR_COMMAND, 'serve', '-c', file]);
  const web = { port: ports.web, tls: false };
  await waitUntil(running, 'weir should answer', async () => (await ask(web, '/'))?.status === 200, 60_000);
  const watched = {
    critical: { where: web, path: '/critical' },
    admin: { where: { socketPath: join(directory, 'state/admin.sock') }, path: '/v1/status' },
    readiness: { where: { port: ports.ready, tls: false }, path: '/' },
  };
  return { running, port: ports.web, watched };
}

async function startProxyNginx(directory: string, origin: number): Promise<Host> {
  const port = await freePort();
  const http = `upstream o { server 127.0.0.1:${origin}; keepalive 1024; }
  server { listen 127.0.0.1:${port} http2; location / { proxy_pass http://o; proxy_http_version 1.1; proxy_set_header Connection ""; } }`;
  const running = await nginxOn(HOST_CORE, directory, http, port);
  return { running, port, watched: { critical: { where: { port, tls: false }, path: '/critical' } } };
}

async function nginxOn(core: string, directory: string, http: string, port: number): Promise<Running> {
  await mkdir(directory, { recursive: true });
  const file = join(directory, 'nginx.conf');
  await writeFile(file, nginxConfig({ workers: 1, directory, http: `http2_max_concurrent_streams 1024; ${http}` }));
  const running = await pinned(core, 'nginx', ['-e', join(directory, 'error.log'), '-c', file]);
  await waitForPort(running, 'nginx', port);
  return running;
}

/** Goes on asking until it is told to stop: one question at a time, on a connection of its own. */
async function watch({ where, path }: Host['watched'][string], isOver: () => boolean): Promise<Watched> {
  let [asked, answered, slowestMs] = [0, 0, 0];
  while (!isOver()) {
    const startedMs = performance.now();
    const answer = await Promise.race([ask(where, path), delay(10_000, null)]);
    asked += 1;
    if (answer?.status === 200) answered += 1;
    slowestMs = Math.max(slowestMs, performance.now() - startedMs);
    await delay(WATCH_MS);
  }
  return { asked, answered, slowestMs };
}

async function h2load(port: number, args: readonly string[]): Promise<{ readonly perSecond: number; readonly meanMs: number | null }> {
  const output = await outputOf('taskset', ['-c', LOAD_CORE, 'h2load', '-t', '1', ...args, `http://127.0.0.1:${port}/`]);
  const finished = Number(/^finished in ([\d.]+)s/m.exec(output ?? '')?.[1] ?? 0);
  const ok = Number(/^status codes: (\d+) 2xx/m.exec(output ?? '')?.[1] ?? 0);
  if (output === null || finished === 0) throw new Error(`h2load told no figures. It said:\n${output ?? 'nothing'}`);
  return { perSecond: ok / finished, meanMs: milliseconds(/^time for request: +\S+ +\S+ +(\S+)/m.exec(output)?.[1] ?? '') };
}

async function measure(kind: Kind, directory: string, origin: number, seconds: number): Promise<Figures> {
  const host =
    kind === 'nginx' ? await startProxyNginx(directory, origin) : await startWeir(directory, origin, kind === 'weir' ? '100ms' : '0');
  try {
    const length = ['-D', String(seconds)];
    const closedLoop = async (): Promise<number> => (await h2load(host.port, ['-c', '16', '-m', '8', ...length])).perSecond;
    await closedLoop();
    const before = await closedLoop();
    let over = false;
    const watching = Object.entries(host.watched).map(async ([name, one]) => [name, await watch(one, () => over)] as const);
    const rate = Math.ceil((before * FACTOR) / CONNECTIONS);
    const { perSecond, meanMs } = await h2load(host.port, ['-c', String(CONNECTIONS), '-m', String(STREAMS), `--rps=${rate}`, ...length]);
    over = true;
    const watched = Object.fromEntries(await Promise.all(watching));
    // On both sides of it: a machine whose other guests take a core for a while moves one of the figures.
    await delay(RECOVERY_MS);
    const after = await closedLoop();
    return { kind, before, after, peak: (before + after) / 2, goodput: perSecond, meanMs, watched };
  } finally {
    await host.running.stop();
  }
}

function readOptions(args: readonly string[]): Options {
  const text = { type: 'string' } as const;
  let values;
  try {
    const options = { contenders: text, rounds: text, seconds: text, json: text, quick: { type: 'boolean' } } as const;
    ({ values } = parseArgs({ args: [...args], options }));
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  const names = values.contenders?.split(',') ?? KINDS;
  const stranger = names.find((name) => !KINDS.some((kind) => kind === name));
  if (stranger !== undefined) throw new UsageError(`--contenders ${stranger}: there is none of that name; known: ${KINDS.join(', ')}`);
  const number = (option: string, given: string | undefined, otherwise: number): number => {
    const value = given === undefined ? otherwise : Number(given);
    if (!Number.isInteger(value) || value < 1) throw new UsageError(`${option} ${given}: expected a whole number from 1 on`);
    return value;
  };
  return {
    kinds: KINDS.filter((kind) => names.includes(kind)),
    rounds: number('--rounds', values.rounds, values.quick === true ? 1 : 3),
    seconds: number('--seconds', values.seconds, values.quick === true ? 2 : 6),
    jsonFile: values.json ?? null,
  };
}

function row(rounds: readonly Figures[]): readonly string[] {
  const [first] = rounds;
  if (first === undefined) return [];
  const part = ({ goodput, peak }: Figures): number => (100 * goodput) / peak;
  const seen = (name: string): string => {
    const all = rounds.flatMap(({ watched }) => watched[name] ?? []);
    if (all.length === 0) return '-';
    const sum = (of: (one: Watched) => number): number => all.reduce((total, one) => total + of(one), 0);
    return `${sum(({ answered }) => answered)}/${sum(({ asked }) => asked)}, ${(Math.max(...all.map(({ slowestMs }) => slowestMs)) / 1000).toFixed(1)} s`;
  };
  const parts = rounds.map(part);
  return [
    first.kind,
    median(rounds.map(({ peak }) => peak)).toFixed(0),
    median(rounds.map(({ goodput }) => goodput)).toFixed(0),
    `${median(parts).toFixed(0)} %`,
    `${Math.min(...parts).toFixed(0)}-${Math.max(...parts).toFixed(0)} %`,
    median(rounds.map(({ meanMs }) => meanMs ?? 0)).toFixed(0),
    ...['critical', 'admin', 'readiness'].map(seen),
  ];
}

const HEADER = ['contender', 'peak/s', 'served/s', 'of peak', 'min-max', 'mean ms', 'critical', 'admin', 'readiness'];

async function run(args: readonly string[], signal: AbortSignal): Promise<number> {
  const options = readOptions(args);
  if ((await nginxVersion()) === null) throw new Error(`nginx is not installed: ${NGINX_MISSING}`);
  if ((await outputOf('h2load', ['--version'])) === null) throw new Error('h2load is not installed: apt-get install nghttp2-client');
  const directory = await mkdtemp(join(tmpdir(), 'weir-overload-'));
  const machine = describeMachine(new Date());
  const port = await freePort();
  await writeFile(join(directory, 'body'), 'x'.repeat(BODY_BYTES));
  const http = `sendfile on; open_file_cache max=10; server { listen 127.0.0.1:${port} backlog=4096; root ${directory}; location / { try_files /body =404; } }`;
  const origin = await nginxOn(LOAD_CORE, join(directory, 'origin'), http, port);
  const all: Figures[] = [];
  try {
    for (let round = 1; round <= options.rounds; round += 1)
      for (const kind of options.kinds) {
        signal.throwIfAborted();
        all.push(await measure(kind, join(directory, `${kind}-${round}`), port, options.seconds));
      }
  } finally {
    await origin.stop();
    await rm(directory, { recursive: true, force: true });
  }
  const rows = options.kinds.map((kind) => row(all.filter((one) => one.kind === kind)));
  process.stdout.write(
    `${machineLine(machine)}\none core each for the host and for load with origin; ${BODY_BYTES} bytes an answer; ${FACTOR} times the peak for ${options.seconds} s, ${CONNECTIONS} connections of HTTP/2; answered/asked and the slowest\n${renderTable(HEADER, rows)}`,
  );
  if (options.jsonFile !== null) await writeFile(options.jsonFile, `${JSON.stringify({ machine, options, figures: all }, null, 2)}\n`);
  return 0;
}

export const overload: Scenario = {
  name: 'overload',
  summary:
    'three times the load that one core can carry: what is served of it beside a host that refuses nothing and nginx, and what stays reachable',
  options: [
    `--contenders A,B  of ${KINDS.join(', ')} (default: all); weir-all-in refuses nothing`,
    '--rounds N        interleaved, the median counts (default: 3)',
    '--seconds N       of load (default: 6)',
    '--json FILE       all rounds, machine-readable',
    '--quick           one round of 2 s, to see that it works',
  ],
  run,
};
