// The supervisor: starts the controller and the workers, restarts them, ends them in order, and holds the sockets that workers accept from.
// It parses nobody's data, so it has no reason to crash. The only importer of node:cluster.
import { fork, type ChildProcess } from 'node:child_process';
import cluster from 'node:cluster';
import type { Socket } from 'node:net';
import { BackOff } from '../health/back-off.ts';
import type { Clock, Random, Timer } from '../health/clock.ts';
import { decodeChildMessage, type ChildMessage, type SupervisorMessage } from './ipc.ts';
import { ListeningSockets } from './listening-sockets.ts';
import type { Log } from './log.ts';

export interface SupervisorOptions {
  /** What every child runs; it reads its role from the environment. */
  readonly program: string;
  /** Given to every child, beside what the supervisor's own environment has. */
  readonly env: Readonly<Record<string, string>>;
  readonly workers: number;
  readonly drainDeadlineMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface Supervisor {
  start(): void;
  /** The controller reads its config again. */
  reload(): void;
  /** Workers drain and leave, the controller after them. */
  stop(): void;
  /** Kills what is left, at once. */
  kill(): void;
  /** Settles when all children are gone. A problem: they could not be started, and why. */
  readonly ended: Promise<{ readonly problem: string | null }>;
}

export function createSupervisor(options: SupervisorOptions): Supervisor {
  return new ProcessSupervisor(options);
}

const RESTART = { baseMs: 100, maxMs: 30_000, jitter: 0.5 };
/** A child that ran this long starts over with the shortest wait when it ends. */
const STABLE_MS = 10_000;
/** A child that has not ended this long after its deadline is killed. */
const KILL_GRACE_MS = 2000;
/** For the controller to store what it has and to close its sockets. */
const CONTROLLER_DEADLINE_MS = 3000;
/** So many ends before anything was ready are a host that cannot be started, not bad luck. */
const HOPELESS_STARTS = 3;

const CONTROLLER = 'controller';

/** One place for a child: the process in it comes and goes. */
interface Slot {
  readonly name: string;
  readonly backOff: BackOff;
  child: ChildProcess | null;
  startedAtMs: number;
  restarts: number;
  wasReady: boolean;
  /** The child accepts no more connections. */
  draining: boolean;
  /** No other child comes into this place. */
  leaving: boolean;
  /** The next start, or the kill of a child that does not leave. */
  timer: Timer | null;
}

class ProcessSupervisor implements Supervisor {
  readonly ended: Promise<{ readonly problem: string | null }>;
  readonly #end: (end: { readonly problem: string | null }) => void;
  readonly #options: SupervisorOptions;
  readonly #controller: Slot;
  readonly #workers: Slot[] = [];
  readonly #sockets: ListeningSockets;
  #wanted: number;
  #drainDeadlineMs: number;
  #everReady = false;
  #announced = false;
  #stopping = false;
  #problem: string | null = null;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#wanted = options.workers;
    this.#drainDeadlineMs = options.drainDeadlineMs;
    this.#controller = this.#slot(CONTROLLER);
    this.#sockets = new ListeningSockets((place, message, socket) => this.#tellWorker(place, message, socket));
    const { promise, resolve } = Promise.withResolvers<{ readonly problem: string | null }>();
    this.ended = promise;
    this.#end = resolve;
  }

