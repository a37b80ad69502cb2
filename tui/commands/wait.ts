// weir wait: until a state is reached, cannot be reached any more, or the time is over.
import type { CommandDefinition } from '../command.ts';
import { CommandFailure, EXIT } from '../exit.ts';
import { WAIT_TIMEOUT_MS, waitFor } from '../waiting.ts';

export const waitCommand: CommandDefinition = {
  examples: [
    'weir wait --for stable',
    'weir wait --for revision:42 --timeout 10s',
    'weir wait --for health:eu-west=up',
    'weir wait --for share:shop/green>=50',
    'weir wait --for agent:eu-west=fresh',
    'weir wait --for rollout:shop --timeout 1h',
    'weir wait --for idle:eu-west',
  ],
  notes: [
    'stable                     nothing is degraded, every worker is ready, every health is known',
    'revision:N                 revision N or a later one is served by every worker',
    'health:CLUSTER=STATE       up, degraded, down or unknown',
    'agent:CLUSTER=STATE        fresh, stale or absent',
    'share:SERVICE/VERSION>=P   the effective share in percent; also <= and =',
    'rollout:SERVICE            its rollout is promoted; exit code 9 at once when it is rolled back, frozen or aborted',
    'empty:CLUSTER              nothing runs in a drained cluster any more',
    'idle:CLUSTER               no request has reached the cluster in the last seconds',
    '',
    'Exit codes: 0 reached, 8 not within the time-out, 5 a name that does not exist, 9 it ended otherwise. An appliance that is just starting is waited for.',
  ].join('\n'),
  options: [
    { flags: '--for <CONDITION>', summary: 'what to wait for' },
    { flags: '--timeout <DURATION>', summary: 'how long (default 5m)' },
  ],
  run: async (call) => {
    const condition = call.values.text('for');
    if (condition === null)
      throw new CommandFailure(EXIT.usage, 'say what to wait for: --for stable; `weir wait --help` lists the conditions');
    const timeoutMs = call.values.durationMs('timeout') ?? WAIT_TIMEOUT_MS;
    return waitFor(call, await call.connect(), { condition, timeoutMs });
  },
};
