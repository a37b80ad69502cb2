// What the service manager (systemd) hears of this host: ready, alive, which process is the main one, ending. Node has no datagram sockets of the
// unix domain, so `systemd-notify` says it; the unit therefore needs NotifyAccess=all.
import { execFile } from 'node:child_process';
import type { Log } from './log.ts';

export interface SystemdOptions {
  /** NOTIFY_SOCKET: a path, or a name that begins with @ and is in no file system. */
  readonly socket: string;
  /** How often a sign of life is expected; 0: never. */
  readonly watchdogMs: number;
  readonly log: Log;
  /** By which it is told; absent: the one of the system. */
  readonly command?: string;
}

/** Set by systemd for the main process alone: the children must not answer in its place. */
const VARIABLES = ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID'] as const;
/** `systemd-notify` waits up to 5 s until systemd has read what it said. */
const TELL_DEADLINE_MS = 10_000;

export class Systemd {
  readonly watchdogMs: number;
  readonly #options: SystemdOptions;
  #turn: Promise<undefined> = Promise.resolve(undefined);
  #waiting = 0;
  #lastProblem = '';
  #missing = false;

  constructor(options: SystemdOptions) {
    this.#options = options;
    this.watchdogMs = options.watchdogMs;
  }

  /** For a successor, which answers in the place of this process. */
  get environment(): Readonly<Record<string, string>> {
    const { socket, watchdogMs } = this.#options;
    return { NOTIFY_SOCKET: socket, ...(watchdogMs === 0 ? {} : { WATCHDOG_USEC: String(watchdogMs * 1000) }) };
  }

  /**
   * The host serves, and `pid` is its main process. Settles when that has been heard: the process that was the main one before may end
   * only then, because with it the service would end.
   */
  ready(pid: number, status: string): Promise<undefined> {
    return this.#tell(['READY=1', `MAINPID=${pid}`, `STATUS=${status}`]);
  }

  /** A sign of life. One at a time: what is late by then is not made better by another. */
  alive(): void {
    if (this.#waiting === 0) void this.#tell(['WATCHDOG=1']);
  }

  /** The host ends, which may take this long. */
  stopping(withinMs: number): void {
    void this.#tell(['STOPPING=1', `EXTEND_TIMEOUT_USEC=${withinMs * 1000}`, 'STATUS=draining']);
  }

  /** In the order of the calls. Never rejects: a host serves whether it is heard or not. */
  #tell(assignments: readonly string[]): Promise<undefined> {
    this.#waiting += 1;
    this.#turn = this.#turn.then(async () => {
      const problem = await this.#say(assignments);
      this.#waiting -= 1;
      if (problem !== null && problem !== this.#lastProblem) this.#options.log.warn({ problem }, 'the service manager is not told');
      this.#lastProblem = problem ?? '';
      return undefined;
    });
    return this.#turn;
  }

  #say(assignments: readonly string[]): Promise<string | null> {
    if (this.#missing) return Promise.resolve(this.#lastProblem);
    const { socket, command = 'systemd-notify' } = this.#options;
    const { promise, resolve } = Promise.withResolvers<string | null>();
    const options = { timeout: TELL_DEADLINE_MS, killSignal: 'SIGKILL', env: { ...process.env, NOTIFY_SOCKET: socket } } as const;
    execFile(command, assignments, options, (error, _stdout, stderr) => {
      if (error === null) return resolve(null);
      this.#missing = error.code === 'ENOENT';
      if (!this.#missing) return resolve(`${command} ${assignments.join(' ')}: ${stderr.trim() || error.message}`);
      resolve(
        `there is no ${command}, by which weir tells systemd that it serves; a unit with Type=notify is ended when its start time-out is over. Install the package systemd, or write Type=exec and no WatchdogSec in the unit`,
      );
    });
    return promise;
  }
}

/**
 * Null: nobody has asked to be told. `succeeds`: this process takes the place of another one, so that WATCHDOG_PID may name that. Takes the
 * variables out of the environment.
 */
export function findSystemd(env: NodeJS.ProcessEnv, succeeds: boolean, log: Log): Systemd | null {
  const [socket = '', watchdog = '', watchdogPid = ''] = VARIABLES.map((name) => env[name]);
  for (const name of VARIABLES) Reflect.deleteProperty(env, name);
  if (socket === '') return null;
  const isMeant = succeeds || watchdogPid === '' || watchdogPid === String(process.pid);
  const watchdogMs = isMeant && /^[1-9]\d{0,14}$/.test(watchdog) ? Math.floor(Number(watchdog) / 1000) : 0;
  return new Systemd({ socket, watchdogMs, log });
}
