// Policy random: every endpoint with the same probability.
import { Type } from '../../schema/type.ts';
import { Lots } from './lots.ts';
import type { BalanceDefinition } from './policy.ts';

export const uniformRandom: BalanceDefinition = {
  name: 'random',
  summary: 'A random endpoint.',
  schema: Type.Object({}, { additionalProperties: false }),
  create(random) {
    const lots = new Lots(random);
    return { pick: (candidates) => lots.below(candidates.length) };
  },
};
