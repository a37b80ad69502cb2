// Divides a whole number among weights so that nothing is lost to rounding.

/**
 * Largest remainder: every part is within 1 of `amount * weight / total`, the parts sum to exactly `amount`, weight 0 gets 0, and
 * among equal remainders the first wins. All parts are 0 when no weight is positive. `amount` is a whole number, weights are finite
 * and not negative.
 */
export function apportion(amount: number, weights: readonly number[]): readonly number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total <= 0 || amount <= 0) return weights.map(() => 0);
  const quotas = weights.map((weight) => (amount * weight) / total);
  const parts = quotas.map(Math.floor);
  let left = amount - parts.reduce((sum, part) => sum + part, 0);
  if (left === 0) return parts;
  const byRemainder = quotas
    .map((quota, index) => ({ index, remainder: quota - Math.floor(quota) }))
    .filter(({ index }) => (weights[index] ?? 0) > 0)
    .sort((a, b) => b.remainder - a.remainder);
  for (const { index } of byRemainder) {
    if (left <= 0) break;
    parts[index] = (parts[index] ?? 0) + 1;
    left -= 1;
  }
  return parts;
}
