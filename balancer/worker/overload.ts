// Overload of this process: its event loop is looked at ten times a second. While it has more work than time, clients are told to have fewer requests open
// (decision 0037), and if that is not enough requests are refused before anything is done for them, the lowest priority class first (decision 0021). Without overload a request costs one addition and one comparison.
import { performance } from 'node:perf_hooks';
import type { Clock, Timer } from '../../health/clock.ts';
import { PRIORITY_CLASSES, type PriorityClass } from '../config/config.ts';
import type { Counter, Meter } from '../telemetry/meter.ts';
import { AdmissionLimit, classIndex, type LoopLook } from './admission-limit.ts';
import { StreamLimit } from './stream-limit.ts';

const LOOK_MS = 100;
/** Between two tellings of a limit that stays: how many streams of a client are old changes. */
const TELL_LOOKS = 10;

interface Reading {
  readonly atMs: number;
  readonly turns: number;
  readonly idleMs: number;
  readonly arrived: number;
}

export class Overload {
  /** Requests that have come; counted by the pipeline. */
  arrived = 0;
  /** Part of the time in which the event loop had work, of the last tenth of a second. */
  utilisation = 0;
  #limit = new AdmissionLimit(0);
  #streamLimit = new StreamLimit(0);
  #toldLooks = 0;
  #tell: (streams: number) => void = () => undefined;
  #targetMs = 0;
  readonly #clock: Clock;
  readonly #refused: readonly Counter[];
  #last: Reading;
  #timer: Timer | null = null;
  #turnRuns = false;
  #turnEndedMs = 0;

  constructor(clock: Clock, meter: Meter) {
    this.#clock = clock;
    this.#refused = PRIORITY_CLASSES.map((one) => meter.counter('weir_shed_requests_total', [one]));
    this.#last = this.#read();
  }

  /** False: every request may begin, and nobody has to ask. */
  get active(): boolean {
    return this.#limit.active;
  }

  /** Streams that a new client may have open; Infinity: no limit. */
  get streams(): number {
    return this.#streamLimit.streams;
  }

  /** How long a turn may be in the mean; 0: any length, and nothing is refused. */
  setTarget(targetMs: number): void {
    if (targetMs === this.#targetMs) return;
    this.#targetMs = targetMs;
    this.#limit = new AdmissionLimit(targetMs);
    this.#streamLimit = new StreamLimit(targetMs);
    this.#tell(Infinity);
  }

  /** `tell`: makes a limit known to all clients. */
  start(tell: (streams: number) => void): void {
    this.#tell = tell;
    this.#last = this.#read();
    this.#next();
  }

  close(): void {
    this.#timer?.cancel();
  }

  /** Only while active: is the next request of this class one too many for this turn? */
  refuses(priorityClass: PriorityClass): boolean {
    if (!this.#turnRuns) {
      this.#turnRuns = true;
      setImmediate(this.#endTurn);
    }
    const index = classIndex(priorityClass);
    if (this.#limit.admits(index)) return false;
    this.#refused[index]?.add(1);
    return true;
  }

  readonly #endTurn = (): void => {
    this.#turnRuns = false;
    const nowMs = this.#clock.nowMs();
    this.#limit.endTurn(nowMs - this.#turnEndedMs);
    this.#turnEndedMs = nowMs;
  };

  #next(): void {
    this.#timer = this.#clock.after(
      LOOK_MS,
      () => {
        this.#look();
        this.#next();
      },
      true,
    );
  }

  #look(): void {
    const before = this.#last;
    const now = (this.#last = this.#read());
    const passedMs = now.atMs - before.atMs;
    const turns = Math.max(1, now.turns - before.turns);
    if (passedMs <= 0) return;
    const busyMs = Math.max(0, passedMs - (now.idleMs - before.idleMs));
    this.utilisation = busyMs / passedMs;
    const look = { turnMs: busyMs / turns, utilisation: this.utilisation, arrivedPerTurn: (now.arrived - before.arrived) / turns };
    this.#limit.look(look);
    this.#limitStreams(look);
  }

  #limitStreams(look: LoopLook): void {
    const before = this.#streamLimit.streams;
    this.#streamLimit.look(look);
    const now = this.#streamLimit.streams;
    this.#toldLooks += 1;
    if (now === before && (now === Infinity || this.#toldLooks < TELL_LOOKS)) return;
    this.#toldLooks = 0;
    this.#tell(now);
  }

  #read(): Reading {
    return {
      atMs: performance.now(),
      turns: performance.nodeTiming.uvMetricsInfo.loopCount,
      idleMs: performance.eventLoopUtilization().idle,
      arrived: this.arrived,
    };
  }
}
