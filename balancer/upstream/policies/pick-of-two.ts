// The power of two choices: as good as looking at all, without every worker running to the same best endpoint.
import type { Lots } from './lots.ts';
import type { Candidate } from './policy.ts';

/** Index of the better of two different candidates drawn at random; the first drawn wins a tie, so ties spread evenly. */
export function pickOfTwo(candidates: readonly Candidate[], lots: Lots, isBetter: (other: Candidate, one: Candidate) => boolean): number {
  const count = candidates.length;
  if (count === 1) return 0;
  const first = lots.below(count);
  const second = (first + 1 + lots.below(count - 1)) % count;
  const one = candidates[first];
  const other = candidates[second];
  return one === undefined || (other !== undefined && isBetter(other, one)) ? second : first;
}
