// Durations, sizes and percentages as people write them → milliseconds, bytes and ratios.

/** The longest delay a timer can wait: 2^31 - 1 ms, about 24.8 days. */
export const MAX_DURATION_MS = 2_147_483_647;

const UNITS_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;
const UNITS_BYTES = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

export const DURATION_PATTERN = '^(0|[0-9]+(\\.[0-9]+)?(ms|s|m|h))$';
export const SIZE_PATTERN = '^[0-9]+(B|KiB|MiB|GiB)$';
export const PERCENT_PATTERN = '^[0-9]+(\\.[0-9]+)?%$';

/** `500ms`, `1.5s`, `5m`, `1h`, `0` → whole milliseconds; null: no duration, not a whole number of milliseconds, or too long. */
export function parseDuration(value: unknown): number | null {
  if (value === 0 || value === '0') return 0;
  const [, number, unit] = typeof value === 'string' ? (/^([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)$/.exec(value) ?? []) : [];
  if (number === undefined || !isKey(UNITS_MS, unit)) return null;
  const exact = Number(number) * UNITS_MS[unit];
  const rounded = Math.round(exact);
  // 1.1s is 1100.0000000000001 in binary; 0.5ms is a half for real.
  return Math.abs(exact - rounded) < 1e-6 && rounded <= MAX_DURATION_MS ? rounded : null;
}

/** `64KiB`, `10MiB`, `512B` → bytes. */
export function parseSize(value: unknown): number | null {
  const [, number, unit] = typeof value === 'string' ? (/^([0-9]+)(B|KiB|MiB|GiB)$/.exec(value) ?? []) : [];
  if (number === undefined || !isKey(UNITS_BYTES, unit)) return null;
  const bytes = Number(number) * UNITS_BYTES[unit];
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** `50%` → 0.5; at most `100%`. */
export function parsePercent(value: unknown): number | null {
  const number = typeof value === 'string' ? /^([0-9]+(?:\.[0-9]+)?)%$/.exec(value)?.[1] : undefined;
  if (number === undefined || Number(number) > 100) return null;
  return Number(number) / 100;
}

/** `p95` → 0.95; from p50 to p99. */
export function parsePercentile(value: unknown): number | null {
  const number = typeof value === 'string' ? /^p([5-9][0-9])$/.exec(value)?.[1] : undefined;
  return number === undefined ? null : Number(number) / 100;
}

/** For values the schema has checked. */
export const durationMs = (value: string | 0): number => checked(parseDuration(value), value);
export const sizeBytes = (value: string): number => checked(parseSize(value), value);
export const sizeBytesOrZero = (value: string | 0): number => (value === 0 || value === '0' ? 0 : checked(parseSize(value), value));
export const percentRatio = (value: string): number => checked(parsePercent(value), value);

function checked(result: number | null, value: string | 0): number {
  if (result === null) throw new Error(`"${value}" passed the schema and cannot be read`);
  return result;
}

function isKey<T extends object>(table: T, key: string | undefined): key is Extract<keyof T, string> {
  return key !== undefined && Object.hasOwn(table, key);
}
