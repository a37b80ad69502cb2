// How clusters were coming back, stored when it changed: a restarted controller goes on with holds, ramps and counts of relapses.
import type { Clock } from '../../health/clock.ts';
import type { FailbackMemory, FailbackState } from '../steer/failback.ts';
import type { ClusterMemory, PlanMemory } from '../steer/plan-input.ts';
import type { Store } from '../store/store.ts';

const KEY = 'failback';
const STATES: readonly unknown[] = ['in', 'out', 'held', 'waiting', 'ramping'] satisfies FailbackState[];
/** Times of a memory, which are kept as ages, since a monotonic clock means nothing to the next process; null: never. */
const TIMES = ['upSinceMs', 'returnedAtMs', 'steppedBackAtMs'] as const;
const COUNTS = ['relapses', 'holdMs', 'rampedMs', 'releases', 'returned'] as const;
/** A ramp is stored as often as this part of a minute passes in it. */
const RAMP_STEP_MS = 6000;

type Stored = Pick<FailbackMemory, 'state' | (typeof COUNTS)[number]> & Readonly<Record<(typeof TIMES)[number], number | null>>;

export class LastFailback {
  readonly #store: Pick<Store, 'getValue' | 'putValue'>;
  readonly #clock: Clock;
  #written = '';

  constructor(store: Pick<Store, 'getValue' | 'putValue'>, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** What a first plan is to remember; null: nothing is stored, or it cannot be read. */
  read(): PlanMemory | null {
    const text = this.#store.getValue(KEY);
    if (text === null) return null;
    try {
      const value: unknown = JSON.parse(text);
      return this.#decode(value);
    } catch {
      return null;
    }
  }

  /** Written when something other than time changed. */
  write(memory: PlanMemory): void {
    const nowMs = this.#clock.nowMs();
    const failbacks = Object.entries(memory.clusters).map(([name, { failback }]) => [name, failback] as const);
    const essence = JSON.stringify(
      failbacks.map(([name, { state, relapses, releases, returned, rampedMs }]) => [
        name,
        state,
        relapses,
        releases,
        returned,
        Math.floor(rampedMs / RAMP_STEP_MS),
      ]),
    );
    if (essence === this.#written) return;
    const clusters = Object.fromEntries(failbacks.map(([name, failback]) => [name, encode(failback, nowMs)]));
    this.#store.putValue(KEY, JSON.stringify({ wallMs: this.#clock.wallMs(), clusters }));
    this.#written = essence;
  }

  #decode(value: unknown): PlanMemory | null {
    if (!isRecord(value) || typeof value['wallMs'] !== 'number' || !isRecord(value['clusters'])) return null;
    // A wall clock that was set back must not make anything younger than it was.
    const awayMs = Math.max(0, this.#clock.wallMs() - value['wallMs']);
    const nowMs = this.#clock.nowMs();
    const clusters: Record<string, ClusterMemory> = {};
    for (const [name, stored] of Object.entries(value['clusters'])) {
      if (!isStored(stored)) return null;
      const timeOf = (key: (typeof TIMES)[number]): number => (stored[key] === null ? -Infinity : nowMs - awayMs - stored[key]);
      const { state, relapses, holdMs, rampedMs, releases, returned } = stored;
      const times = { upSinceMs: timeOf('upSinceMs'), returnedAtMs: timeOf('returnedAtMs'), steppedBackAtMs: timeOf('steppedBackAtMs') };
      clusters[name] = { failback: { state, relapses, holdMs, rampedMs, releases, returned, ...times }, capacity: null };
    }
    return { atMs: nowMs, clusters, errors: {}, slowness: {}, services: {} };
  }
}

function encode(failback: FailbackMemory, nowMs: number): Stored {
  const age = (timeMs: number): number | null => (Number.isFinite(timeMs) ? nowMs - timeMs : null);
  const { state, relapses, holdMs, rampedMs, releases, returned } = failback;
  const times = {
    upSinceMs: age(failback.upSinceMs),
    returnedAtMs: age(failback.returnedAtMs),
    steppedBackAtMs: age(failback.steppedBackAtMs),
  };
  return { state, relapses, holdMs, rampedMs, releases, returned, ...times };
}

function isStored(value: unknown): value is Stored {
  if (!isRecord(value) || !STATES.includes(value['state'])) return false;
  const isFigure = (figure: unknown): boolean => typeof figure === 'number' && Number.isFinite(figure);
  return COUNTS.every((key) => isFigure(value[key])) && TIMES.every((key) => value[key] === null || isFigure(value[key]));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
