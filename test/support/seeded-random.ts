// Randomness that repeats: the same seed gives the same numbers, so a failing test fails again.
import type { Random } from '../../health/clock.ts';

/** The simulator's own: uniform numbers in [0, 1), good enough for jitter and choice, not for secrets. */
export { seededRandom } from '../../balancer/steer/simulate/seeded-random.ts';

/** Always the same number: the jitter of a test that wants none. */
export function fixedRandom(value: number): Random {
  return () => value;
}
