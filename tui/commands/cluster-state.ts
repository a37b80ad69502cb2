// weir drain, restore, maintenance: the admin state of a cluster.
import type { ChangeView, ClusterView } from '../../balancer/controller/api/views.ts';
import { askedTime } from '../asking-time.ts';
import { CHANGE_OPTIONS, makeChange, OVER_OPTION, timeOf, TIMED_OPTIONS } from '../change.ts';
import type { CommandDefinition, OptionSpec } from '../command.ts';
import { CommandFailure, EXIT } from '../exit.ts';
import type { CommandValues } from '../values.ts';
import { WAIT_TIMEOUT_MS, waitFor } from '../waiting.ts';

type AdminState = Extract<ChangeView, { kind: 'admin' }>['state'];

/** What `--wait` waits for, given the cluster. */
interface StateCommand {
  readonly state: AdminState;
  readonly condition: (cluster: string) => string;
  readonly waits: string;
  readonly notes: string;
}

const TUNNEL_OPTIONS: readonly OptionSpec[] = [
  { flags: '--deadline <DURATION>', summary: 'close the tunnels that are left after this time, one by one' },
  { flags: '--tunnels <WHAT>', summary: 'stay: never close them, whatever the config says; move: close them from now on' },
  { flags: '--tunnels-per-second <N>', summary: 'how fast (default: as the places that take them over can bear)' },
];

export const drainCommand = stateCommand('drain', {
  state: 'drain',
  condition: (cluster) => `empty:${cluster}`,
  waits: 'until nothing runs in the cluster any more',
  notes:
    'Nothing new goes to the cluster; what runs there may finish. Its share goes where each service says (onUnavailable). WebSockets and other tunnels stay until their ends close them, or until the deadline: then they are closed one by one. Without --for it is asked on a terminal whether the drain returns by itself.',
});

export const restoreCommand = stateCommand('restore', {
  state: 'active',
  condition: (cluster) => `health:${cluster}=up`,
  waits: 'until the cluster is up',
  notes: 'The cluster gets its share again, as far as its health allows.',
});

export const maintenanceCommand = stateCommand('maintenance', {
  state: 'maintenance',
  condition: (cluster) => `empty:${cluster}`,
  waits: 'until nothing runs in the cluster any more',
  notes: 'Nothing goes to the cluster, not even as a last resort, until `weir restore`.',
});

/** What is said of the tunnels; without a word the config has it. */
function tunnelsOf(values: CommandValues): Pick<Extract<ChangeView, { kind: 'admin' }>, 'tunnels'> {
  const [deadlineMs, what] = [values.durationMs('deadline'), values.text('tunnels')];
  const tunnelsPerSecond = values.number('tunnelsPerSecond', { min: 0.01, max: 100_000 });
  if (what !== null && what !== 'stay' && what !== 'move')
    throw new CommandFailure(EXIT.usage, `--tunnels: expected stay or move, got ${JSON.stringify(what)}`);
  if (what !== null && deadlineMs !== null)
    throw new CommandFailure(
      EXIT.usage,
      '--deadline says when tunnels are closed and --tunnels that they never are, or at once; say one of the two',
    );
  if (tunnelsPerSecond !== null && deadlineMs === null && what !== 'move')
    throw new CommandFailure(EXIT.usage, '--tunnels-per-second needs --deadline or --tunnels move: without one no tunnel is closed');
  if (what === 'stay') return { tunnels: { deadlineMs: null, tunnelsPerSecond: null } };
  return deadlineMs === null && what === null ? {} : { tunnels: { deadlineMs: deadlineMs ?? 0, tunnelsPerSecond } };
}

/** The deadline may be the command's or the config's: the appliance knows which holds. */
export function patienceMs(cluster: Pick<ClusterView, 'tunnelsCloseInSeconds'> | undefined): number {
  return WAIT_TIMEOUT_MS + (cluster?.tunnelsCloseInSeconds ?? 0) * 1000;
}

function stateCommand(verb: string, { state, condition, waits, notes }: StateCommand): CommandDefinition {
  return {
    examples: [
      `weir ${verb} eu-west --dry-run`,
      ...(state === 'active' ? [`weir ${verb} eu-west --over 10m`] : [`weir ${verb} eu-west --over 5m --for 2h`]),
      `weir ${verb} eu-west --reason "upgrade of the nodes" --wait`,
    ],
    notes,
    arguments: [{ name: 'CLUSTER', summary: 'the cluster' }],
    options: [
      { flags: '--wait', summary: `wait ${waits}` },
      {
        flags: '--timeout <DURATION>',
        summary: 'how long --wait waits (default 5m, behind the deadline, of the command or the config; exit code 8)',
      },
      ...(state === 'active' ? [OVER_OPTION, ...CHANGE_OPTIONS] : [...TUNNEL_OPTIONS, ...TIMED_OPTIONS]),
    ],
    run: async (call) => {
      const cluster = call.values.argument(0);
      const asked = call.values.durationMs('timeout');
      const tunnels = state === 'active' ? {} : tunnelsOf(call.values);
      const client = await call.connect();
      const time = state === 'drain' ? await askedTime(call) : timeOf(call.values);
      const exitCode = await makeChange(call, client, { kind: 'admin', cluster, state, ...time, ...tunnels });
      if (exitCode !== EXIT.ok || !call.values.flag('wait')) return exitCode;
      const timeoutMs = asked ?? patienceMs((await client.list<ClusterView>('clusters', { name: cluster })).items[0]);
      return waitFor(call, client, { condition: condition(cluster), timeoutMs, live: state !== 'active' });
    },
  };
}
