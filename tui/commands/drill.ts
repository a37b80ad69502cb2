// weir drill: a cluster is taken out on purpose, for a time, watched and graded. The controller drives it; the command may leave.
import type { DrillRequest, DrillView } from '../../balancer/controller/api/views.ts';
import { parsePercent } from '../change.ts';
import type { AdminClient } from '../client.ts';
import { DRILL_CLUSTER_COLUMNS, DRILL_COLUMNS, DRILL_SERVICE_COLUMNS } from '../columns.ts';
import type { CommandCall, CommandDefinition, OptionSpec } from '../command.ts';
import { CommandFailure, EXIT, type ExitCode } from '../exit.ts';
import * as text from '../format.ts';
import { isStructured, writeList } from '../output.ts';
import { plain, table } from '../table.ts';

const POLL_MS = 1000;

const DRILL_OPTIONS: readonly OptionSpec[] = [
  { flags: '--for <DURATION>', summary: 'how long; then the cluster comes back by itself (default 10m)' },
  { flags: '--abort-if <CONDITION...>', summary: "what ends it early: 'errors>0.1%' 'p95>300ms' 'p99>1.5x' (default 'errors>1%')" },
  { flags: '--wait', summary: 'stay until its grade (exit code 9 unless it is passed); the default on a terminal' },
  { flags: '--detach', summary: 'leave once it has begun' },
  { flags: '--reason <TEXT>', summary: 'why, for the audit' },
  { flags: '--break-glass', summary: 'overrule the safety rules of the config (the audit says which)' },
];

const NOTES = [
  'A drill begins in a healthy fleet, with room for what moves, and keeps the safety rules of the config. It ends by itself when its time is over, when a condition',
  'holds for any service, when requests find no place, or when another cluster goes down; the cluster then comes back in a ramp. Tunnels stay where they are.',
].join('\n');

const drainDefinition: CommandDefinition = {
  examples: ["weir drill drain eu-west --for 10m --abort-if 'errors>0.1%' 'p95>1.5x'"],
  notes: NOTES,
  arguments: [{ name: 'CLUSTER', summary: 'the cluster' }],
  options: DRILL_OPTIONS,
  run: (call) => begin(call, { cluster: call.values.argument(0), act: 'drain' }),
};

const dialDefinition: CommandDefinition = {
  examples: ['weir drill dial eu-west 50 --for 10m'],
  notes: NOTES,
  arguments: [
    { name: 'CLUSTER', summary: 'the cluster' },
    { name: 'PERCENT', summary: 'what it is dialled to' },
  ],
  options: DRILL_OPTIONS,
  run: (call) => begin(call, { cluster: call.values.argument(0), act: 'dial', percent: parsePercent(call.values.argument(1), 'the dial') }),
};

async function begin(call: CommandCall, what: Pick<DrillRequest, 'cluster' | 'act' | 'percent'>): Promise<ExitCode> {
  const { values, terminal } = call;
  if (values.flag('wait') && values.flag('detach'))
    throw new CommandFailure(EXIT.usage, '--wait stays and --detach leaves; say one of the two');
  const [reason, abortIf] = [values.text('reason'), values.texts('abortIf')];
  const client = await call.connect();
  const drill = await client.beginDrill({
    ...what,
    forMs: values.durationMs('for') ?? 600_000,
    ...(abortIf === null ? {} : { abortIf }),
    ...(reason === null ? {} : { reason }),
    ...(values.flag('breakGlass') ? { breakGlass: true } : {}),
  });
  if (!isStructured(call.format)) terminal.message(`drill ${drill.id} has begun; weir drill abort ${drill.id} ends it`);
  if (values.flag('wait') || (terminal.interactive && !values.flag('detach'))) return follow(call, client, String(drill.id));
  await show(call, client, String(drill.id));
  return EXIT.ok;
}

