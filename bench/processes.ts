// Child processes of a measurement: start one, keep the end of what it said, wait until it listens, end it for certain.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** How much of a child's output is kept for a failure message, in characters. */
const OUTPUT_KEPT = 16_384;
/** A child that has not ended this long after SIGTERM is killed. */
const STOP_GRACE_MS = 12_000;
const PORT_POLL_MS = 20;

export interface Running {
  readonly pid: number;
  /** The end of what it wrote to stdout and stderr. */
  output(): string;
  hasExited(): boolean;
  /** Settles when it has ended; never rejects. */
  readonly exited: Promise<void>;
  stop(): Promise<void>;
}

const isOver = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

async function end(child: ChildProcess, exited: Promise<void>): Promise<void> {
  if (isOver(child)) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
  await exited;
  clearTimeout(timer);
}

/** Starts a program; rejects when it cannot be started at all. */
export async function launch(command: string, args: readonly string[], cwd?: string): Promise<Running> {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-OUTPUT_KEPT);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await once(child, 'spawn');
  if (child.pid === undefined) throw new Error(`${command} did not start`);
  return { pid: child.pid, output: () => output, hasExited: () => isOver(child), exited, stop: () => end(child, exited) };
}

/** Runs a program to its end and returns all it wrote; null when it cannot be started. */
export async function outputOf(command: string, args: readonly string[]): Promise<string | null> {
  try {
    const running = await launch(command, args);
    await running.exited;
    return running.output();
  } catch {
    return null;
  }
}

/** A port of 127.0.0.1 that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no TCP port on 127.0.0.1');
  return address.port;
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** Waits until `ready` says yes; fails with the program's own words when it ends before, or when the deadline passes. */
export async function waitUntil(running: Running, what: string, ready: () => Promise<boolean>, deadlineMs = 20_000): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  while (!(await ready())) {
    if (running.hasExited()) throw new Error(`${what}: the process ended. It said:\n${running.output()}`);
    if (performance.now() > deadline) throw new Error(`${what}: not within ${deadlineMs / 1000} s. It said:\n${running.output()}`);
    await delay(PORT_POLL_MS);
  }
}

/** Waits until the program accepts connections on the port; ends the program when it does not. */
export async function waitForPort(running: Running, name: string, port: number): Promise<void> {
  try {
    await waitUntil(running, `${name} should accept connections on 127.0.0.1:${port}`, () => canConnect(port));
  } catch (error) {
    await running.stop();
    throw error;
  }
}
