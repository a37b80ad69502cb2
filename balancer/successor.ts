// The supervisor that is to take the place of this one: the program as it is on disk now, started beside it and given all that the host holds. Until it
// serves nothing is given up for good, so one that fails leaves everything as it was. docs/service.md tells the order.
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import type { Clock, Timer } from '../health/clock.ts';
import {
  decodeSuccessorMessage,
  SUCCESSION_PROTOCOL,
  SUCCESSION_VARIABLE,
  type PredecessorMessage,
  type SuccessorMessage,
} from './ipc-succession.ts';
import type { Bequest } from './listening-sockets.ts';
import type { Log } from './log.ts';

/** How the program on disk is started. */
export interface ProgramOnDisk {
  readonly command: string;
  /** Of an edge host like this one. */
  readonly serve: readonly string[];
  /** Ends with 0 when the program can be loaded and takes the config; otherwise it says why on stderr. */
  readonly check: readonly string[];
}

export interface SuccessorOptions {
  readonly program: ProgramOnDisk;
  /** For its environment, beside what this process has. */
  readonly env: Readonly<Record<string, string>>;
  readonly renewal: string;
  /** For all of it. */
  readonly timeoutMs: number;
  readonly sockets: () => Bequest;
  /** Names of the workers there are. */
  readonly workers: () => readonly string[];
  readonly clock: Clock;
  readonly log: Log;
}

export interface SuccessorHooks {
  /** Frees what only one may have: store, admin socket, addresses of the controller. `released()` says that it is done. */
  release(): void;
  /** It serves, with this version of the program. */
  onServing(version: string): void;
  /** It is gone, and what it had is free. */
  onFailed(problem: string): void;
  /** Ends at once what is left of this supervisor. */
  onKill(): void;
}

/** For one that failed to end its children. */
const GIVE_UP_MS = 3000;
/** Of what a program that cannot start says, its end. */
const SHOWN_CHARACTERS = 2000;
const CHANGED_MEANWHILE = 'the listeners have changed while it started; try again';

export class Successor {
  readonly #options: SuccessorOptions;
  readonly #hooks: SuccessorHooks;
  #child: ChildProcess | null = null;
  #timer: Timer | null = null;
  #bequest: Bequest | null = null;
  #version = '';
  #state: 'starting' | 'releasing' | 'taking' | 'serving' | 'failed' = 'starting';

  constructor(options: SuccessorOptions, hooks: SuccessorHooks) {
    this.#options = options;
    this.#hooks = hooks;
  }

  start(): void {
    const { program, clock, timeoutMs } = this.#options;
    this.#timer = clock.after(timeoutMs, () => this.giveUp(`it was not ready within ${timeoutMs / 1000} s`));
    const options = { timeout: timeoutMs, killSignal: 'SIGKILL' } as const;
    execFile(program.command, program.check, options, (error, stdout, stderr) => {
      if (this.#state !== 'starting') return;
      if (error === null) this.#spawn();
      else this.giveUp(`the program on disk cannot be started: ${lastOf(stderr) || lastOf(stdout) || error.message}`);
    });
  }

  /** What only one may have is free. */
  released(): void {
    if (this.#state !== 'releasing' || this.#bequest === null) return;
    // A worker may have asked for an address while the controller closed.
    if (!this.#hasAll()) return this.giveUp(CHANGED_MEANWHILE);
    this.#state = 'taking';
    const { renewal, workers } = this.#options;
    this.#tell({ type: 'take_over', renewal, addresses: this.#bequest.addresses, workers: workers() });
  }

  /** This supervisor goes on; the hooks hear of it when the other one is gone. */
  giveUp(problem: string): void {
    if (this.#state === 'serving' || this.#state === 'failed') return;
    this.#state = 'failed';
    this.#timer?.cancel();
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return this.#hooks.onFailed(problem);
    const timer = this.#options.clock.after(GIVE_UP_MS, () => child.kill('SIGKILL'));
    child.once('exit', () => {
      timer.cancel();
      this.#hooks.onFailed(problem);
    });
    this.#tell({ type: 'give_up' });
  }

  /** How many workers drain here. */
  draining(workers: number): void {
    this.#tell({ type: 'draining', workers });
  }

  /** It is on its own. */
  letGo(): void {
    this.#child?.unref();
    if (this.#child?.connected === true) this.#child.disconnect();
  }

  #spawn(): void {
    const { program, sockets, log } = this.#options;
    this.#bequest = sockets();
    const child = spawn(program.command, program.serve, {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...this.#bequest.sockets],
      env: { ...process.env, ...this.#options.env, [SUCCESSION_VARIABLE]: SUCCESSION_PROTOCOL },
    });
    this.#child = child;
    log.info({ pid: child.pid, command: program.command, args: program.serve }, 'a successor is started');
    child.on('message', (value: unknown) => {
      const message = decodeSuccessorMessage(value);
      if (message !== null) this.#receive(message);
    });
    // Without a process there is no exit to wait for.
    child.on('error', (error) => {
      if (child.pid === undefined) this.#child = null;
      this.giveUp(`it cannot be started: ${error.message}`);
    });
    child.once('exit', (code, signal) => {
      this.giveUp(`it ended before it was ready (${signal ?? `exit code ${code ?? 0}`}); the log of weir says why`);
    });
  }

  #receive(message: SuccessorMessage): void {
    switch (message.type) {
      case 'prepared':
        if (this.#state === 'starting') this.#prepared(message.version);
        return;
      case 'serving':
        if (this.#state !== 'taking') return;
        this.#state = 'serving';
        this.#timer?.cancel();
        this.#hooks.onServing(this.#version);
        return;
      case 'failed':
        return this.giveUp(message.problem);
      case 'kill':
        return this.#hooks.onKill();
    }
  }

  #prepared(version: string): void {
    if (!this.#hasAll()) return this.giveUp(CHANGED_MEANWHILE);
    this.#version = version;
    this.#state = 'releasing';
    this.#hooks.release();
  }

  /** Descriptors are given at the start: an address that came later would be missing there, and one that went would be kept. */
  #hasAll(): boolean {
    const given = this.#bequest?.sockets ?? [];
    const now = this.#options.sockets().sockets;
    return given.length === now.length && given.every((socket, index) => socket === now[index]);
  }

  #tell(message: PredecessorMessage): void {
    if (this.#child?.connected === true) this.#child.send(message, () => undefined);
  }
}

function lastOf(text: string): string {
  return text.trim().slice(-SHOWN_CHARACTERS);
}
