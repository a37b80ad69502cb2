// The power of two choices: as good as looking at all, without every worker running to the same best endpoint.
import type { Random } from '../../../health/clock.ts';
import type { Candidate } from './policy.ts';

/** Index of the cheaper of two different candidates drawn at random; the first drawn wins a tie, so ties spread evenly. */
export function pickOfTwo(candidates: readonly Candidate[], random: Random, cost: (candidate: Candidate) => number): number {
  const count = candidates.length;
  if (count === 1) return 0;
  const first = Math.floor(random() * count);
  const second = (first + 1 + Math.floor(random() * (count - 1))) % count;
  const one = candidates[first];
  const other = candidates[second];
  return one === undefined || (other !== undefined && cost(other) < cost(one)) ? second : first;
}
