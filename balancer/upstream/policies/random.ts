// Policy random: every endpoint with the same probability.
import { Type } from '@sinclair/typebox';
import type { BalanceDefinition } from './policy.ts';

export const uniformRandom: BalanceDefinition = {
  name: 'random',
  summary: 'A random endpoint.',
  schema: Type.Object({}, { additionalProperties: false }),
  create: (random) => ({ pick: (candidates) => Math.floor(random() * candidates.length) }),
};
