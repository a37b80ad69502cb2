// weir canary: a version gets its share step by step, and loses it when a gate fails. The controller drives it; the command may leave.
import type { RolloutPlanView, RolloutView } from '../../balancer/controller/api/views.ts';
import { CHANGE_OPTIONS, makeChange, OVER_OPTION, overOf, parsePercent } from '../change.ts';
import { GATE_COLUMNS, ROLLOUT_COLUMNS } from '../columns.ts';
import type { CommandCall, CommandDefinition, CommandEntry, OptionSpec } from '../command.ts';
import { CommandFailure, EXIT, type ExitCode } from '../exit.ts';
import { followRollout } from '../following-rollout.ts';
import { isStructured, writeList } from '../output.ts';
import { table } from '../table.ts';
import type { CommandValues } from '../values.ts';

/** Millionths in a percent. */
const PER_PERCENT = 10_000;

export const FOLLOW_OPTIONS: readonly OptionSpec[] = [
  { flags: '--wait', summary: 'stay until the end (exit code 9 if it is rolled back); the default on a terminal' },
  { flags: '--detach', summary: 'leave once it has begun' },
];

export const GATE_OPTIONS: readonly OptionSpec[] = [
  {
    flags: '--gate <GATE...>',
    summary: "what has to hold: 'errors<1%' 'errors<3x' 'p95<1.2x' 'p99<300ms', or the name of one of the config",
  },
  { flags: '--min-requests <N>', summary: 'requests to the version that each step needs at least (default 100)' },
  { flags: '--on-fail <WHAT>', summary: 'what a failed gate does (default rollback)', choices: ['rollback', 'step-back', 'freeze'] },
];

const startCommand: CommandDefinition = {
  examples: [
    'weir canary start shop --to green',
    "weir canary start shop --to green --steps 1,5,25,50,100 --hold 3m --gate 'errors<1%' 'p95<1.2x'",
    'weir canary start shop --to green --waves eu-west,us-east',
    'weir canary start shop --to green --detach --reason "release 2.4"',
  ],
  notes: [
    'A step is left when it has lasted for --hold, has had --min-requests, and every gate passes. Too few requests to tell lengthen',
    'it; they neither pass nor fail. Gates are asked every second, paused or not. Errors of more than 5 times those of the other',
    "versions fail without being named ('errors<10x' names another factor), and so does half of the last 20 requests.",
    'Steps that end below 100 wait there for `weir canary promote`. What is not given is as services.SERVICE.rollout of the config says.',
  ].join('\n'),
  arguments: [{ name: 'SERVICE', summary: 'the service' }],
  options: [
    { flags: '--to <VERSION>', summary: 'the version that grows' },
    { flags: '--steps <PERCENTS>', summary: 'its share in each step (default 1,5,25,50,100)' },
    {
      flags: '--waves <CLUSTERS>',
      summary: 'clusters that take all steps one after the other: eu-west+eu-north,us-east; none: all at once',
    },
    { flags: '--hold <DURATION>', summary: 'how long a step lasts at least (default 1m)' },
    { ...OVER_OPTION, summary: 'each step comes little by little, over this time; its hold begins then' },
    ...GATE_OPTIONS,
    ...FOLLOW_OPTIONS,
    ...CHANGE_OPTIONS,
  ],
  run: (call) => {
    const steps = call.values.text('steps');
    const holdMs = call.values.durationMs('hold');
    const waves = call.values.text('waves');
    return startRollout(call, {
      ...(steps === null ? {} : { steps: steps.split(',').map((step) => Math.round(parsePercent(step.trim(), '--steps') * PER_PERCENT)) }),
      ...(holdMs === null ? {} : { holdMs: [holdMs] }),
      ...(waves === null ? {} : { waves: parseWaves(waves) }),
      ...overOf(call.values),
    });
  },
};

/** `eu-west+eu-north,us-east`; `none` where the config has waves and this rollout shall not. */
function parseWaves(written: string): readonly (readonly string[])[] {
  if (written === 'none') return [];
  const waves = written.split(',').map((wave) => wave.split('+').map((cluster) => cluster.trim()));
  if (waves.some((wave) => wave.includes('')))
    throw new CommandFailure(
      EXIT.usage,
      `--waves: expected clusters joined by + and waves by a comma, such as eu-west+eu-north,us-east, got ${JSON.stringify(written)}`,
    );
  return waves;
}

