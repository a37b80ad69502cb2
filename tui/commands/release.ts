// weir release: ends the hold on a cluster that is up again after it was down.
import { CHANGE_OPTIONS, makeChange } from '../change.ts';
import type { CommandDefinition } from '../command.ts';

export const releaseCommand: CommandDefinition = {
  examples: ['weir release eu-west', 'weir release eu-west --reason "the disk was replaced"'],
  notes:
    'A cluster whose failback is manual waits for this after it was down; one that flapped need not wait any longer. Its share comes back in a ramp. Given while the cluster is down, it counts when it is up.',
  arguments: [{ name: 'CLUSTER', summary: 'the cluster' }],
  options: CHANGE_OPTIONS,
  run: async (call) => makeChange(call, await call.connect(), { kind: 'release', cluster: call.values.argument(0) }),
};
