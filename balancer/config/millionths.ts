// Weights of any total → integers that sum to exactly a million.
import { MILLION } from './config.ts';

/**
 * Rounds by largest remainder: every result is within 1 of `weight / total * 1e6`, and ties go to the name that comes first.
 * Weight 0 gets exactly 0. All results are 0 when no weight is positive. Weights are finite and not negative.
 */
export function toMillionths(weights: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  // Relative to the largest weight: sums of huge weights stay finite, tiny ones keep their digits.
  const largest = Math.max(0, ...Object.values(weights));
  if (largest === 0) return Object.fromEntries(Object.keys(weights).map((name) => [name, 0]));
  const scaled = Object.entries(weights).map(([name, weight]) => ({ name, weight: largest > 1e9 ? weight / largest : weight }));
  const total = scaled.reduce((sum, { weight }) => sum + weight, 0);
  const parts = scaled.map(({ name, weight }) => {
    const quota = Math.min(MILLION, (weight * MILLION) / total);
    const whole = Math.floor(quota);
    return { name, whole, remainder: quota - whole };
  });
  let left = MILLION - parts.reduce((sum, { whole }) => sum + whole, 0);
  // Sorting is stable, so equal remainders keep the order of the names.
  for (const part of [...parts].sort((a, b) => b.remainder - a.remainder)) {
    if (left <= 0) break;
    part.whole += 1;
    left -= 1;
  }
  return Object.fromEntries(parts.map(({ name, whole }) => [name, whole]));
}
