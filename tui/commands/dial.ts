// weir dial: how much of its weight and capacity a cluster has in every service.
import { CHANGE_OPTIONS, makeChange, parsePercent } from '../change.ts';
import type { CommandDefinition } from '../command.ts';

export const dialCommand: CommandDefinition = {
  examples: ['weir dial eu-west 50 --dry-run', 'weir dial eu-west 100'],
  notes: 'The dial multiplies the weight and the capacity of the cluster in every service. 0 leaves it without traffic.',
  arguments: [
    { name: 'CLUSTER', summary: 'the cluster' },
    { name: 'PERCENT', summary: '0 to 100' },
  ],
  options: CHANGE_OPTIONS,
  run: async (call) => {
    const change = { kind: 'dial' as const, cluster: call.values.argument(0), percent: parsePercent(call.values.argument(1), 'PERCENT') };
    return makeChange(call, await call.connect(), change);
  },
};