  start(): void {
    cluster.setupPrimary({ exec: this.#options.program, args: [], execArgv: EXEC_ARGV, stdio: STDIO });
    this.#run(this.#controller);
    this.#adjust();
  }

  reload(): void {
    if (this.#stopping) return;
    if (this.#controller.child === null) this.#options.log.warn({}, 'no controller to reload; the next one reads the file anyway');
    else tell(this.#controller.child, { type: 'reload' });
  }

  stop(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#options.log.info({ drainDeadlineMs: this.#drainDeadlineMs }, 'stopping');
    // Before the workers: while the port is open here, clients connect and nobody accepts.
    this.#sockets.close();
    for (const slot of [...this.#workers]) this.#leave(slot, this.#drainDeadlineMs);
    this.#goOnStopping();
  }

  kill(): void {
    this.#stopping = true;
    this.#sockets.close();
    for (const slot of [...this.#workers, this.#controller]) {
      slot.leaving = true;
      slot.timer?.cancel();
      slot.child?.kill('SIGKILL');
    }
    this.#goOnStopping();
  }

  #slot(name: string): Slot {
    const backOff = new BackOff(RESTART, this.#options.random);
    return { name, backOff, child: null, startedAtMs: 0, restarts: 0, wasReady: false, draining: false, leaving: false, timer: null };
  }

  /** Brings the number of workers to the wanted one. */
  #adjust(): void {
    const staying = this.#workers.filter((slot) => !slot.leaving);
    for (const slot of staying.slice(this.#wanted)) this.#leave(slot, this.#drainDeadlineMs);
    for (let count = staying.length; count < this.#wanted; count += 1) {
      const slot = this.#slot(this.#freeName());
      this.#workers.push(slot);
      this.#run(slot);
    }
  }

  /** The lowest number that is free: names label metrics, so there must not be ever more of them. */
  #freeName(): string {
    const taken = new Set(this.#workers.map(({ name }) => name));
    let number = 1;
    while (taken.has(`w${number}`)) number += 1;
    return `w${number}`;
  }

  #run(slot: Slot): void {
    slot.timer = null;
    slot.draining = false;
    slot.startedAtMs = this.#options.clock.nowMs();
    const child = this.#spawn(slot);
    slot.child = child;
    child.on('message', (value: unknown) => {
      const message = decodeChildMessage(value);
      // What one said that is gone is read after its end, when another may be in its place.
      if (message !== null && slot.child === child) this.#receive(slot, message);
    });
    // A child that cannot be signalled or spawned: its exit is what counts.
    child.on('error', (error) => this.#options.log.warn({ child: slot.name, problem: error.message }, 'child process error'));
    child.once('exit', (code, signal) => this.#exited(slot, signal ?? `exit code ${code ?? 0}`));
  }

  #spawn(slot: Slot): ChildProcess {
    const env = { ...this.#options.env, WEIR_RESTARTS: String(slot.restarts) };
    if (slot !== this.#controller) return cluster.fork({ ...env, WEIR_ROLE: 'worker', WEIR_WORKER: slot.name }).process;
    return fork(this.#options.program, [], {
      execArgv: EXEC_ARGV,
      stdio: STDIO,
      env: { ...process.env, ...env, WEIR_ROLE: CONTROLLER },
    });
  }

  #receive(slot: Slot, message: ChildMessage): void {
    switch (message.type) {
      case 'ready':
        slot.wasReady = true;
        if (slot !== this.#controller) this.#sockets.closeUnwanted();
        this.#announce();
        return;
      case 'listen':
        if (!slot.draining) this.#sockets.listen(slot.name, message);
        return;
      case 'unlisten':
        this.#sockets.unlisten(slot.name, message.address);
        return;
      case 'draining':
        this.#acceptsNoMore(slot);
        return;
      case 'drained':
        return;
      case 'scale':
        this.#wanted = message.workers;
        this.#drainDeadlineMs = message.drainDeadlineMs ?? this.#drainDeadlineMs;
        if (!this.#stopping) this.#adjust();
        return;
      case 'failed':
        // Later on a failure is something to recover from; at the start it is the answer to the operator.
        if (!this.#everReady) this.#giveUp(message.problem);
    }
  }

  /** Its connections to come are for the other workers. */
  #acceptsNoMore(slot: Slot): void {
    slot.draining = true;
    this.#sockets.leave(slot.name);
  }

  #announce(): void {
    this.#everReady ||= this.#workers.some(({ wasReady }) => wasReady);
    if (this.#announced || this.#stopping || !this.#controller.wasReady || !this.#workers.every(({ wasReady }) => wasReady)) return;
    this.#announced = true;
    this.#options.log.info({ workers: this.#workers.length }, 'ready');
  }

  #exited(slot: Slot, how: string): void {
    slot.child = null;
    slot.timer?.cancel();
    slot.timer = null;
    this.#acceptsNoMore(slot);
    if (slot.leaving || this.#stopping) {
      const index = this.#workers.indexOf(slot);
      if (index !== -1) this.#workers.splice(index, 1);
      if (this.#stopping) this.#goOnStopping();
      return;
    }
    const { clock, log } = this.#options;
    if (clock.nowMs() - slot.startedAtMs >= STABLE_MS) slot.backOff.reset();
    slot.restarts += 1;
    if (!this.#everReady && slot.restarts >= HOPELESS_STARTS) {
      this.#giveUp(`the ${titleOf(slot)} ended ${slot.restarts} times before it was ready (${how}); the lines above say why`);
      return;
    }
    const waitMs = Math.round(slot.backOff.nextMs());
    log.error({ child: slot.name, how, waitMs, restarts: slot.restarts }, 'a child ended; it will be replaced');
    slot.timer = clock.after(waitMs, () => this.#run(slot));
  }

  /** Asks the child of this place to end by the deadline, and sees to it that it does. */
  #leave(slot: Slot, deadlineMs: number): void {
    if (slot.leaving) return;
    slot.leaving = true;
    slot.timer?.cancel();
    slot.timer = null;
    if (slot.child === null) {
      const index = this.#workers.indexOf(slot);
      if (index !== -1) this.#workers.splice(index, 1);
      return;
    }
    tell(slot.child, { type: 'drain', deadlineMs });
    this.#acceptsNoMore(slot);
    slot.timer = this.#options.clock.after(deadlineMs + KILL_GRACE_MS, () => {
      this.#options.log.warn({ child: slot.name, deadlineMs }, 'did not leave by its deadline and is killed');
      slot.child?.kill('SIGKILL');
    });
  }

  /** The controller leaves when no worker is left that could report to it. */
  #goOnStopping(): void {
    if (this.#workers.some(({ child }) => child !== null)) return;
    if (this.#controller.child !== null) {
      this.#leave(this.#controller, CONTROLLER_DEADLINE_MS);
      return;
    }
    this.#controller.leaving = true;
    this.#controller.timer?.cancel();
    this.#end({ problem: this.#problem });
  }

  #tellWorker(place: string, message: SupervisorMessage, socket: Socket | undefined): void {
    const child = this.#workers.find(({ name }) => name === place)?.child ?? null;
    if (child !== null) tell(child, message, socket);
  }

  #giveUp(problem: string): void {
    if (this.#problem !== null) return;
    this.#problem = problem;
    this.kill();
  }
}

/** Nothing of a child's own on the inspector's signal; a child reads nothing from the terminal. */
const EXEC_ARGV = ['--disable-sigusr1'];
const STDIO: ('ignore' | 'inherit' | 'ipc')[] = ['ignore', 'inherit', 'inherit', 'ipc'];

function titleOf(slot: Slot): string {
  return slot.name === CONTROLLER ? CONTROLLER : `worker ${slot.name}`;
}

/** A child whose channel is closed is on its way out; its exit will be seen. */
function tell(child: ChildProcess, message: SupervisorMessage, socket?: Socket): void {
  if (child.connected) child.send(message, socket, { keepOpen: true }, () => undefined);
}
