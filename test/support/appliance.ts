// The appliance as an operator runs it: `weir serve` with real processes on free ports, ended and checked by the test that started it.
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request, type IncomingHttpHeaders, type RequestOptions } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import { parse } from 'yaml';
import type { EventView, StatusView } from '../../balancer/controller/api/views.ts';
import { childrenOf } from './child-processes.ts';
import { runWeir, WEIR, type CommandResult } from './command.ts';
import { freePort } from './free-port.ts';
import { until } from './until.ts';

/** Many processes of many tests share the machine. */
const READY_DEADLINE_MS = 60_000;
const END_DEADLINE_MS = 20_000;
const ANSWER_DEADLINE_MS = 15_000;

export interface ApplianceOptions {
  /**
   * The config. What of the host part it does not say is added: a state directory, one listener `web`, admin and metrics addresses.
   * Every port 0 (`":0"` at the end of an address) becomes a free one.
   */
  readonly yaml: string;
  readonly workers?: number;
  /** `state.redis`, as YAML; absent: the host is alone. */
  readonly redis?: string;
  /** Starts with a copy of this state directory. */
  readonly stateFrom?: string;
  /** Gets the path of the state directory before anything is there. */
  readonly prepare?: (stateDir: string) => void;
  /** The script that is started; a test may replace it by another one while it runs. */
  readonly program?: string;
  /** Runs what follows it, as `ip netns exec NAME`. */
  readonly within?: readonly string[];
  /** Beside what the environment of the test has. */
  readonly env?: Readonly<Record<string, string>>;
  /** False: starts without waiting, for tests of what does not start. */
  readonly untilReady?: boolean;
  /** Waits also until every cluster has been probed. */
  readonly untilProbed?: boolean;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Pids {
  readonly supervisor: number;
  /** 0: there is none at this moment. */
  readonly controller: number;
  /** By name, `w1` first. */
  readonly workers: readonly number[];
}

export async function startAppliance(t: TestContext, options: ApplianceOptions): Promise<Appliance> {
  const directory = mkdtempSync(join(tmpdir(), 'weir-'));
  if (options.stateFrom !== undefined) cpSync(options.stateFrom, join(directory, 'state'), { recursive: true });
  options.prepare?.(join(directory, 'state'));
  const appliance = new Appliance(directory, await withFreePorts(complete(options, directory)), options);
  t.after(async () => {
    await appliance.kill();
    if (!t.passed) t.diagnostic(`the appliance said:\n${appliance.log}`);
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  });
  if (options.untilReady !== false) await appliance.ready();
  if (options.untilProbed === true) {
    const probed = async (): Promise<boolean> => (await appliance.status()).clusters.every(({ health }) => health !== 'unknown');
    await until(probed, 'every cluster has been probed', READY_DEADLINE_MS);
  }
  return appliance;
}

export class Appliance {
  readonly directory: string;
  readonly configFile: string;
  readonly socketPath: string;
  /** All that it wrote, stdout and stderr. */
  log = '';
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #binds: Readonly<Record<string, string>>;

