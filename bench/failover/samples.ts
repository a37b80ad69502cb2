// What became of every request while a cluster was lost, and the figures of it.

/** When it was due (wall clock, ms), how long its answer took (ms), 1 for a complete 200. */
export type Sample = readonly [dueMs: number, tookMs: number, ok: 0 | 1];

export interface LossFigures {
  /** From the fault on. */
  readonly requests: number;
  readonly failed: number;
  /** Answered, and slower than `SLOW_MS`. */
  readonly slow: number;
  /** From the fault to when the last one that failed or was slow was due; 0: there was none. */
  readonly cleanAfterSeconds: number;
  /** Of all that were answered. */
  readonly slowestMs: number;
}

export const SLOW_MS = 500;

const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

/** Fails on anything else than samples. */
export function decodeSamples(text: string): readonly Sample[] {
  const value: unknown = JSON.parse(text);
  if (!Array.isArray(value)) throw new Error('the load generator wrote no samples');
  return value.map((one: unknown): Sample => {
    const parts: readonly unknown[] = Array.isArray(one) ? one : [];
    const [dueMs, tookMs, ok] = parts;
    if (!isNumber(dueMs) || !isNumber(tookMs)) throw new Error('the load generator wrote something else than samples');
    return [dueMs, tookMs, ok === 1 ? 1 : 0];
  });
}

/** Requests before `faultMs` count where their answer was still missing then. */
export function figuresOf(samples: readonly Sample[], faultMs: number): LossFigures {
  const counted = samples.filter(([dueMs, tookMs]) => dueMs + tookMs >= faultMs);
  const bad = counted.filter(([, tookMs, ok]) => ok === 0 || tookMs > SLOW_MS);
  const failed = counted.filter(([, , ok]) => ok === 0).length;
  const lastMs = bad.reduce((last, [dueMs]) => Math.max(last, dueMs), faultMs);
  return {
    requests: counted.length,
    failed,
    slow: bad.length - failed,
    cleanAfterSeconds: (lastMs - faultMs) / 1000,
    slowestMs: counted.reduce((most, [, tookMs, ok]) => (ok === 1 ? Math.max(most, tookMs) : most), 0),
  };
}
