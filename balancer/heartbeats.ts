// Signs of life. Each child gives one a second, and one that gives none for too long is killed, so that another comes in its place. As long as a worker
// is heard of, the supervisor gives a sign of its own to the service systemd.
import type { Clock, Timer } from '../health/clock.ts';
import type { SupervisorMessage } from './ipc-life-cycle.ts';
import type { Log } from './log.ts';
import type { Systemd } from './systemd.ts';
import { tell, type Slot } from './slot.ts';

export interface HeartbeatOptions {
  /** How long a child may be silent; 0: for ever. */
  readonly hangMs: number;
  /** Null: nobody is to be told. */
  readonly systemd: Systemd | null;
  readonly clock: Clock;
  readonly log: Log;
}

/** Whose children they are. */
export interface Household {
  readonly controller: Slot;
  workers(): readonly Slot[];
  /** Whether this supervisor serves in its own name: not before it is ready, and not after a successor has taken over. */
  isInCharge(): boolean;
}

/** How often children give a sign, and how often it is looked for them. */
export const BEAT_MS = 1000;
/** For a child that loads the program: nothing of it can be heard before. */
const FIRST_BEAT_MS = 60_000;
/**
 * A look that comes so much later than it should says that this process did not run itself: the machine stood still or was asleep. Signs that the
 * children gave meanwhile are not read yet, and perhaps they could give none, so their time begins anew.
 */
const LATE_MS = 1000;

export class Heartbeats {
  readonly #options: HeartbeatOptions;
  readonly #household: Household;
  /** What a controller is to be told that is not there yet. */
  readonly #untold: SupervisorMessage[] = [];
  #hangMs: number;
  #lookedMs = 0;
  #toldMs = -Infinity;
  #timer: Timer | null = null;

  constructor(options: HeartbeatOptions, household: Household) {
    this.#options = options;
    this.#household = household;
    this.#hangMs = options.hangMs;
  }

  /** How long a child may be silent from its next sign on; 0: for ever. */
  setHangMs(hangMs: number): void {
    this.#hangMs = hangMs;
  }

  start(): void {
    this.#lookedMs = this.#options.clock.nowMs();
    this.#next();
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** A process has started in this place. */
  started(slot: Slot): void {
    slot.startedAtMs = this.#options.clock.nowMs();
    slot.heardMs = null;
    slot.dueMs = this.#due(FIRST_BEAT_MS);
  }

  heard(slot: Slot): void {
    slot.heardMs = this.#options.clock.nowMs();
    slot.dueMs = this.#due(0);
  }

  controllerReady(): void {
    for (const message of this.#untold.splice(0)) tell(this.#household.controller, message);
  }

  #due(leastMs: number): number {
    return this.#hangMs === 0 ? Infinity : this.#options.clock.nowMs() + Math.max(leastMs, this.#hangMs);
  }

  #next(): void {
    this.#timer = this.#options.clock.after(BEAT_MS, () => {
      this.#look();
      this.#next();
    });
  }

  #look(): void {
    const nowMs = this.#options.clock.nowMs();
    const { controller } = this.#household;
    const workers = this.#household.workers();
    const running = [controller, ...workers].filter(({ child }) => child !== null);
    if (nowMs - this.#lookedMs > BEAT_MS + LATE_MS) for (const slot of running) slot.dueMs = Math.max(slot.dueMs, this.#due(0));
    this.#lookedMs = nowMs;
    if (workers.some(({ child, heardMs, dueMs }) => child !== null && heardMs !== null && nowMs <= dueMs)) this.#tellAlive(nowMs);
    for (const slot of running) if (nowMs > slot.dueMs && slot.child?.killed === false) this.#kill(slot, nowMs);
  }

  /** The controller has no say in it: workers serve without one, and starting all over would end what they serve. */
  #tellAlive(nowMs: number): void {
    const { systemd } = this.#options;
    if (systemd === null || systemd.watchdogMs === 0 || !this.#household.isInCharge()) return;
    // By two thirds of the time two signs were given.
    if (nowMs - this.#toldMs < systemd.watchdogMs / 3) return;
    this.#toldMs = nowMs;
    systemd.alive();
  }

  /** It cannot be asked for anything any more, so there is nothing to wait for. */
  #kill(slot: Slot, nowMs: number): void {
    const silentMs = Math.round(nowMs - (slot.heardMs ?? slot.startedAtMs));
    this.#options.log.error({ child: slot.name, silentMs }, 'its event loop hangs; it is killed and replaced');
    slot.child?.kill('SIGKILL');
    const message = { type: 'hung', child: slot.name, silentMs } as const;
    const { controller } = this.#household;
    if (slot === controller || controller.child === null) this.#untold.push(message);
    else tell(controller, message);
  }
}
