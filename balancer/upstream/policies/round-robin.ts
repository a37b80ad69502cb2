// Policy round-robin: one after the other, starting at a random place so that workers do not march in step.
import { Type } from '../../schema/type.ts';
import type { BalanceDefinition } from './policy.ts';

export const roundRobin: BalanceDefinition = {
  name: 'round-robin',
  summary: 'One endpoint after the other.',
  schema: Type.Object({}, { additionalProperties: false }),
  create(random) {
    let next = Math.floor(random() * 0x4000_0000);
    return {
      pick(candidates) {
        next = (next + 1) & 0x3fff_ffff;
        return next % candidates.length;
      },
    };
  },
};
