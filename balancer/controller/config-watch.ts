// The first seconds of another config: whether workers end by it, while they take it over or soon after.
import type { Clock, Timer } from '../../health/clock.ts';
import { isRunning } from './is-running.ts';

/** Workers that end so soon after another config came into service, all of them, end by it. */
export const PROBATION_MS = 10_000;
/** A link is gone a moment before the process is. */
const LOOK_MS = 200;

interface Probation {
  /** Workers that have not ended since. */
  readonly left: Set<string>;
  readonly timer: Timer;
  readonly onCollapsed: () => void;
}

export class ConfigWatch {
  readonly #clock: Clock;
  #probation: Probation | null = null;
  /** Told of each worker that ends; null: nobody waits. */
  onEnded: ((worker: string) => void) | null = null;
  /** The fingerprint of the fleet's config that ended all workers here, and is not served again; null: there was none. */
  unfit: string | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `workers` have taken over another config. `onCollapsed`: all of them have ended since. */
  begin(workers: readonly string[], onCollapsed: () => void): void {
    this.end();
    if (workers.length === 0) return;
    const timer = this.#clock.after(PROBATION_MS, () => this.end(), true);
    this.#probation = { left: new Set(workers), timer, onCollapsed };
  }

  end(): void {
    this.#probation?.timer.cancel();
    this.#probation = null;
  }

  /** The link of a worker is gone that was not asked to leave. */
  lost(worker: string, pid: number): void {
    const look = (): void => {
      if (!isRunning(pid)) this.#ended(worker);
    };
    this.#clock.after(LOOK_MS, look, true);
  }

  #ended(worker: string): void {
    this.onEnded?.(worker);
    const probation = this.#probation;
    if (probation === null) return;
    probation.left.delete(worker);
    if (probation.left.size > 0) return;
    this.end();
    probation.onCollapsed();
  }
}
