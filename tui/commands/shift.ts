// weir shift: the split of a service, among its versions or among its clusters.
import { makeChange, parsePercents, timeOf, TIMED_OPTIONS } from '../change.ts';
import type { CommandDefinition } from '../command.ts';
import { CommandFailure, EXIT } from '../exit.ts';

export const shiftCommand: CommandDefinition = {
  examples: [
    'weir shift shop green=10 --dry-run',
    'weir shift shop green=10 --reason "canary of 2.4"',
    'weir shift shop blue=0 green=100',
    'weir shift shop green=50 --over 10m',
    'weir shift shop green=50 --for 30m',
    'weir shift shop --clusters eu-west=70 us-east=30',
    'weir shift shop green=0 --local --for 1h',
  ],
  notes: [
    'The versions named get these percentages (up to 4 decimals), the others share the rest in proportion to what they have.',
    'If the others all have 0, all versions must be named; percentages that name all must add up to 100.',
    '--clusters sets the weights of clusters in every version of the service that runs there, by the same rule.',
    '--over takes the share there in a straight line, from where it is now; another shift goes on from where it has come to.',
  ].join('\n'),
  arguments: [
    { name: 'SERVICE', summary: 'the service' },
    { name: 'VERSION=PERCENT', summary: 'what a version gets', optional: true, variadic: true },
  ],
  options: [{ flags: '--clusters <CLUSTER=PERCENT...>', summary: 'shift among clusters instead of versions' }, ...TIMED_OPTIONS],
  run: async (call) => {
    const [service = '', ...versions] = call.values.arguments;
    const clusters = call.values.texts('clusters');
    if (versions.length > 0 === (clusters !== null)) {
      throw new CommandFailure(
        EXIT.usage,
        'name versions (shop green=10) or clusters (shop --clusters eu-west=70 us-east=30), one of the two',
      );
    }
    const change =
      clusters === null
        ? { kind: 'shift' as const, service, percents: parsePercents(versions, 'VERSION'), ...timeOf(call.values) }
        : { kind: 'shift_clusters' as const, service, percents: parsePercents(clusters, 'CLUSTER'), ...timeOf(call.values) };
    return makeChange(call, await call.connect(), change);
  },
};
