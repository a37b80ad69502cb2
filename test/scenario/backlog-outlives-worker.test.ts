// Connections that wait for a worker which ends are served by the others, and those that wait when a port closes by itself: none is lost.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { makeCertificate } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { startTwoClusters } from '../support/two-clusters.ts';
import { until } from '../support/until.ts';

/** The chance that none of them falls to one of two workers is 2^-64. */
const CONNECTIONS = 64;

test('what waits for a worker that is killed is answered by the others', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const appliance = await startAppliance(t, { yaml, untilProbed: true });
  const [first] = appliance.pids().workers;
  assert.ok(first !== undefined);
  const waiting = await fillBacklogOf(t, appliance, first);
  process.kill(first, 'SIGKILL');
  await waiting.untilAllAnswered();
});

test('what waits for a worker whose place is given up is answered by those that stay', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const appliance = await startAppliance(t, { yaml, untilProbed: true });
  const second = appliance.pids().workers[1];
  assert.ok(second !== undefined);
  const waiting = await fillBacklogOf(t, appliance, second);
  appliance.rewrite((text) => text.replace('workers: 2', 'workers: 1'));
  appliance.signal('SIGHUP');
  // It is stopped still, so that it can neither accept nor close.
  await waiting.untilAllAnswered();
  process.kill(second, 'SIGCONT');
  await until(() => appliance.pids().workers.length === 1, 'it has left', 10_000);
});

test('what waits for the only worker is answered by the one that replaces it', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const appliance = await startAppliance(t, { yaml, workers: 1, untilProbed: true });
  const [only] = appliance.pids().workers;
  assert.ok(only !== undefined);
  const waiting = await fillBacklogOf(t, appliance, only);
  process.kill(only, 'SIGKILL');
  await waiting.untilAllAnswered();
});

test('what waits is not lost to a worker that cannot start', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-backlog-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const { cert, key } = makeCertificate(directory, { names: ['a.example'] });
  const { yaml } = await startTwoClusters(t);
  const secure = `{ bind: "127.0.0.1:0", tls: { certificates: [{ cert: ${cert}, key: ${key} }] } }`;
  const listeners = `listeners: { web: { bind: "127.0.0.1:0" }, later: ${secure} }`;
  const appliance = await startAppliance(t, { yaml: `${listeners}\n${yaml}`, workers: 1, untilProbed: true });
  const [only] = appliance.pids().workers;
  assert.ok(only !== undefined);
  writeFileSync(key, 'broken');
  const waiting = await fillBacklogOf(t, appliance, only);
  assert.notEqual((await appliance.weir('restart', 'workers', '--timeout', '3s')).code, 0, 'it cannot');
  process.kill(only, 'SIGCONT');
  await waiting.untilAllAnswered();
});

test('what waits when the host stops is answered', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const appliance = await startAppliance(t, { yaml, workers: 1, untilProbed: true });
  const [only] = appliance.pids().workers;
  assert.ok(only !== undefined);
  const waiting = await fillBacklogOf(t, appliance, only);
  appliance.signal('SIGTERM');
  await until(() => appliance.log.includes('"msg":"stopping"'), 'it stops');
  process.kill(only, 'SIGCONT');
  await waiting.untilAllAnswered();
  await until(() => !appliance.isRunning(), 'it has ended', 20_000);
});

test('what waits at an address that leaves the config is answered', async (t) => {
  const { yaml } = await startTwoClusters(t);
  const appliance = await startAppliance(t, { yaml, workers: 1, untilProbed: true });
  const [only] = appliance.pids().workers;
  assert.ok(only !== undefined);
  const waiting = await fillBacklogOf(t, appliance, only);
  const port = await freePort();
  appliance.rewrite((text) => text.replace('web: { bind: "127.0.0.1:0"', `web: { bind: "127.0.0.1:${port}"`));
  appliance.signal('SIGHUP');
  process.kill(only, 'SIGCONT');
  await waiting.untilAllAnswered();
});

interface Waiting {
  untilAllAnswered(): Promise<void>;
}

/** Stops a worker and connects, with a request each; resolves when all are connected and some wait for that worker. */
async function fillBacklogOf(t: TestContext, appliance: Appliance, worker: number): Promise<Waiting> {
  process.kill(worker, 'SIGSTOP');
  await until(() => stateOf(worker) === 'T', 'the worker has stopped');
  const sockets = Array.from({ length: CONNECTIONS }, () => connect(appliance.port(), '127.0.0.1'));
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  let answered = 0;
  const problems: string[] = [];
  for (const socket of sockets) {
    socket.once('error', (error) => problems.push(error.message));
    socket.once('data', (chunk) => (String(chunk).startsWith('HTTP/1.1 200 ') ? (answered += 1) : problems.push(String(chunk))));
    socket.write('GET / HTTP/1.1\r\nhost: localhost\r\n\r\n');
  }
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  assert.ok(answered < CONNECTIONS, 'some wait for the worker that stands still');
  return {
    untilAllAnswered: async () => {
      await until(() => answered + problems.length >= CONNECTIONS, 'all are answered', 20_000);
      assert.deepEqual(problems, []);
    },
  };
}

/** One letter, proc_pid_stat(5). */
function stateOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
}
