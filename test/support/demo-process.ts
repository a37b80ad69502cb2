// The demo as a user starts it: a real process, its printed guide, and what of it is alive.
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import { withDescendants } from '../../bench/cpu.ts';
import { until } from './until.ts';

const COMMAND = join(import.meta.dirname, '../../tui/weir.js');
/** The last line of the guide. */
const READY = /^Ctrl-C ends the demo/m;
const READY_DEADLINE_MS = 70_000;
const END_DEADLINE_MS = 30_000;

/** Any free port for each: several demos and other tests may run at once. */
export const FREE_PORTS: readonly string[] = ['--port', '0', '--admin-port', '0', '--agents-port', '0', '--metrics-port', '0'];

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class DemoProcess {
  readonly #child: ChildProcessByStdio<null, Readable, Readable>;
  readonly ended: Promise<Ended>;
  stdout = '';
  stderr = '';

  constructor(args: readonly string[], env: NodeJS.ProcessEnv) {
    this.#child = spawn(process.execPath, [COMMAND, 'demo', ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
    this.#child.stdout.on('data', (chunk) => (this.stdout += String(chunk)));
    this.#child.stderr.on('data', (chunk) => (this.stderr += String(chunk)));
    this.ended = once(this.#child, 'close').then(() => ({ code: this.#child.exitCode, signal: this.#child.signalCode }));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async ready(): Promise<void> {
    await until(() => READY.test(this.stdout) || !this.isRunning(), `a demo that is ready; it said:\n${this.stderr}`, READY_DEADLINE_MS);
    if (!this.isRunning()) throw new Error(`the demo ended before it was ready; it said:\n${this.stderr}`);
  }

  /** The demo and every process below it. */
  processes(): readonly number[] {
    return withDescendants(this.pid);
  }

  /** The command lines of the guide, as printed. */
  commands(): readonly string[] {
    return this.stdout
      .split('\n')
      .filter((line) => line.startsWith('    '))
      .map((line) => line.trim());
  }

  /** The first printed command that fits. */
  command(pattern: RegExp): string {
    const found = this.commands().find((line) => pattern.test(line));
    if (found === undefined) throw new Error(`the guide has no command like ${pattern.source}:\n${this.stdout}`);
    return found;
  }

  /** The first capture of the pattern in the guide. */
  printed(pattern: RegExp): string {
    const found = pattern.exec(this.stdout)?.[1];
    if (found === undefined) throw new Error(`the guide has nothing like ${pattern.source}:\n${this.stdout}`);
    return found;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Sends the signal and waits for the end, with a deadline. */
  async end(name: NodeJS.Signals): Promise<Ended> {
    this.signal(name);
    await until(() => !this.isRunning(), `the end of the demo after ${name}`, END_DEADLINE_MS);
    return this.ended;
  }
}

/** Starts a demo that ends with the test, however the test ends. */
export function startDemo(context: TestContext, args: readonly string[], env: NodeJS.ProcessEnv = process.env): DemoProcess {
  const demo = new DemoProcess(args, env);
  context.after(async () => {
    if (demo.isRunning()) await demo.end('SIGTERM');
  });
  return demo;
}

export interface Shown {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs command lines in a shell of its own, as somebody would who pastes them. */
export async function paste(lines: readonly string[]): Promise<Shown> {
  const child = spawn('/bin/sh', ['-c', lines.join(' && ')], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  await once(child, 'close');
  return { code: child.exitCode ?? -1, stdout, stderr };
}

/** Whether a process is there; one that ended and was not waited for yet is not. */
export function isAlive(pid: number): boolean {
  try {
    readlinkSync(`/proc/${pid}/exe`);
    return true;
  } catch {
    return false;
  }
}
