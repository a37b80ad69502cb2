// A process of the demo: started with its output in a log file, told of when it ends, ended for certain.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import type { Guard } from './guard.ts';

/** A process that has not ended this long after SIGTERM is killed; the balancer drains and waits for its own children within it. */
const STOP_GRACE_MS = 12_000;
/** How much of a log stands in a failure message, in lines. */
const TAIL_LINES = 15;

export interface ChildSetting {
  /** As messages name it. */
  readonly name: string;
  /** What Node runs. */
  readonly program: string;
  readonly args: readonly string[];
  /** Added to the environment; the way for a secret, which a process list would show among the arguments. */
  readonly env?: Readonly<Record<string, string>>;
  /** Takes stdout and stderr; appended to. */
  readonly logFile: string;
  /** Told of its start and end. */
  readonly guard: Guard;
}

export interface DemoChild {
  readonly name: string;
  readonly pid: number;
  isRunning(): boolean;
  /** Settles when it has ended, with `exit code 1` or `SIGKILL`, and all that it started itself has been killed; never rejects. */
  readonly ended: Promise<string>;
  /** The end of what it wrote, for a failure message. */
  tail(): string;
  /** SIGTERM, then SIGKILL; settles when it is gone. */
  stop(): Promise<void>;
}

const isOver = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

/** Kills what is left of the group that `pid` leads or led. */
export function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    const isEmpty = error instanceof Error && 'code' in error && error.code === 'ESRCH';
    if (!isEmpty) throw error;
  }
}

async function stop(child: ChildProcess, ended: Promise<string>): Promise<void> {
  if (isOver(child)) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
  await ended;
  clearTimeout(timer);
}

function tailOf(logFile: string): string {
  try {
    return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
  } catch {
    return '';
  }
}

/**
 * Starts a Node program of this checkout.
 * It is the leader of a process group of its own, so that Ctrl-C reaches the demo alone, which then ends all in order.
 */
export async function startChild(setting: ChildSetting): Promise<DemoChild> {
  const log = openSync(setting.logFile, 'a', 0o600);
  const child = spawn(process.execPath, [setting.program, ...setting.args], {
    stdio: ['ignore', log, log],
    env: { ...process.env, ...setting.env },
    detached: true,
  });
  closeSync(log);
  const exited = new Promise<string>((resolve) => child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code ?? 0}`)));
  await once(child, 'spawn');
  const { pid } = child;
  if (pid === undefined) throw new Error(`${setting.name} did not start`);
  setting.guard.started(pid);
  const ended = exited.then((how) => {
    // A balancer that was killed leaves its workers.
    killGroup(pid);
    setting.guard.ended(pid);
    return how;
  });
  return {
    name: setting.name,
    pid,
    isRunning: () => !isOver(child),
    ended,
    tail: () => tailOf(setting.logFile),
    stop: () => stop(child, ended),
  };
}
