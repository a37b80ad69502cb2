// Policy peak-ewma: of two endpoints drawn at random, the one with the smaller latency × (requests in flight + 1).
import { Type } from '@sinclair/typebox';
import type { BalanceDefinition, Candidate } from './policy.ts';
import { pickOfTwo } from './pick-of-two.ts';

const cost = (candidate: Candidate): number => candidate.latencyMs * (candidate.inFlight + 1);

export const peakEwma: BalanceDefinition = {
  name: 'peak-ewma',
  summary: 'The better of two random endpoints by recent latency and requests in flight; a slow or failing one loses traffic at once.',
  schema: Type.Object({}, { additionalProperties: false }),
  create: (random) => ({ pick: (candidates) => pickOfTwo(candidates, random, cost) }),
};