  /** Starts at once: `yaml` is a complete config. */
  constructor(
    directory: string,
    yaml: string,
    { program = WEIR, env = {}, within = [] }: Pick<ApplianceOptions, 'program' | 'env' | 'within'> = {},
  ) {
    this.directory = directory;
    this.configFile = join(directory, 'weir.yaml');
    this.socketPath = join(directory, 'state', 'admin.sock');
    this.#binds = bindsOf(yaml);
    writeFileSync(this.configFile, yaml);
    const [command, ...words] = [...within, process.execPath, program, 'serve', '-c', this.configFile];
    this.#child = spawn(command, words, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    const say = (text: string): void => void (this.log += text);
    this.#child.stdout.setEncoding('utf8').on('data', say);
    this.#child.stderr.setEncoding('utf8').on('data', say);
    this.ended = once(this.#child, 'close').then(() => ({ code: this.#child.exitCode, signal: this.#child.signalCode }));
  }

  /** Where a listener of the config is, `web` by default. */
  url(listener = 'web'): string {
    return `http://${this.#bind(listener)}`;
  }

  port(listener = 'web'): number {
    return Number(this.#bind(listener).split(':').at(-1));
  }

  /** A request of its own connection; rejects when it is not answered. */
  get(path = '/', options: RequestOptions = {}): Promise<Answer> {
    return exchange(new URL(path, this.url()), { agent: false, ...options });
  }

  /** Runs the command against this appliance. */
  weir(...args: readonly string[]): Promise<CommandResult> {
    return runWeir(args, { server: this.socketPath });
  }

  async status(): Promise<StatusView> {
    return JSON.parse((await this.#admin('/v1/status')).body) as StatusView;
  }

  /** Oldest first. */
  async events(): Promise<readonly EventView[]> {
    return (await this.list<EventView>('events?limit=1000')).toReversed();
  }

  /** What the admin API has of a kind, such as `edges`. */
  async list<T>(kind: string): Promise<readonly T[]> {
    return (JSON.parse((await this.#admin(`/v1/${kind}`)).body) as { readonly items: readonly T[] }).items;
  }

  async metrics(accept = '*/*'): Promise<string> {
    return (await exchange(new URL(`http://${this.#bind('metrics')}/metrics`), { agent: false, headers: { accept } })).body;
  }

  /** The sum over all series of a metric that have these labels. */
  async metricSum(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    const series = (await this.metrics()).split('\n').filter((line) => line.startsWith(`${name}{`));
    const lines = series.filter((line) => wanted.every((pair) => line.includes(pair)));
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }

  pids(): Pids {
    const supervisor = this.#supervisor();
    const titles = childrenOf(supervisor);
    const workers = titles.filter(({ title }) => title.startsWith('weir: worker')).sort((a, b) => a.title.localeCompare(b.title));
    return {
      supervisor,
      controller: titles.find(({ title }) => title.startsWith('weir: controller'))?.pid ?? 0,
      workers: workers.map(({ pid }) => pid),
    };
  }

  isRunning(): boolean {
    if (this.#child.exitCode === null && this.#child.signalCode === null) return true;
    return this.#supervisor() !== this.#child.pid && isAlive(this.#supervisor());
  }

  /** Resolves when every worker has re-read what changed of the listener's certificates. */
  async certificatesReRead(listener: string): Promise<void> {
    const workers = this.pids().workers.length;
    const all = async (): Promise<boolean> =>
      (await this.metricSum('weir_certificate_reloads_total', { listener, outcome: 'read' })) >= workers;
    await until(all, `${workers} workers have re-read the certificates of ${listener}`, 10_000);
  }

  /** To the supervisor. */
  signal(signal: NodeJS.Signals): void {
    process.kill(this.#supervisor(), signal);
  }

  /** Writes another config; `edit` gets the present text. */
  rewrite(edit: (yaml: string) => string): void {
    writeFileSync(this.configFile, edit(readFileSync(this.configFile, 'utf8')));
  }

  async ready(): Promise<void> {
    const isReady = (): boolean => /"name":"supervisor".*"msg":"ready"/.test(this.log);
    await until(() => isReady() || !this.isRunning(), 'the appliance is ready', READY_DEADLINE_MS).catch((error: unknown) => {
      throw new Error(`${String(error)}; it said:\n${this.log}`);
    });
    if (this.isRunning()) return;
    await this.ended;
    throw new Error(`the appliance ended before it was ready; it said:\n${this.log}`);
  }

  /** SIGTERM, as a service manager sends it. */
  async stop(): Promise<Ended> {
    this.signal('SIGTERM');
    await until(() => !this.isRunning(), 'the appliance has ended', END_DEADLINE_MS);
    return this.ended;
  }

  /** Ends it at once, and every process below it. */
  async kill(): Promise<void> {
    if (!this.isRunning()) return;
    const supervisors = [this.#child.pid ?? 0, this.#supervisor()];
    const below = supervisors.flatMap((pid) => childrenOf(pid));
    for (const pid of [...supervisors, ...below.map(({ pid }) => pid)]) killQuietly(pid);
    await this.ended;
  }

  /** The one that serves: after an upgrade another than the one that was started. */
  #supervisor(): number {
    const ready = [...this.log.matchAll(/"pid":(\d+)[^\n]*"name":"supervisor"[^\n]*"msg":"ready"/g)];
    return Number(ready.at(-1)?.[1] ?? this.#child.pid ?? 0);
  }

  #bind(name: string): string {
    const bind = this.#binds[name];
    if (bind === undefined) throw new Error(`the config has no ${name}`);
    return bind;
  }

  #admin(path: string): Promise<Answer> {
    return exchange(new URL(path, 'http://localhost'), { socketPath: this.socketPath, agent: false });
  }
}

/** One exchange; the body is read whole. */
export function exchange(url: URL, options: RequestOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, options, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (body += chunk));
      response.once('error', reject);
      response.once('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    outgoing.setTimeout(ANSWER_DEADLINE_MS, () =>
      outgoing.destroy(new Error(`no answer within ${ANSWER_DEADLINE_MS} ms from ${url.href}`)),
    );
    outgoing.once('error', reject);
    outgoing.end();
  });
}

/** Adds what of the host part the text does not say. */
function complete({ yaml, workers = 2, redis }: ApplianceOptions, directory: string): string {
  const parts: Readonly<Record<string, string>> = {
    version: '1',
    host: '{ name: test-edge }',
    state: `{ dir: ${JSON.stringify(join(directory, 'state'))}${redis === undefined ? '' : `, redis: ${redis}`} }`,
    workers: String(workers),
    listeners: '{ web: { bind: "127.0.0.1:0" } }',
    admin: '{ bind: "127.0.0.1:0" }',
    metrics: '{ bind: "127.0.0.1:0" }',
  };
  const missing = Object.entries(parts).filter(([key]) => !new RegExp(`^${key}:`, 'm').test(yaml));
  return `${missing.map(([key, value]) => `${key}: ${value}\n`).join('')}${yaml}`;
}

async function withFreePorts(yaml: string): Promise<string> {
  const ports: number[] = [];
  for (let missing = yaml.match(/:0"/g)?.length ?? 0; missing > 0; missing -= 1) ports.push(await freePort());
  return yaml.replace(/:0"/g, () => `:${String(ports.shift())}"`);
}

interface BoundConfig {
  readonly listeners: Readonly<Record<string, { readonly bind: string }>>;
  readonly admin?: { readonly bind: string };
  readonly agents?: { readonly bind: string };
  readonly metrics?: { readonly bind: string };
}

/** Addresses by listener name, and of `admin`, `agents` and `metrics`. */
function bindsOf(yaml: string): Readonly<Record<string, string>> {
  const { listeners, admin, agents, metrics } = parse(yaml) as BoundConfig;
  const named = { ...listeners, ...(admin && { admin }), ...(agents && { agents }), ...(metrics && { metrics }) };
  return Object.fromEntries(Object.entries(named).map(([name, { bind }]) => [name, bind]));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
