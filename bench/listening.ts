// Measures the ways in which several processes can share a port: how even connections are, how soon they are answered, idle and under load, and
// how many are lost when a worker stops.
import cluster, { type Worker } from 'node:cluster';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { BoundSocket, connect, createServer, Socket, type AddressInfo } from 'node:net';
import { availableParallelism, cpus } from 'node:os';

/**
 * `round-robin`: the primary accepts and hands on. `shared`: all workers accept on one socket. `reuse-port`: one socket a worker. `held`: one
 * a worker, which the primary opens and keeps for the worker that follows.
 */
const MODES = ['round-robin', 'shared', 'reuse-port', 'held'] as const;
type Mode = (typeof MODES)[number];

/** How a worker ends: with its connections finished and its channel closed, finished and gone at once, or killed. */
const STOPS = ['disconnect', 'exit', 'kill'] as const;
type Stop = (typeof STOPS)[number];

const WORKERS = 4;
const CONNECTIONS = 512;
const BALANCE_ROUNDS = 20;
const STOPS_PER_RUN = 12;
/** Connections open at a time while workers stop: enough that every backlog has some waiting. */
const CONCURRENCY = 64;
/** Kept connections that ask without pause in the rounds under load. */
const LOAD_CONNECTIONS = 64;
/** A worker sleeps this long at each connection, so that the others wait in the backlog, as they do under load. */
const PAUSE_MS = 3;
const HUNG_AFTER_MS = 3000;

const ANSWER = (name: string): string => `HTTP/1.1 200 OK\r\ncontent-length: ${String(name.length)}\r\nconnection: close\r\n\r\n${name}`;
const REQUEST = 'GET / HTTP/1.1\r\nhost: localhost\r\n\r\n';

// --- the worker ---

function runWorker(mode: Mode, port: number): void {
  const own = mode === 'reuse-port';
  const pause = new Int32Array(new SharedArrayBuffer(4));
  let stopping: Stop | null = null;
  const server = createServer((socket) => {
    if (process.env['LISTENING_PAUSE'] === 'yes') Atomics.wait(pause, 0, 0, PAUSE_MS);
    socket.on('error', () => socket.destroy());
    socket.on('data', () => {
      const text = ANSWER(String(process.pid));
      // In the balance runs the connection stays open, so that 512 are open at once.
      if (process.env['LISTENING_PAUSE'] === 'yes') socket.end(text);
      else socket.write(text);
    });
  });
  const listening = (): void => void process.send?.({ port: (server.address() as AddressInfo).port });
  if (mode !== 'held') server.listen({ host: '127.0.0.1', port, backlog: 1024, reusePort: own, exclusive: own }, listening);
  process.on('message', (stop: Stop | 'listen', socket: unknown) => {
    if (stop === 'listen') return void server.listen(socket, 1024, listening);
    if (stopping !== null) return;
    stopping = stop;
    server.close(() => {
      if (stop === 'exit') process.exit(0);
      cluster.worker?.disconnect();
    });
  });
}

// --- the client: a process of its own, so that the primary has its time for accepting ---

/** The answer's body, or why there was none. */
function ask(
  port: number,
  keep: boolean,
): Promise<{ readonly worker: string | null; readonly problem: string; readonly close: () => void }> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(REQUEST));
    const close = (): void => {
      socket.destroy();
    };
    const finish = (problem: string): void => {
      const worker = /\r\n\r\n(\d+)$/.exec(text)?.[1] ?? null;
      if (!keep || worker === null) socket.destroy();
      resolve({ worker, problem, close });
    };
    socket.setTimeout(HUNG_AFTER_MS, () => finish('hung'));
    socket.on('error', (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
    socket.on('close', () => finish('closed without an answer'));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (/\r\n\r\n\d+$/.test(text)) finish('');
    });
  });
}

interface BalanceRound {
  /** Connections of each worker, most first. */
  readonly counts: readonly number[];
  /** Until the last was answered. */
  readonly milliseconds: number;
}

