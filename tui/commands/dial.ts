// weir dial: how much of its weight and capacity a cluster has in every service.
import { askedTime } from '../asking-time.ts';
import { makeChange, parsePercent, timeOf, TIMED_OPTIONS } from '../change.ts';
import type { CommandDefinition } from '../command.ts';

export const dialCommand: CommandDefinition = {
  examples: ['weir dial eu-west 50 --dry-run', 'weir dial eu-west 50 --over 10m', 'weir dial eu-west 50 --for 2h', 'weir dial eu-west 100'],
  notes:
    'The dial multiplies the weight and the capacity of the cluster in every service. 0 leaves it without traffic. Without --for it is asked on a terminal whether it returns by itself.',
  arguments: [
    { name: 'CLUSTER', summary: 'the cluster' },
    { name: 'PERCENT', summary: '0 to 100' },
  ],
  options: TIMED_OPTIONS,
  run: async (call) => {
    const { values } = call;
    const percent = parsePercent(values.argument(1), 'PERCENT');
    // A dial to 100 leaves nothing to return from.
    const time = percent < 100 ? await askedTime(call) : timeOf(values);
    const change = { kind: 'dial' as const, cluster: values.argument(0), percent, ...time };
    return makeChange(call, await call.connect(), change);
  },
};
