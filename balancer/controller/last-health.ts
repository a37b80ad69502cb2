// The health that was last known, stored when it changed, at most once a second: a restarted controller begins with it, not with "everything is up".
import type { HealthState, HealthView } from '../steer/plan-shape.ts';
import type { Store } from '../store/store.ts';

const KEY = 'health';
const STATES: readonly unknown[] = ['unknown', 'up', 'degraded', 'down'] satisfies HealthState[];

export class LastHealth {
  readonly #store: Pick<Store, 'getValue' | 'putValue'>;
  #written: HealthView | null = null;

  constructor(store: Pick<Store, 'getValue' | 'putValue'>) {
    this.#store = store;
  }

  /** Null: none is stored, or it cannot be read. */
  read(): HealthView | null {
    const text = this.#store.getValue(KEY);
    if (text === null) return null;
    try {
      const value: unknown = JSON.parse(text);
      return isHealthView(value) ? value : null;
    } catch {
      return null;
    }
  }

  /** The prober makes a new view for every change, so the same object says the same. */
  write(view: HealthView): void {
    if (view === this.#written) return;
    this.#store.putValue(KEY, JSON.stringify(view));
    this.#written = view;
  }
}

function isHealthView(value: unknown): value is HealthView {
  if (!isRecord(value) || !isRecord(value['clusters']) || !Array.isArray(value['ejectedTargets'])) return false;
  if (!value['ejectedTargets'].every((target) => typeof target === 'string')) return false;
  return Object.values(value['clusters']).every(
    (cluster) =>
      isRecord(cluster) &&
      STATES.includes(cluster['state']) &&
      Array.isArray(cluster['endpoints']) &&
      cluster['endpoints'].every(isEndpoint),
  );
}

function isEndpoint(value: unknown): boolean {
  return isRecord(value) && typeof value['endpoint'] === 'string' && STATES.includes(value['state']);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
