// weir drain, restore, maintenance: the admin state of a cluster.
import type { ChangeView } from '../../balancer/controller/api/views.ts';
import { CHANGE_OPTIONS, makeChange, timeOf, TIMED_OPTIONS } from '../change.ts';
import type { CommandDefinition } from '../command.ts';
import { EXIT } from '../exit.ts';
import { WAIT_TIMEOUT_MS, waitFor } from '../waiting.ts';

type AdminState = Extract<ChangeView, { kind: 'admin' }>['state'];

/** What `--wait` waits for, given the cluster. */
interface StateCommand {
  readonly state: AdminState;
  readonly condition: (cluster: string) => string;
  readonly waits: string;
  readonly notes: string;
}

export const drainCommand = stateCommand('drain', {
  state: 'drain',
  condition: (cluster) => `idle:${cluster}`,
  waits: 'until nothing reaches the cluster any more',
  notes: 'Nothing new goes to the cluster; what runs there may finish. Its share goes where each service says (onUnavailable).',
});

export const restoreCommand = stateCommand('restore', {
  state: 'active',
  condition: (cluster) => `health:${cluster}=up`,
  waits: 'until the cluster is up',
  notes: 'The cluster gets its share again, as far as its health allows.',
});

export const maintenanceCommand = stateCommand('maintenance', {
  state: 'maintenance',
  condition: (cluster) => `idle:${cluster}`,
  waits: 'until nothing reaches the cluster any more',
  notes: 'Nothing goes to the cluster, not even as a last resort, until `weir restore`.',
});

function stateCommand(verb: string, { state, condition, waits, notes }: StateCommand): CommandDefinition {
  return {
    examples: [
      `weir ${verb} eu-west --dry-run`,
      ...(state === 'active' ? [] : [`weir ${verb} eu-west --for 2h`]),
      `weir ${verb} eu-west --reason "upgrade of the nodes" --wait`,
    ],
    notes,
    arguments: [{ name: 'CLUSTER', summary: 'the cluster' }],
    options: [
      { flags: '--wait', summary: `wait ${waits}` },
      { flags: '--timeout <DURATION>', summary: 'how long --wait waits (default 5m, exit code 8)' },
      ...(state === 'active' ? CHANGE_OPTIONS : TIMED_OPTIONS),
    ],
    run: async (call) => {
      const cluster = call.values.argument(0);
      const timeoutMs = call.values.durationMs('timeout') ?? WAIT_TIMEOUT_MS;
      const client = await call.connect();
      const exitCode = await makeChange(call, client, { kind: 'admin', cluster, state, ...timeOf(call.values) });
      if (exitCode !== EXIT.ok || !call.values.flag('wait')) return exitCode;
      return waitFor(call, client, { condition: condition(cluster), timeoutMs });
    },
  };
}
