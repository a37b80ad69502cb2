// A process of the demo: started with its output in a log file, told of when it ends, ended for certain.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';

/** A process that has not ended this long after SIGTERM is killed. */
const STOP_GRACE_MS = 6_000;
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
}

export interface DemoChild {
  readonly name: string;
  readonly pid: number;
  isRunning(): boolean;
  /** Settles when it has ended, with `exit code 1` or `SIGKILL`; never rejects. */
  readonly ended: Promise<string>;
  /** The end of what it wrote, for a failure message. */
  tail(): string;
  /** SIGTERM, then SIGKILL; settles when it is gone. */
  stop(): Promise<void>;
}

const isOver = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

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
  const ended = new Promise<string>((resolve) => child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code ?? 0}`)));
  await once(child, 'spawn');
  const { pid } = child;
  if (pid === undefined) throw new Error(`${setting.name} did not start`);
  return {
    name: setting.name,
    pid,
    isRunning: () => !isOver(child),
    ended,
    tail: () => tailOf(setting.logFile),
    stop: () => stop(child, ended),
  };
}
