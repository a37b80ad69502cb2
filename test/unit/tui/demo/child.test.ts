// Processes of the demo: how their end is told, and that nothing they started survives them, nor the demo.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startChild, type DemoChild } from '../../../../tui/demo/child.ts';
import { startGuard } from '../../../../tui/demo/guard.ts';
import { isAlive } from '../../../support/demo-process.ts';
import { until } from '../../../support/until.ts';

/** Says the pid of a process it started itself, then stays; ends in order on SIGTERM when asked for it. */
const PARENT = `
const { spawn } = require('node:child_process');
const child = spawn('sleep', ['300'], { stdio: 'ignore' });
child.once('spawn', () => console.log('started ' + child.pid));
if (process.argv[2] === 'orderly') process.once('SIGTERM', () => { child.kill(); child.once('exit', () => process.exit(3)); });
setInterval(() => undefined, 1000);
`;

interface Fixture {
  readonly directory: string;
  readonly guard: Awaited<ReturnType<typeof startGuard>>;
  readonly start: (...args: readonly string[]) => Promise<{ readonly child: DemoChild; readonly grandchild: number }>;
}

async function fixture(context: TestContext): Promise<Fixture> {
  const directory = await mkdtemp(join(tmpdir(), 'demo-test-'));
  const guard = await startGuard(directory);
  context.after(async () => {
    await guard.release();
    await rm(directory, { recursive: true, force: true });
  });
  const program = join(directory, 'parent.cjs');
  await writeFile(program, PARENT);
  const logFile = join(directory, 'parent.log');
  return {
    directory,
    guard,
    start: async (...args) => {
      const child = await startChild({ name: 'parent', program, args, logFile, guard });
      context.after(() => child.stop());
      const pidInLog = async (): Promise<number> => Number(/started (\d+)/.exec(await readFile(logFile, 'utf8'))?.[1]);
      await until(async () => (await pidInLog()) > 0, 'the process below the child');
      return { child, grandchild: await pidInLog() };
    },
  };
}

test('a child that is killed takes what it started with it, and its end is told', async (context) => {
  const { start } = await fixture(context);
  const { child, grandchild } = await start();
  assert.ok(child.isRunning() && isAlive(grandchild));
  process.kill(child.pid, 'SIGKILL');
  assert.equal(await child.ended, 'SIGKILL');
  await until(() => !isAlive(grandchild), 'the end of the process below');
});

test('a child that is stopped may end in order, and its last words are kept', async (context) => {
  const { start } = await fixture(context);
  const { child, grandchild } = await start('orderly');
  await child.stop();
  assert.equal(await child.ended, 'exit code 3');
  assert.equal(child.isRunning(), false);
  assert.equal(isAlive(grandchild), false);
  assert.equal(child.tail(), `started ${grandchild}`);
});

test('a guard whose demo is gone kills what still runs and removes the directory', async (context) => {
  const { directory, guard, start } = await fixture(context);
  const { child, grandchild } = await start();
  // Closing its input is all that a guard sees of the death of its demo.
  await guard.release();
  assert.equal(await child.ended, 'SIGKILL');
  await until(() => !isAlive(grandchild), 'the end of the process below');
  assert.equal(existsSync(directory), false);
});
