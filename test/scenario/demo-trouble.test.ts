// The demo when something is wrong: a port that is taken, an end before it is ready, a balancer that dies.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { FREE_PORTS, isAlive, startDemo } from '../support/demo-process.ts';
import { until } from '../support/until.ts';

async function takePort(context: TestContext): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}

async function temporaryDirectory(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'demo-test-'));
  context.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

test('taken ports are all named at once, with who has them and the option that helps, and nothing is started', async (context) => {
  const [port, adminPort] = [await takePort(context), await takePort(context)];
  const temporary = await temporaryDirectory(context);
  const args = ['--port', String(port), '--admin-port', String(adminPort), ...FREE_PORTS.slice(4)];
  const demo = startDemo(context, args, { ...process.env, TMPDIR: temporary });
  assert.deepEqual(await demo.ended, { code: 1, signal: null });
  for (const [option, taken] of [
    ['--port', port],
    ['--admin-port', adminPort],
  ] as const) {
    const line = demo.stderr.split('\n').find((one) => one.includes(`port ${taken} on 127.0.0.1 is in use: process ${process.pid} (`));
    assert.ok(line?.endsWith(`listens there; free it or use ${option} PORT (0: any that is free)`), demo.stderr);
  }
  assert.equal(demo.stdout, '');
  assert.deepEqual(await readdir(temporary), []);
});

test('a second demo on the same ports is told that the first has them', async (context) => {
  const first = startDemo(context, FREE_PORTS);
  await first.ready();
  const port = new URL(first.printed(/^ {2}service +(\S+)$/m)).port;
  const second = startDemo(context, ['--port', port, ...FREE_PORTS.slice(2)]);
  assert.equal((await second.ended).code, 1);
  const holder = Number(/is in use: process (\d+) \(/.exec(second.stderr)?.[1]);
  assert.ok(first.processes().includes(holder), second.stderr);
});

test('a port that is no port is a usage error', async (context) => {
  const demo = startDemo(context, ['--port', '70000']);
  assert.equal((await demo.ended).code, 2);
  assert.match(demo.stderr, /--port: expected a whole number from 0 to 65535, got "70000"/);
});

test('an interrupt while it starts ends it with exit code 130 and leaves nothing', async (context) => {
  const temporary = await temporaryDirectory(context);
  const demo = startDemo(context, FREE_PORTS, { ...process.env, TMPDIR: temporary });
  // Three origins and the balancer are up or coming up.
  await until(() => demo.processes().length >= 5 || !demo.isRunning(), 'processes of the demo', 30_000);
  const processes = demo.processes();
  assert.deepEqual(await demo.end('SIGHUP'), { code: 130, signal: null });
  assert.deepEqual(processes.filter(isAlive), []);
  assert.deepEqual(await readdir(temporary), []);
});

test('when the balancer dies the demo says so and ends everything else', async (context) => {
  const temporary = await temporaryDirectory(context);
  const demo = startDemo(context, FREE_PORTS, { ...process.env, TMPDIR: temporary });
  await demo.ready();
  const processes = demo.processes();
  const commandLines = await Promise.all(processes.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8')));
  const balancer = processes[commandLines.findIndex((line) => line.startsWith('weir: supervisor'))];
  assert.ok(balancer !== undefined);
  process.kill(balancer, 'SIGKILL');
  assert.deepEqual(await demo.ended, { code: 1, signal: null });
  assert.match(demo.stderr, /the balancer ended \(SIGKILL\)/);
  await until(() => !processes.some(isAlive), 'the end of every process');
  assert.deepEqual(await readdir(temporary), []);
});

test('a demo that is killed leaves no process and no file either', async (context) => {
  const temporary = await temporaryDirectory(context);
  const demo = startDemo(context, FREE_PORTS, { ...process.env, TMPDIR: temporary });
  await demo.ready();
  const processes = demo.processes();
  assert.deepEqual(await demo.end('SIGKILL'), { code: null, signal: 'SIGKILL' });
  await until(() => !processes.some(isAlive), 'the end of every process', 10_000);
  await until(async () => (await readdir(temporary)).length === 0, 'the removal of every file', 10_000);
});
