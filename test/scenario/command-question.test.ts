// What is asked on a terminal: a dangerous act, where the default is No, and the time of a drain or a dial. Ctrl-C leaves with nothing done. Driven
// through a pseudo-terminal.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { type AdminServer, startAdminServer } from '../support/admin-server.ts';
import { runWeir, WEIR } from '../support/command.ts';
import { until } from '../support/until.ts';

const hasScript = spawnSync('script', ['--version']).status === 0;

const skip = hasScript ? false : '`script` (util-linux) makes the pseudo-terminal and is not installed';

describe('a dangerous act on a terminal', { skip }, () => {
  let admin: AdminServer;
  before(async () => {
    admin = await startAdminServer();
  });
  after(() => admin[Symbol.asyncDispose]());

  const cases: readonly (readonly [name: string, typed: string, code: number, made: boolean])[] = [
    ['Enter alone is No', '\r', 7, false],
    ['y is Yes', 'y\r', 0, true],
    ['Ctrl-C leaves with nothing done', '\u0003', 130, false],
  ];
  for (const [name, typed, code, made] of cases) {
    test(name, async () => {
      const { revision } = admin.appliance;
      const result = await onTerminal(['maintenance', 'one'], admin.socketPath, typed);
      assert.equal(result.code, code, result.screen);
      assert.match(result.screen, /maintenance ends 40 % of the traffic at once\s+Stop cluster one now\? \[y\/N\]/);
      assert.equal(admin.appliance.revision, made ? revision + 1 : revision);
      if (!made) assert.match(result.screen, /nothing was changed/);
    });
  }
});

describe('a time on a terminal', { skip }, () => {
  let admin: AdminServer;
  before(async () => {
    admin = await startAdminServer();
  });
  after(() => admin[Symbol.asyncDispose]());
  const asked = /Return by itself after 30m, 2h or another time\? none: it stays/;
  const timesAsked = (): readonly (number | undefined)[] =>
    admin.appliance.calls.map(({ input }) => (input as { readonly change: { readonly forMs?: number } }).change.forMs);

  test('a drain takes the time that is typed, after what is none is asked again', async () => {
    const result = await onTerminal(['drain', 'one'], admin.socketPath, 'soon\r2h\r', asked);
    assert.equal(result.code, 0, result.screen);
    assert.match(result.screen, /expected a time such as 30m or 2h, or none, got "soon"/);
    assert.deepEqual(timesAsked(), [7_200_000]);
  });

  test('Enter alone and none leave a dial for good, Ctrl-C leaves with nothing done', async () => {
    admin.appliance.calls.length = 0;
    for (const typed of ['\r', 'none\r']) assert.equal((await onTerminal(['dial', 'one', '50'], admin.socketPath, typed, asked)).code, 0);
    assert.deepEqual(timesAsked(), [undefined, undefined]);
    const left = await onTerminal(['drain', 'one'], admin.socketPath, '\u0003', asked);
    assert.equal(left.code, 130);
    assert.match(left.screen, /nothing was changed/);
    assert.equal(admin.appliance.calls.length, 2);
  });

  test('who says a time, that it stays, or yes to everything, and who has no terminal, is not asked', async () => {
    admin.appliance.calls.length = 0;
    const silent = [
      ['drain', 'one', '--for', '30m'],
      ['drain', 'one', '--yes'],
      ['dial', 'one', '50', '--permanent', '--reason', 'sold'],
      ['dial', 'one', '100'],
    ];
    for (const args of silent) {
      const result = await onTerminal(args, admin.socketPath, '', null);
      assert.equal(result.code, 0, result.screen);
      assert.doesNotMatch(result.screen, asked);
    }
    const piped = await runWeir(['drain', 'one'], { server: admin.socketPath });
    assert.deepEqual([piped.code, piped.stderr], [0, '']);
    assert.deepEqual(timesAsked(), [1_800_000, undefined, undefined, undefined, undefined]);
  });
});

/** Runs the command in a terminal of its own and types `typed` when it has asked; null: it is not expected to. */
async function onTerminal(
  args: readonly string[],
  socketPath: string,
  typed: string,
  question: RegExp | null = /\[y\/N\]/,
): Promise<{ code: unknown; screen: string }> {
  const command = [process.execPath, WEIR, ...args].map((word) => `'${word}'`).join(' ');
  const env = { PATH: process.env['PATH'], TERM: 'xterm', WEIR_SERVER: `unix:${socketPath}` };
  const child: ChildProcess = spawn('script', ['-qefc', command, '/dev/null'], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  let screen = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (screen += chunk));
  const closing = once(child, 'close');
  if (question !== null) {
    await until(() => question.test(screen), 'the command asks', 20_000);
    child.stdin?.write(typed);
  }
  const closed: readonly unknown[] = await closing;
  return { code: closed[0], screen };
}
