// The supervisor: starts the controller and the workers, restarts them, ends them in order, and holds the sockets that workers accept from.
// It parses nobody's data, so it has no reason to crash. The only importer of node:cluster.
import { fork, type ChildProcess } from 'node:child_process';
import cluster from 'node:cluster';
import type { Socket } from 'node:net';
import type { Random, Timer } from '../health/clock.ts';
import { Heartbeats, type HeartbeatOptions } from './heartbeats.ts';
import { decodeChildMessage, type ChildMessage, type ScaleMessage, type SupervisorMessage } from './ipc-life-cycle.ts';
import type { TakeOver } from './ipc-succession.ts';
import { ListeningSockets } from './listening-sockets.ts';
import type { Predecessor } from './predecessor.ts';
import { Renewals } from './renewals.ts';
import { CONTROLLER, createSlot, freeName, tell, titleOf, type Slot } from './slot.ts';
import type { ProgramOnDisk } from './successor.ts';

export interface SupervisorOptions extends HeartbeatOptions {
  /** What every child runs; it reads its role from the environment: this, beside what the supervisor's own has. */
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
  readonly workers: number;
  readonly drainDeadlineMs: number;
  /** How long the host serves on when it is told to stop, and says that it goes. */
  readonly lameDuckMs: number;
  /** Of each child; null: as V8 has it. */
  readonly heapMiB: number | null;
  /** Of the program. */
  readonly version: string;
  /** How a successor is started; null: it cannot be. */
  readonly onDisk: ProgramOnDisk | null;
  /** Whose place this one takes; null: nobody's. */
  readonly predecessor: Predecessor | null;
  readonly random: Random;
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

/** A child that ran this long starts over with the shortest wait when it ends. */
const STABLE_MS = 10_000;
/** A child that has not ended this long after its deadline is killed. */
const KILL_GRACE_MS = 2000;
/** For the controller to store what it has and to close its sockets. */
const CONTROLLER_DEADLINE_MS = 3000;
/** So many ends before anything was ready are a host that cannot be started, not bad luck. */
const HOPELESS_STARTS = 3;

class ProcessSupervisor implements Supervisor {
  readonly ended: Promise<{ readonly problem: string | null }>;
  readonly #end: (end: { readonly problem: string | null }) => void;
  readonly #options: SupervisorOptions;
  readonly #controller: Slot;
  readonly #workers: Slot[] = [];
  readonly #sockets: ListeningSockets;
  readonly #renewals: Renewals;
  readonly #heartbeats: Heartbeats;
  #wanted: number;
  #drainDeadlineMs: number;
  #lameDuckMs: number;
  #everReady = false;
  #announced = false;
  /** A successor serves. */
  #replaced = false;
  #stopping = false;
  #lameDuck: Timer | null = null;
  #problem: string | null = null;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#wanted = options.workers;
    this.#drainDeadlineMs = options.drainDeadlineMs;
    this.#lameDuckMs = options.lameDuckMs;
    this.#controller = createSlot(CONTROLLER, options.random);
    this.#heartbeats = new Heartbeats(options, {
      controller: this.#controller,
      workers: () => this.#workers,
      isInCharge: () => this.#announced && !this.#replaced,
    });
    this.#sockets = new ListeningSockets((...told) => this.#tellWorker(...told), options.clock);
    this.#renewals = new Renewals(options, {
      controller: this.#controller,
      sockets: this.#sockets,
      workers: () => this.#workers,
      staying: () => this.#staying(),
      addWorker: () => this.#add(),
      leave: (slot) => this.#leave(slot, this.#drainDeadlineMs),
      startController: () => this.#run(this.#controller),
      makeWay: () => this.#makeWay(),
      kill: () => this.kill(),
    });
    const { promise, resolve } = Promise.withResolvers<{ readonly problem: string | null }>();
    this.ended = promise;
    this.#end = resolve;
  }

  start(): void {
    cluster.setupPrimary({ exec: this.#options.program, args: [], execArgv: execArgv(this.#options), stdio: STDIO });
    const { predecessor } = this.#options;
    this.#heartbeats.start();
    this.#run(this.#controller);
    if (predecessor === null) this.#adjust();
    else {
      predecessor.start({
        onTakeOver: (message) => this.#takeOver(message),
        onGiveUp: () => this.kill(),
        onDraining: () => this.#renewals.drainingChanged(),
        onGone: () => {
          tell(this.#controller, { type: 'alone' });
          this.#goOnStopping();
        },
      });
    }
  }

  reload(): void {
    if (this.#stopping) return;
    if (this.#controller.child === null) this.#options.log.warn({}, 'no controller to reload; the next one reads the file anyway');
    else tell(this.#controller, { type: 'reload' });
  }

  stop(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#renewals.stop();
    const lameDuckMs = this.#everReady ? this.#lameDuckMs : 0;
    this.#options.log.info({ lameDuckMs, drainDeadlineMs: this.#drainDeadlineMs }, 'stopping');
    this.#options.systemd?.stopping(lameDuckMs + this.#drainDeadlineMs + CONTROLLER_DEADLINE_MS + 2 * KILL_GRACE_MS);
    if (lameDuckMs === 0) return this.#leaveAll();
    for (const slot of this.#workers) tell(slot, { type: 'lame_duck' });
    this.#lameDuck = this.#options.clock.after(lameDuckMs, () => this.#leaveAll());
  }

  kill(): void {
    this.#stopping = true;
    this.#lameDuck?.cancel();
    this.#renewals.stop();
    if (this.#announced) this.#options.predecessor?.tell({ type: 'kill' });
    this.#sockets.close();
    for (const slot of [...this.#workers, this.#controller]) {
      slot.leaving = true;
      slot.timer?.cancel();
      slot.child?.kill('SIGKILL');
    }
    this.#goOnStopping();
  }

  #leaveAll(): void {
    // Before the workers: while the port is open here, clients connect and nobody accepts.
    this.#sockets.close();
    for (const slot of [...this.#workers]) this.#leave(slot, this.#drainDeadlineMs);
    this.#goOnStopping();
  }

  /** The workers there should be: neither on their way out nor about to be replaced. */
  #staying(): readonly Slot[] {
    return this.#workers.filter(({ leaving, heir }) => !leaving && heir === null);
  }

  /** Brings the number of workers to the wanted one. */
  #adjust(): void {
    const staying = this.#staying();
    for (const slot of staying.slice(this.#wanted)) {
      this.#leave(slot, this.#drainDeadlineMs);
      this.#renewals.workerLost(slot, 'it is not wanted any more');
    }
    for (let count = staying.length; count < this.#wanted; count += 1) this.#add();
  }

  #add(): Slot {
    const slot = createSlot(this.#freeName(), this.#options.random);
    this.#workers.push(slot);
    this.#run(slot);
    return slot;
  }

  #freeName(): string {
    const { predecessor } = this.#options;
    const before = predecessor === null || predecessor.gone ? [] : (predecessor.taken?.workers ?? []);
    return freeName([...this.#workers.map(({ name }) => name), ...before]);
  }

  #run(slot: Slot): void {
    slot.timer = null;
    slot.draining = false;
    this.#heartbeats.started(slot);
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
    if (slot !== this.#controller) return cluster.fork({ ...env, WEIR_ROLE: 'worker', WEIR_WORKER: slot.name, WEIR_CEASES: '1' }).process;
    // As long as there is somebody else whose workers serve, a controller begins when it is told so.
    const { predecessor } = this.#options;
    const standby = predecessor !== null && !predecessor.gone;
    return fork(this.#options.program, [], {
      execArgv: execArgv(this.#options),
      stdio: STDIO,
      env: { ...process.env, ...env, WEIR_ROLE: CONTROLLER, ...(standby ? { WEIR_STANDBY: '1' } : {}) },
    });
  }

  #receive(slot: Slot, message: ChildMessage): void {
    // Whatever it says: one that hangs right after it has said that it is ready must not have the time of one that still loads.
    this.#heartbeats.heard(slot);
    switch (message.type) {
      case 'ready':
        return this.#ready(slot);
      case 'standing_by':
        return this.#standsBy();
      case 'released':
        return this.#renewals.controllerReleased();
      case 'listen':
        if (!slot.draining) this.#sockets.listen(slot.name, message);
        return;
      case 'unlisten':
        return this.#sockets.unlisten(slot.name, message.address);
      case 'draining':
        return this.#acceptsNoMore(slot);
      case 'alive':
      case 'drained':
        return;
      case 'scale':
        return this.#scale(message);
      case 'renew':
        if (!this.#stopping) this.#renewals.begin(message);
        return;
      case 'failed':
        // Later on a failure is something to recover from; at the start it is the answer to the operator.
        if (!this.#everReady) this.#giveUp(message.problem);
    }
  }

  #scale({ workers, drainDeadlineMs, lameDuckMs, hangMs }: ScaleMessage): void {
    this.#wanted = workers;
    this.#drainDeadlineMs = drainDeadlineMs ?? this.#drainDeadlineMs;
    this.#lameDuckMs = lameDuckMs ?? this.#lameDuckMs;
    if (hangMs !== undefined) this.#heartbeats.setHangMs(hangMs);
    if (!this.#stopping) this.#adjust();
  }

  #ready(slot: Slot): void {
    slot.wasReady = true;
    if (slot === this.#controller) {
      this.#renewals.controllerReady();
      this.#heartbeats.controllerReady();
    } else {
      this.#sockets.closeUnwanted();
      this.#renewals.workerReady(slot);
    }
    this.#announce();
  }

  /** Its connections to come are for the other workers. */
  #acceptsNoMore(slot: Slot): void {
    slot.draining = true;
    this.#sockets.leave(slot.name);
  }

  #announce(): void {
    const { predecessor, log } = this.#options;
    // A successor has not made it until all of it serves: before that, the one before can still go on.
    if (predecessor === null) this.#everReady ||= this.#workers.some(({ wasReady }) => wasReady);
    if (this.#announced || this.#stopping || !this.#controller.wasReady) return;
    if (this.#workers.length === 0 || !this.#workers.every(({ wasReady }) => wasReady)) return;
    this.#announced = true;
    this.#everReady = true;
    const workers = this.#workers.length;
    log.info({ workers }, 'ready');
    const heard = this.#options.systemd?.ready(process.pid, `serving with ${workers} workers`) ?? Promise.resolve();
    // With the one before the service would end, as long as that is its main process.
    void heard.then(() => predecessor?.tell({ type: 'serving' }));
    this.#renewals.allReady();
  }

  #exited(slot: Slot, how: string): void {
    slot.child = null;
    slot.timer?.cancel();
    slot.timer = null;
    this.#acceptsNoMore(slot);
    if (slot.leaving || this.#stopping) {
      this.#forget(slot);
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
    if (slot === this.#controller && this.#renewals.controllerGone()) return;
    const waitMs = Math.round(slot.backOff.nextMs());
    log.error({ child: slot.name, how, waitMs, restarts: slot.restarts }, 'a child ended; it will be replaced');
    slot.timer = clock.after(waitMs, () => this.#run(slot));
    if (slot.restarts >= HOPELESS_STARTS && !slot.wasReady) this.#renewals.workerLost(slot, how);
  }

  /** Nobody comes into this place any more. */
  #forget(slot: Slot): void {
    const index = this.#workers.indexOf(slot);
    if (index === -1) return;
    this.#workers.splice(index, 1);
    this.#sockets.abandon(slot.name);
    this.#renewals.drainingChanged();
  }

  /** Asks the child of this place to end by the deadline, and sees to it that it does. */
  #leave(slot: Slot, deadlineMs: number): void {
    if (slot.leaving) return;
    slot.leaving = true;
    slot.timer?.cancel();
    slot.timer = null;
    if (slot.child === null) return this.#forget(slot);
    tell(slot, { type: 'drain', deadlineMs });
    this.#acceptsNoMore(slot);
    slot.timer = this.#options.clock.after(deadlineMs + KILL_GRACE_MS, () => {
      this.#options.log.warn({ child: slot.name, deadlineMs }, 'did not leave by its deadline and is killed');
      slot.child?.kill('SIGKILL');
    });
  }

  /** The controller leaves when no worker is left that could report to it. */
  #goOnStopping(): void {
    if (!this.#stopping || this.#workers.some(({ child }) => child !== null)) return;
    if (this.#controller.child !== null) {
      this.#leave(this.#controller, CONTROLLER_DEADLINE_MS);
      return;
    }
    this.#controller.leaving = true;
    this.#controller.timer?.cancel();
    const { predecessor } = this.#options;
    // The service manager ends what is left of a service when its main process has ended.
    if (this.#announced && predecessor !== null && !predecessor.gone) return;
    this.#heartbeats.close();
    this.#end({ problem: this.#problem });
  }

  #tellWorker(place: string, message: SupervisorMessage, socket: Socket | undefined): void {
    const slot = this.#workers.find(({ name }) => name === place);
    if (slot !== undefined) tell(slot, message, socket);
  }

  #giveUp(problem: string): void {
    if (this.#problem !== null) return;
    this.#problem = problem;
    this.kill();
  }

  /** A successor serves. */
  #makeWay(): void {
    this.#options.log.info({ drainDeadlineMs: this.#drainDeadlineMs }, 'leaving');
    this.#stopping = true;
    this.#replaced = true;
    this.#leaveAll();
    void this.ended.then(() => this.#renewals.letGo());
  }

  /** A controller of a successor waits: for the one before to make room, or, after it was restarted, for being told that it has. */
  #standsBy(): void {
    const { predecessor, version } = this.#options;
    if (predecessor?.taken === null) predecessor.tell({ type: 'prepared', version });
    else tell(this.#controller, { type: 'begin', before: predecessor?.taken.workers ?? [] });
  }

  #takeOver({ renewal, addresses, workers }: TakeOver): void {
    this.#options.log.info({ addresses: addresses.length, workers: workers.length }, 'taking over');
    this.#sockets.adopt(addresses);
    this.#renewals.takesOver(renewal);
    tell(this.#controller, { type: 'begin', before: workers });
  }
}

/** Nothing of a child's own on the inspector's signal; a child reads nothing from the terminal. */
const execArgv = ({ heapMiB }: Pick<SupervisorOptions, 'heapMiB'>): string[] => [
  '--disable-sigusr1',
  ...(heapMiB === null ? [] : [`--max-old-space-size=${heapMiB}`]),
];
const STDIO: ('ignore' | 'inherit' | 'ipc')[] = ['ignore', 'inherit', 'inherit', 'ipc'];