/** Begins a rollout with the gates of the options, and follows it where somebody watches. */
export async function startRollout(
  call: CommandCall,
  plan: Partial<RolloutPlanView> & { readonly overMs?: number },
  more: Parameters<typeof makeChange>[3] = {},
): Promise<ExitCode> {
  const { values } = call;
  const service = values.argument(0);
  const to = values.text('to');
  if (to === null) throw new CommandFailure(EXIT.usage, `say which version grows: --to VERSION; \`weir get services\` shows them`);
  if (values.flag('wait') && values.flag('detach'))
    throw new CommandFailure(EXIT.usage, '--wait stays and --detach leaves; say one of the two');
  const minRequests = values.number('minRequests', { min: 0, max: Number.MAX_SAFE_INTEGER, integer: true });
  const gates = values.texts('gate');
  const onFail = onFailOf(values);
  const client = await call.connect();
  const change = {
    kind: 'rollout_start' as const,
    ...{ service, to },
    ...plan,
    ...(minRequests === null ? {} : { minRequests }),
    ...(gates === null ? {} : { gates }),
    ...(onFail === null ? {} : { onFail }),
  };
  const begun = await makeChange(call, client, change, more);
  const stays = values.flag('wait') || (call.terminal.interactive && !values.flag('detach'));
  return begun === EXIT.ok && stays ? followRollout(call, client, service) : begun;
}

function onFailOf(values: CommandValues): RolloutPlanView['onFail'] | null {
  const word = values.text('onFail');
  return word === 'rollback' || word === 'step-back' || word === 'freeze' ? word : null;
}

const statusCommand: CommandDefinition = {
  examples: ['weir canary status', 'weir canary status shop', 'weir canary status shop --wait'],
  notes: 'Shows the newest rollout of each service, or of one with what its gates say now.',
  arguments: [{ name: 'SERVICE', summary: 'the service', optional: true }],
  options: [{ flags: '--wait', summary: 'follow it until its end (exit code 9 if it is rolled back)' }],
  run: async (call) => {
    const [name] = call.values.arguments;
    const client = await call.connect();
    if (call.values.flag('wait')) {
      if (name === undefined) throw new CommandFailure(EXIT.usage, 'say which rollout to follow: weir canary status SERVICE --wait');
      return followRollout(call, client, name);
    }
    const list = await client.list<RolloutView>('rollouts', name === undefined ? {} : { name });
    await writeList(call, list, ROLLOUT_COLUMNS);
    if (name === undefined || isStructured(call.format)) return EXIT.ok;
    const [rollout] = list.items;
    if (rollout !== undefined && rollout.gates.length > 0)
      await call.terminal.data(`\n${table(rollout.gates, GATE_COLUMNS, call.terminal.color)}`);
    if (rollout !== undefined && rollout.note !== '') await call.terminal.data(`\n${rollout.note}\n`);
    return EXIT.ok;
  },
};

/** One of the acts on a rollout that is under way. */
function act(action: 'pause' | 'resume' | 'promote' | 'abort', summary: string, notes: string): CommandEntry {
  const definition: CommandDefinition = {
    examples: [`weir canary ${action} shop`],
    notes,
    arguments: [{ name: 'SERVICE', summary: 'the service' }],
    options: CHANGE_OPTIONS,
    run: async (call) => makeChange(call, await call.connect(), { kind: 'rollout', service: call.values.argument(0), action }),
  };
  return { name: action, summary, load: () => Promise.resolve(definition) };
}

export const canaryCommand: CommandDefinition = {
  examples: [
    "weir canary start shop --to green --hold 3m --gate 'errors<1%' 'p95<1.2x'",
    'weir canary status shop',
    'weir canary pause shop',
    'weir canary abort shop --reason "wrong build"',
  ],
  subcommands: [
    { name: 'start', summary: 'begin a rollout of a version', load: () => Promise.resolve(startCommand) },
    { name: 'status', summary: 'show rollouts and what their gates say', load: () => Promise.resolve(statusCommand) },
    act('pause', 'stay at the present step', 'The gates go on: a version that turns bad is rolled back while the rollout is paused.'),
    act('resume', 'go on after a pause or a freeze', 'The present step begins anew, and what its gates have seen is forgotten.'),
    act('promote', 'give the version everything now', 'Whatever the gates say. `weir undo` goes back.'),
    act('abort', 'end the rollout and go back to the split before it', 'What `weir undo` does too, as long as nothing else was changed.'),
  ],
};
