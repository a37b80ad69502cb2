// Divides a whole number among weights so that nothing is lost to rounding.

/**
 * Largest remainder: every part is within 1 of `amount * weight / total`, the parts sum to exactly `amount`, weight 0 gets 0, and
 * among equal remainders the first wins. All parts are 0 when no weight is positive. `amount` is a whole number, weights are finite
 * and not negative.
 */
export function apportion(amount: number, weights: readonly number[]): readonly number[] {
  let total = 0;
  for (const weight of weights) total += weight;
  if (total <= 0 || amount <= 0) return weights.map(() => 0);
  const quotas = weights.map((weight) => (amount * weight) / total);
  const parts = quotas.map(Math.floor);
  let left = amount;
  for (const part of parts) left -= part;
  if (left === 0) return parts;
  const remainder = (index: number): number => (quotas[index] ?? 0) - Math.floor(quotas[index] ?? 0);
  const order: number[] = [];
  for (const [index, weight] of weights.entries()) if (weight > 0) order.push(index);
  order.sort((a, b) => remainder(b) - remainder(a));
  for (const index of order) {
    if (left <= 0) break;
    parts[index] = (parts[index] ?? 0) + 1;
    left -= 1;
  }
  return parts;
}
