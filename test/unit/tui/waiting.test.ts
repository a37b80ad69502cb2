// Waiting outlives a restart of the appliance: what was missed while it was away is looked at again.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createAdminApi } from '../../../balancer/controller/api/server.ts';
import { silentLog } from '../../../balancer/log.ts';
import { systemClock } from '../../../health/clock.ts';
import { createAdminClient } from '../../../tui/client.ts';
import type { CommandCall } from '../../../tui/command.ts';
import { CommandFailure } from '../../../tui/exit.ts';
import type { Terminal } from '../../../tui/terminal.ts';
import { CommandValues } from '../../../tui/values.ts';
import { patienceMs } from '../../../tui/commands/cluster-state.ts';
import { WAIT_TIMEOUT_MS, waitFor } from '../../../tui/waiting.ts';
import { RecordingAppliance } from '../../support/recording-appliance.ts';
import { until } from '../../support/until.ts';

interface Stage {
  readonly call: CommandCall;
  readonly client: ReturnType<typeof createAdminClient>;
  readonly appliance: RecordingAppliance;
  readonly startApi: () => Promise<() => Promise<void>>;
  readonly written: string[];
}

function stage(t: TestContext): Stage {
  const directory = mkdtempSync(join(tmpdir(), 'weir-waiting-'));
  const socketPath = join(directory, 'admin.sock');
  const appliance = new RecordingAppliance();
  const client = createAdminClient({ address: { kind: 'socket', path: socketPath }, source: 'the test', context: null }, 'tester');
  t.after(async () => {
    await client.close();
    rmSync(directory, { recursive: true, force: true });
  });
  const written: string[] = [];
  const terminal: Terminal = {
    env: {},
    clock: systemClock,
    interactive: false,
    columns: null,
    color: false,
    userName: 'tester',
    data: (text) => Promise.resolve(void written.push(text)),
    message: (text) => void written.push(text),
    progress: () => undefined,
    confirm: () => Promise.resolve(false),
    ask: () => Promise.resolve(null),
  };
  const nothing = () => Promise.reject(new Error('not started here'));
  const call: CommandCall = {
    values: new CommandValues([], {}),
    terminal,
    format: 'table',
    connect: () => Promise.resolve(client),
    programs: {
      serve: nothing,
      check: nothing,
      simulate: nothing,
      replay: nothing,
      configSchema: nothing,
      makeKey: nothing,
      hashPassword: nothing,
      agent: nothing,
      agentManifest: nothing,
      explainAgent: nothing,
    },
    signal: new AbortController().signal,
    ifInterrupted: () => undefined,
  };
  const startApi = async () => {
    const api = createAdminApi({ appliance, socketPath, bind: null, tls: null, clock: systemClock, log: silentLog });
    await api.start();
    return () => api.close();
  };
  return { call, client, appliance, startApi, written };
}

test('an appliance that starts later and restarts in between is waited for', async (t) => {
  const { call, client, appliance, startApi, written } = stage(t);
  appliance.degraded = ['cluster one is down'];
  const waiting = waitFor(call, client, { condition: 'stable', timeoutMs: 20_000 });
  const stopFirst = await startApi();
  await until(() => appliance.statusCalls > 0, 'the wait has seen a status');
  await stopFirst();
  appliance.degraded = [];
  const stopSecond = await startApi();
  t.after(stopSecond);
  assert.equal(await waiting, 0);
  assert.match(written.join(''), /^stable after \d+\.\d s\n$/);
});

test('an event is seen at once, not at the next second', async (t) => {
  const { call, client, appliance, startApi } = stage(t);
  t.after(await startApi());
  appliance.agentState = 'stale';
  const waiting = waitFor(call, client, { condition: 'agent:one=fresh', timeoutMs: 20_000 });
  await until(() => appliance.statusCalls > 0, 'the wait has seen a status');
  appliance.agentState = 'fresh';
  const beganMs = performance.now();
  appliance.emit('agent one is fresh', 'agent');
  assert.equal(await waiting, 0);
  assert.ok(performance.now() - beganMs < 900);
});

test('time over is exit code 8 with what holds instead, or 3 when nobody ever answered', async (t) => {
  const { call, client, appliance, startApi } = stage(t);
  const fails = (code: number, message: RegExp) => (error: unknown) =>
    error instanceof CommandFailure && error.exitCode === code && message.test(error.message);
  await assert.rejects(waitFor(call, client, { condition: 'stable', timeoutMs: 50 }), fails(3, /cannot reach weir at unix:/));
  t.after(await startApi());
  appliance.degraded = ['worker-3 is lost'];
  await assert.rejects(
    waitFor(call, client, { condition: 'stable', timeoutMs: 300 }),
    fails(8, /^not within 0\.3 s: stable; now: worker-3 is lost$/),
  );
});

test('a drain is waited for five minutes behind the deadline that holds, whoever set it', () => {
  assert.equal(WAIT_TIMEOUT_MS, 300_000);
  assert.equal(patienceMs({ tunnelsCloseInSeconds: 600 }), 900_000);
  assert.equal(patienceMs({ tunnelsCloseInSeconds: null }), 300_000);
});
