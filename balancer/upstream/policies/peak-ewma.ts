// Policy peak-ewma: of two endpoints drawn at random, the one with the smaller latency × (requests in flight + 1).
import { Type } from '../../schema/type.ts';
import { Lots } from './lots.ts';
import type { BalanceDefinition } from './policy.ts';
import { pickOfTwo } from './pick-of-two.ts';

export const peakEwma: BalanceDefinition = {
  name: 'peak-ewma',
  summary: 'The better of two random endpoints by recent latency and requests in flight; a slow or failing one loses traffic at once.',
  schema: Type.Object({}, { additionalProperties: false }),
  create(random) {
    const lots = new Lots(random);
    return {
      pick: (candidates) =>
        pickOfTwo(candidates, lots, (other, one) => other.latencyMs * (other.inFlight + 1) < one.latencyMs * (one.inFlight + 1)),
    };
  },
};
