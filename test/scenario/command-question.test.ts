// A dangerous act on a terminal: it is asked, the default is No, and Ctrl-C leaves with nothing done. Driven through a pseudo-terminal.
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { type AdminServer, startAdminServer } from '../support/admin-server.ts';
import { WEIR } from '../support/command.ts';
import { until } from '../support/until.ts';

const hasScript = spawnSync('script', ['--version']).status === 0;

describe(
  'a dangerous act on a terminal',
  { skip: hasScript ? false : '`script` (util-linux) makes the pseudo-terminal and is not installed' },
  () => {
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
  },
);

/** Runs the command in a terminal of its own and types `typed` when it has asked. */
async function onTerminal(args: readonly string[], socketPath: string, typed: string): Promise<{ code: unknown; screen: string }> {
  const command = [process.execPath, WEIR, ...args].map((word) => `'${word}'`).join(' ');
  const env = { PATH: process.env['PATH'], TERM: 'xterm', WEIR_SERVER: `unix:${socketPath}` };
  const child: ChildProcess = spawn('script', ['-qefc', command, '/dev/null'], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  let screen = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (screen += chunk));
  const closing = once(child, 'close');
  await until(() => screen.includes('[y/N]'), 'the command asks', 20_000);
  child.stdin?.write(typed);
  const closed: readonly unknown[] = await closing;
  return { code: closed[0], screen };
}
