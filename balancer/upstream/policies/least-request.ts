// Policy least-request: of two endpoints drawn at random, the one with fewer requests in flight.
import { Type } from '@sinclair/typebox';
import type { BalanceDefinition, Candidate } from './policy.ts';
import { pickOfTwo } from './pick-of-two.ts';

const cost = (candidate: Candidate): number => candidate.inFlight;

export const leastRequest: BalanceDefinition = {
  name: 'least-request',
  summary: 'The one of two random endpoints with fewer requests in flight.',
  schema: Type.Object({}, { additionalProperties: false }),
  create: (random) => ({ pick: (candidates) => pickOfTwo(candidates, random, cost) }),
};
