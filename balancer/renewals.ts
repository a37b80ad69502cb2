// Renewals: the workers of the host are replaced one by one, or the whole program by a successor, while the host serves. One at a time. What became of
// the last one is told to the controller. docs/service.md describes both.
import type { Clock } from '../health/clock.ts';
import type { Renewal, RenewalOf } from './ipc-life-cycle.ts';
import type { Predecessor } from './predecessor.ts';
import type { ListeningSockets } from './listening-sockets.ts';
import type { Log } from './log.ts';
import { RollingRestart } from './rolling-restart.ts';
import type { Systemd } from './systemd.ts';
import { tell, type Slot } from './slot.ts';
import { Successor, type ProgramOnDisk } from './successor.ts';

export interface RenewalRequest {
  readonly id: string;
  readonly of: RenewalOf;
  readonly timeoutMs: number;
  /** Those that drain since renewals before are ended first. */
  readonly endDraining?: boolean;
}

export interface RenewalOptions {
  /** Of the program. */
  readonly version: string;
  /** Whose place this one has taken; null: nobody's. */
  readonly predecessor: Predecessor | null;
  /** Null: no successor can be started. */
  readonly onDisk: ProgramOnDisk | null;
  /** Whom a successor tells in the place of this one; null: nobody. */
  readonly systemd: Systemd | null;
  readonly clock: Clock;
  readonly log: Log;
}

/** The supervisor, as renewals see it. */
export interface Renewed {
  readonly controller: Slot;
  readonly sockets: ListeningSockets;
  /** All workers. */
  workers(): readonly Slot[];
  /** Those there should be. */
  staying(): readonly Slot[];
  addWorker(): Slot;
  leave(slot: Slot): void;
  startController(): void;
  /** A successor serves: nothing is left to do but to leave. */
  makeWay(): void;
  kill(): void;
}

/**
 * As many times the workers of the host may drain beside those that serve: each holds memory and connections for as long as `drainDeadline`, and quick
 * renewals, one after the other, would fill the machine with them. Two, so that an upgrade that was wrong can be taken back at once.
 */
const MOST_DRAINING = 2;

/** For the controller to store what it has and to close its sockets. */
const RELEASE_DEADLINE_MS = 3000;

export class Renewals {
  readonly #options: RenewalOptions;
  readonly #host: Renewed;
  #last: Renewal | null = null;
  #rolling: RollingRestart | null = null;
  #successor: Successor | null = null;
  /** The controller has nothing any more, or is on the way to it, and must not be replaced. */
  #released = false;
  #stopped = false;

  constructor(options: RenewalOptions, host: Renewed) {
    this.#options = options;
    this.#host = host;
  }

