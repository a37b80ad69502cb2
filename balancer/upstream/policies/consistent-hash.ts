// Policy consistent-hash: a key stays at one endpoint while it is there and not busier than the others by more than a factor.
import { Type } from '../../schema/type.ts';
import { mix32 } from '../../message/key-hash.ts';
import type { BalanceDefinition } from './policy.ts';

/** Hashes are signed. */
const BELOW_ALL = -(2 ** 31) - 1;

/**
 * Rendezvous hashing: of all endpoints the one whose hash with the key is highest (Thaler and Ravishankar, 1998). It needs no table, an
 * endpoint that leaves takes along its own keys and no other, and those spread over all that stay. The bound on load is that of Mirrokni,
 * Thorup and Zadimoghaddam (2016): nobody has more than ceil(factor × mean) requests in flight, this one included.
 */
export const consistentHash: BalanceDefinition = {
  name: 'consistent-hash',
  summary: 'The same endpoint for the same key (`hash`), unless that one is busier than the others by more than a factor.',
  schema: Type.Object({}, { additionalProperties: false }),
  keyed: true,
  create: (_random, { factor }) => ({
    pick(candidates, key) {
      let inFlight = 1;
      for (let i = 0; i < candidates.length; i += 1) inFlight += candidates[i]?.inFlight ?? 0;
      const bound = Math.ceil((factor * inFlight) / candidates.length);
      let best = 0;
      let highest = BELOW_ALL;
      for (let i = 0; i < candidates.length; i += 1) {
        const candidate = candidates[i];
        if (candidate === undefined || candidate.inFlight >= bound) continue;
        const score = mix32(key ^ candidate.seed);
        if (score > highest) [best, highest] = [i, score];
      }
      return best;
    },
  }),
};
