// Quantities as Kubernetes writes them: `250m`, `1Gi`, `1.5`, `2e3`, `128974848`.

const SUFFIXES: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** `<signed number><suffix>` or with a decimal exponent (`2e3`, `2E3`); a bare `E` is exa. */
const QUANTITY = /^([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?:[eE]([+-]?[0-9]+)|([numkMGTPE]|[KMGTPE]i)?)$/;

/** In its base unit (cores, bytes, things). Null: that is no quantity, or less than nothing. */
export function parseQuantity(value: unknown): number | null {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value : null;
  const [, digits, exponent, suffix = ''] = typeof value === 'string' ? (QUANTITY.exec(value) ?? []) : [];
  if (digits === undefined) return null;
  const scale = exponent === undefined ? (SUFFIXES[suffix] ?? NaN) : 10 ** Number(exponent);
  const amount = Number(digits) * scale;
  return Number.isFinite(amount) && amount >= 0 ? amount : null;
}

/** As above; 0 where there is none. */
export function quantityOf(value: unknown): number {
  return parseQuantity(value) ?? 0;
}