  begin({ id, of, timeoutMs, endDraining = false }: RenewalRequest): void {
    if (this.#last?.state === 'running') return;
    this.#options.log.info({ of, timeoutMs }, 'renewing');
    this.#set({ id, of, state: 'running', problem: null, version: this.#options.version });
    if (endDraining) this.#endDraining();
    else if (this.#draining() >= MOST_DRAINING * this.#host.staying().length) return this.#end(crowdedText(this.#draining()));
    if (of === 'workers') this.#replaceWorkers(timeoutMs);
    else this.#startSuccessor(id, timeoutMs);
  }

  /** This is the successor that another supervisor has started. */
  takesOver(id: string): void {
    this.#set({ id, of: 'program', state: 'running', problem: null, version: this.#options.version });
  }

  /** All of the host serves. */
  allReady(): void {
    if (this.#last?.of === 'program' && this.#last.state === 'running' && this.#successor === null) this.#end(null);
  }

  workerReady(slot: Slot): void {
    this.#rolling?.ready(slot);
  }

  /** Before it was ready, or because there should be fewer. */
  workerLost(slot: Slot, how: string): void {
    this.#rolling?.lost(slot, how);
  }

  controllerReady(): void {
    if (this.#last !== null) tell(this.#host.controller, { type: 'renewal', renewal: this.#last });
  }

  controllerReleased(): void {
    this.#host.controller.timer?.cancel();
    this.#successor?.released();
  }

  /** True: it is not to be replaced, a successor is taking its place. */
  controllerGone(): boolean {
    if (this.#released) this.#successor?.released();
    return this.#released;
  }

  /** The host ends. */
  stop(): void {
    this.#stopped = true;
    this.#successor?.giveUp('the host is stopping');
    this.#rolling?.giveUp('the host is stopping');
  }

  /** A process that drained is gone. */
  drainingChanged(): void {
    this.#successor?.draining(this.#draining());
  }

  #draining(): number {
    const own = this.#host.workers().filter(({ leaving, child }) => leaving && child !== null);
    return own.length + (this.#options.predecessor?.draining ?? 0);
  }

  #endDraining(): void {
    this.#options.log.warn({ draining: this.#draining() }, 'those that drain are ended');
    for (const slot of this.#host.workers()) if (slot.leaving) tell(slot, { type: 'drain', deadlineMs: 0 });
    this.#options.predecessor?.tell({ type: 'kill' });
  }

  #replaceWorkers(timeoutMs: number): void {
    const { sockets } = this.#host;
    const rolling = new RollingRestart({
      staying: () => this.#host.staying(),
      startHeir: (old) => {
        const heir = this.#host.addWorker();
        old.heir = heir;
        sockets.bequeath(old.name, heir.name);
        return heir;
      },
      dropHeir: (old, heir) => {
        old.heir = null;
        this.#host.leave(heir);
        sockets.bequeath(heir.name, old.name);
      },
      leave: (slot) => this.#host.leave(slot),
      onEnd: (problem) => {
        timer.cancel();
        this.#rolling = null;
        this.#end(problem);
      },
    });
    const timer = this.#options.clock.after(timeoutMs, () => rolling.giveUp(`not all were replaced within ${timeoutMs / 1000} s`));
    this.#rolling = rolling;
    rolling.start();
  }

  #startSuccessor(renewal: string, timeoutMs: number): void {
    const { onDisk, systemd, clock, log } = this.#options;
    const env = systemd?.environment ?? {};
    if (onDisk === null) return this.#end('it is not known how the program was started');
    const workers = (): readonly string[] => this.#host.workers().map(({ name }) => name);
    const sockets = () => this.#host.sockets.handOver();
    const successor = new Successor(
      { program: onDisk, env, renewal, timeoutMs, sockets, workers, clock, log },
      {
        release: () => this.#release(),
        onServing: (version) => {
          log.info({ version }, 'a successor serves');
          this.#host.makeWay();
          this.drainingChanged();
        },
        onFailed: (problem) => this.#goOn(problem),
        onKill: () => this.#host.kill(),
      },
    );
    this.#successor = successor;
    successor.start();
  }

  /** The process on its own; nothing of it is waited for any more. */
  letGo(): void {
    this.#successor?.letGo();
  }

  #release(): void {
    const { controller } = this.#host;
    this.#released = true;
    controller.timer?.cancel();
    if (controller.child === null) return this.controllerReleased();
    tell(controller, { type: 'release' });
    controller.timer = this.#options.clock.after(RELEASE_DEADLINE_MS, () => controller.child?.kill('SIGKILL'));
  }

  /** The successor is gone, and all is as before. */
  #goOn(problem: string): void {
    this.#options.log.error({ problem }, 'the successor has failed; going on without it');
    this.#successor = null;
    const { controller } = this.#host;
    const released = this.#released;
    this.#released = false;
    this.#end(problem);
    if (!released || this.#stopped) return;
    controller.timer?.cancel();
    controller.timer = null;
    if (controller.child === null) this.#host.startController();
    else tell(controller, { type: 'begin', before: [] });
  }

  #end(problem: string | null): void {
    if (this.#last !== null) this.#set({ ...this.#last, state: problem === null ? 'done' : 'failed', problem });
  }

  #set(renewal: Renewal): void {
    this.#last = renewal;
    tell(this.#host.controller, { type: 'renewal', renewal });
  }
}

function crowdedText(draining: number): string {
  return `${draining} workers of renewals before drain yet, and each has its memory and its connections: wait until they have gone, by \`drainDeadline\` at the latest (weir get workers), or cut off what they have with --end-draining`;
}
