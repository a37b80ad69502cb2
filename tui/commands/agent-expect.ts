// weir agent expect: tells the agent of a cluster what traffic will come, so that pods are there when it does.
import { AGENT_COLUMNS } from '../columns.ts';
import type { CommandDefinition } from '../command.ts';
import { EXIT } from '../exit.ts';
import { writeList } from '../output.ts';
import { parseNumber } from '../values.ts';

const FOR_MS = 15 * 60_000;

export const agentExpectCommand: CommandDefinition = {
  examples: ['weir agent expect eu-west shop 1800 --in 2m --for 15m', 'weir agent expect eu-west shop 0'],
  notes: [
    'The agent raises the minimum of the autoscaler of the service, where it was started with --prescale and its role allows it, and puts it',
    'back when the time is over, when it is told 0, or when the cluster is drained. What became of it is in `weir describe agent CLUSTER`.',
  ].join('\n'),
  arguments: [
    { name: 'CLUSTER', summary: 'where it will come' },
    { name: 'SERVICE', summary: 'of which service' },
    { name: 'RPS', summary: 'requests per second of the whole cluster; 0: nothing more than usual' },
  ],
  options: [
    { flags: '--in <DURATION>', summary: 'when it comes (default now)' },
    { flags: '--for <DURATION>', summary: 'how long it stays, from then on (default 15m)' },
  ],
  run: async (call) => {
    const { values } = call;
    const rps = parseNumber(values.argument(2), 'RPS', { min: 0, max: 1_000_000_000 });
    const client = await call.connect();
    const [cluster, service] = [values.argument(0), values.argument(1)];
    const inMs = Math.round(values.durationMs('in') ?? 0);
    const list = await client.expect({ cluster, service, rps, inMs, forMs: Math.round(values.durationMs('for') ?? FOR_MS) });
    await writeList(call, list, AGENT_COLUMNS);
    const agent = list.items[0];
    if (agent?.state !== 'fresh')
      call.terminal.message(`the agent of ${cluster} is ${agent?.state ?? 'absent'}; it is told when it is back`);
    return EXIT.ok;
  },
};