/** Opens all connections at once. */
async function openAll(port: number): Promise<BalanceRound> {
  const started = performance.now();
  const answers = await Promise.all(Array.from({ length: CONNECTIONS }, () => ask(port, true)));
  const milliseconds = performance.now() - started;
  const counts = new Map<string, number>();
  for (const { worker, problem, close } of answers) {
    if (worker === null) throw new Error(`a connection failed while nothing stopped: ${problem}`);
    counts.set(worker, (counts.get(worker) ?? 0) + 1);
    close();
  }
  return { counts: [...counts.values()].sort((a, b) => b - a), milliseconds };
}

/** Kept connections that ask again when they are answered, until they are cut off. */
function askForEver(port: number): void {
  for (let count = 0; count < LOAD_CONNECTIONS; count++) {
    const socket = connect(port, '127.0.0.1', () => socket.write(REQUEST));
    socket.on('data', () => socket.write(REQUEST)).on('error', () => socket.destroy());
  }
}

/** One connection after the other in `CONCURRENCY` lanes until told to stop. */
async function askUntilTold(port: number): Promise<Lost> {
  let told = false;
  process.once('message', () => (told = true));
  const problems: Record<string, number> = {};
  let asked = 0;
  const lane = async (): Promise<void> => {
    while (!told) {
      const answer = await ask(port, false);
      asked += 1;
      if (answer.worker === null) problems[answer.problem] = (problems[answer.problem] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, lane));
  return { asked, problems };
}

interface Lost {
  readonly asked: number;
  readonly problems: Readonly<Record<string, number>>;
}

async function runClient(port: number, task: string): Promise<void> {
  if (task === 'load') {
    askForEver(port);
    return;
  }
  if (task === 'balance') {
    const rounds: BalanceRound[] = [];
    for (let round = 0; round < BALANCE_ROUNDS; round++) rounds.push(await openAll(port));
    process.send?.(rounds);
  } else {
    process.send?.(await askUntilTold(port));
  }
  process.disconnect?.();
}

// --- the primary: one process per way, because a policy of scheduling holds for the life of a process ---

/** `held`: what it accepts from; null: it opens the port itself. */
async function startWorker(port: number, held: Socket | null): Promise<{ readonly worker: Worker; readonly port: number }> {
  const worker = cluster.fork({ LISTENING_PORT: String(port) });
  if (held !== null) worker.send('listen', held, { keepOpen: true });
  const [message] = (await once(worker, 'message')) as [{ readonly port: number }];
  return { worker, port: message.port };
}

function startClient(port: number, task: string): ChildProcess {
  return fork(import.meta.filename, ['client', String(port), task], { execArgv: [] });
}

/** Bound to one port, and kept here: a socket that nobody reads or accepts from. */
function holdSockets(): readonly Socket[] {
  const first = new BoundSocket({ host: '127.0.0.1', port: 0, reusePort: true });
  const { port } = first.address();
  const others = Array.from({ length: WORKERS - 1 }, () => new BoundSocket({ host: '127.0.0.1', port, reusePort: true }));
  return [first, ...others].map((handle) => new Socket({ handle }));
}

async function runPrimary(mode: Mode, task: string): Promise<void> {
  cluster.schedulingPolicy = mode === 'round-robin' ? cluster.SCHED_RR : cluster.SCHED_NONE;
  cluster.setupPrimary({ args: ['worker', mode], silent: false });
  const balances = task.startsWith('balance');
  process.env['LISTENING_PAUSE'] = balances ? 'no' : 'yes';
  const held = mode === 'held' ? holdSockets() : [];
  const first = await startWorker(0, held[0] ?? null);
  // Workers that share a handle all ask for port 0 and get the same one; sockets of their own need its number.
  const port = mode === 'reuse-port' ? first.port : 0;
  const workers = [first.worker];
  while (workers.length < WORKERS) workers.push((await startWorker(port, held[workers.length] ?? null)).worker);

  const load = task === 'balance-under-load' ? startClient(first.port, 'load') : null;
  const client = startClient(first.port, balances ? 'balance' : 'lost');
  const result = once(client, 'message');
  if (!balances) await replaceWorkers(workers, { stop: task as Stop, port, held });
  if (!balances) client.send('enough');
  const [value] = (await result) as [unknown];
  process.stdout.write(`${JSON.stringify(value)}\n`);
  load?.kill('SIGKILL');
  for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGKILL');
}

interface Replacing {
  readonly stop: Stop;
  readonly port: number;
  readonly held: readonly Socket[];
}

/** Ends the oldest worker and starts another, again and again, while the client asks. */
async function replaceWorkers(workers: Worker[], { stop, port, held }: Replacing): Promise<void> {
  for (let count = 0; count < STOPS_PER_RUN; count++) {
    // Workers stop in the order in which they started, so the oldest has this one.
    const { worker } = await startWorker(port, held[count % WORKERS] ?? null);
    workers.push(worker);
    const oldest = workers.shift();
    if (oldest === undefined) return;
    const gone = once(oldest, 'exit');
    if (stop === 'kill') oldest.process.kill('SIGKILL');
    else oldest.send(stop);
    await gone;
  }
}

// --- the whole run ---

function runMode(mode: Mode, task: string): Promise<string> {
  const child = fork(import.meta.filename, ['primary', mode, task], { execArgv: [], stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('close', (code) => (code === 0 ? resolve(text) : reject(new Error(`${mode} ${task} ended with ${String(code)}`))));
  });
}

async function balanceLine(mode: Mode, task: string): Promise<string> {
  const rounds = JSON.parse(await runMode(mode, task)) as readonly BalanceRound[];
  const medianAndWorst = (values: readonly number[], digits: number): string => {
    const sorted = [...values].sort((a, b) => a - b);
    return `${(sorted[BALANCE_ROUNDS / 2] ?? 0).toFixed(digits)} (${(sorted.at(-1) ?? 0).toFixed(digits)})`;
  };
  const ratios = medianAndWorst(
    rounds.map(({ counts }) => (counts[0] ?? 0) / (CONNECTIONS / WORKERS)),
    2,
  );
  const times = medianAndWorst(
    rounds.map(({ milliseconds }) => milliseconds),
    0,
  );
  const when = task === 'balance' ? 'idle' : 'under load';
  return `  ${mode.padEnd(12)} ${when.padEnd(12)} busiest over the mean ${ratios}  all answered after ${times} ms`;
}

async function runAll(): Promise<void> {
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  print(`Node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}, ${String(availableParallelism())} cores\n`);
  print(`${String(CONNECTIONS)} connections at once, ${String(WORKERS)} workers, ${String(BALANCE_ROUNDS)} rounds: median (worst)`);
  for (const mode of MODES) for (const task of ['balance', 'balance-under-load']) print(await balanceLine(mode, task));
  print(
    `\nConnections lost while ${String(STOPS_PER_RUN)} workers are replaced one after the other, ${String(CONCURRENCY)} open at a time`,
  );
  for (const mode of MODES) {
    for (const stop of STOPS) {
      const { asked, problems } = JSON.parse(await runMode(mode, stop)) as Lost;
      const lost = Object.values(problems).reduce((sum, count) => sum + count, 0);
      print(`  ${mode.padEnd(12)} ${stop.padEnd(12)} ${String(lost).padStart(5)} of ${String(asked)}  ${JSON.stringify(problems)}`);
    }
  }
}

const [role, first, second] = process.argv.slice(2);
if (role === 'worker') runWorker(first as Mode, Number(process.env['LISTENING_PORT']));
else if (role === 'client') await runClient(Number(first), second ?? '');
else if (role === 'primary') await runPrimary(first as Mode, second ?? '');
else await runAll();
