// Policy least-request: of two endpoints drawn at random, the one with fewer requests in flight.
import { Type } from '../../schema/type.ts';
import { Lots } from './lots.ts';
import type { BalanceDefinition } from './policy.ts';
import { pickOfTwo } from './pick-of-two.ts';

export const leastRequest: BalanceDefinition = {
  name: 'least-request',
  summary: 'The one of two random endpoints with fewer requests in flight.',
  schema: Type.Object({}, { additionalProperties: false }),
  create(random) {
    const lots = new Lots(random);
    return { pick: (candidates) => pickOfTwo(candidates, lots, (other, one) => other.inFlight < one.inFlight) };
  },
};
