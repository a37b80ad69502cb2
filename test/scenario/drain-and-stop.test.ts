// SIGTERM: nothing new, what runs may finish until the deadline, exit 0.
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { startAppliance } from '../support/appliance.ts';
import { startTwoClusters } from '../support/two-clusters.ts';
import { until } from '../support/until.ts';

/** An origin that holds its answers back until it is told to give them. */
function holding(): {
  readonly answer: (request: unknown, response: { end(text: string): void }) => void;
  release(): void;
  waiting: number;
} {
  const held: { end(text: string): void }[] = [];
  return {
    answer: (_request, response) => void held.push(response),
    release: () => held.splice(0).forEach((response) => response.end('finished')),
    get waiting() {
      return held.length;
    },
  };
}

test('SIGTERM lets a request finish, refuses new connections, and ends with exit code 0', async (t) => {
  const origin = holding();
  const { yaml } = await startTwoClusters(t, origin.answer);
  const appliance = await startAppliance(t, { yaml: `drainDeadline: 15s\n${yaml}`, untilProbed: true });
  const answer = appliance.get('/slow');
  await until(() => origin.waiting === 1, 'the request is at the origin');

  appliance.signal('SIGTERM');
  await until(async () => !(await canConnect(appliance.port())), 'new connections are refused', 10_000);
  assert.ok(appliance.isRunning(), 'it waits for the request');
  origin.release();

  assert.deepEqual(pick(await answer), { status: 200, body: 'finished' });
  assert.deepEqual(await appliance.ended, { code: 0, signal: null });
});

test('SIGTERM cuts off what has not finished by the deadline', async (t) => {
  const origin = holding();
  const { yaml } = await startTwoClusters(t, origin.answer);
  const appliance = await startAppliance(t, { yaml: `drainDeadline: 1s\n${yaml}`, workers: 1, untilProbed: true });
  const cut = assert.rejects(appliance.get('/never'));
  await until(() => origin.waiting === 1, 'the request is at the origin');

  assert.deepEqual(await appliance.stop(), { code: 0, signal: null });
  await cut;
  assert.match(appliance.log, /"cut":1,"msg":"drained"/);
});

test('a second signal ends everything at once', async (t) => {
  const origin = holding();
  const { yaml } = await startTwoClusters(t, origin.answer);
  const appliance = await startAppliance(t, { yaml: `drainDeadline: 60s\n${yaml}`, workers: 1, untilProbed: true });
  const { controller, workers } = appliance.pids();
  const cut = assert.rejects(appliance.get('/never'));
  await until(() => origin.waiting === 1, 'the request is at the origin');

  appliance.signal('SIGTERM');
  await until(() => appliance.log.includes('"msg":"stopping"'), 'it drains');
  assert.deepEqual(await appliance.stop(), { code: 0, signal: null });
  await cut;
  for (const pid of [controller, ...workers]) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
});

test('the death of the supervisor ends the controller and the workers', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const appliance = await startAppliance(t, { yaml });
  const { controller, workers } = appliance.pids();
  assert.equal(workers.length, 2);

  appliance.signal('SIGKILL');
  const gone = (pid: number): boolean => {
    try {
      process.kill(pid, 0);
      return false;
    } catch {
      return true;
    }
  };
  await until(() => [controller, ...workers].every(gone), 'no process is left', 10_000);
});

function pick({ status, body }: { readonly status: number; readonly body: string }): object {
  return { status, body };
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const settle = (connected: boolean): void => {
      socket.destroy();
      resolve(connected);
    };
    socket.once('connect', () => settle(true)).once('error', () => settle(false));
  });
}