/** Until it has its grade. */
async function follow(call: CommandCall, client: AdminClient, id: string): Promise<ExitCode> {
  call.ifInterrupted(`drill ${id} goes on; weir drill show ${id} tells, weir drill abort ${id} ends it`);
  let told = '';
  while (!call.signal.aborted) {
    const [drill] = (await client.list<DrillView>('drills', { name: id })).items;
    if (drill === undefined) throw new CommandFailure(EXIT.notFound, `drill ${id} is not known any more`);
    if (drill.state !== 'running' && drill.state !== 'settling') {
      await show(call, client, id);
      return drill.state === 'passed' ? EXIT.ok : EXIT.gateFailed;
    }
    if (drill.state !== told && !isStructured(call.format)) call.terminal.message(`drill ${id} is ${drill.state}`);
    told = drill.state;
    await new Promise<void>((resolve) => void call.terminal.clock.after(POLL_MS, () => resolve()));
  }
  return EXIT.interrupted;
}

async function show(call: CommandCall, client: AdminClient, id: string): Promise<void> {
  const list = await client.list<DrillView>('drills', { name: id });
  await writeList(call, list, DRILL_COLUMNS);
  const [drill] = list.items;
  if (drill === undefined || isStructured(call.format)) return;
  const { color } = call.terminal;
  const lines = [
    `begun ${text.time(drill.begunAt)} by ${drill.by}, until ${text.time(drill.until)}; it ends early if ${drill.abortIf.join(', ')}`,
    ...drill.reasons.map((reason) => `- ${reason}`),
    `without a place: ${Math.round(drill.lostRequests)} requests; foretold ${text.rate(drill.lostRpsForetold.after)} requests/s`,
  ];
  const tables = [table(drill.services, DRILL_SERVICE_COLUMNS, color), table(drill.clusters, DRILL_CLUSTER_COLUMNS, color)];
  await call.terminal.data(`\n${[`${lines.map(plain).join('\n')}\n`, ...tables].filter((part) => part !== '').join('\n')}`);
}

const listDefinition: CommandDefinition = {
  examples: ['weir drill list', 'weir drill list -o json'],
  notes: 'The newest first; the last hundred are kept.',
  run: async (call) => {
    await writeList(call, await (await call.connect()).list<DrillView>('drills'), DRILL_COLUMNS);
    return EXIT.ok;
  },
};

const showDefinition: CommandDefinition = {
  examples: ['weir drill show 42', 'weir drill show 42 --wait'],
  arguments: [{ name: 'ID', summary: 'the drill, as weir drill list tells' }],
  options: [{ flags: '--wait', summary: 'stay until its grade (exit code 9 unless it is passed)' }],
  run: async (call) => {
    const client = await call.connect();
    const id = call.values.argument(0);
    if (call.values.flag('wait')) return follow(call, client, id);
    await show(call, client, id);
    return EXIT.ok;
  },
};

const abortDefinition: CommandDefinition = {
  examples: ['weir drill abort 42'],
  notes: 'The cluster comes back now, in a ramp.',
  arguments: [{ name: 'ID', summary: 'the drill, as weir drill list tells' }],
  run: async (call) => {
    const client = await call.connect();
    const { id } = await client.abortDrill(call.values.argument(0));
    await show(call, client, String(id));
    return EXIT.ok;
  },
};

export const drillCommand: CommandDefinition = {
  examples: ["weir drill drain eu-west --for 10m --abort-if 'errors>0.1%'", 'weir drill list', 'weir drill show 42'],
  subcommands: [
    { name: 'drain', summary: 'drain a cluster for a time', load: () => Promise.resolve(drainDefinition) },
    { name: 'dial', summary: 'dial a cluster down for a time', load: () => Promise.resolve(dialDefinition) },
    { name: 'list', summary: 'show drills and their grades', load: () => Promise.resolve(listDefinition) },
    { name: 'show', summary: 'show the report of one', load: () => Promise.resolve(showDefinition) },
    { name: 'abort', summary: 'end one that is under way', load: () => Promise.resolve(abortDefinition) },
  ],
};
