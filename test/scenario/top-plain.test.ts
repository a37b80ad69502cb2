// `weir top` where there is no terminal: tables with --plain, a refusal that names it without.
import { deepEqual, equal, match } from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { StatusServer } from '../support/status-server.ts';
import { busyStatus } from '../support/statuses.ts';
import { until } from '../support/until.ts';

const WEIR = join(import.meta.dirname, '..', '..', 'tui', 'weir.js');

class Run {
  stdout = '';
  stderr = '';
  readonly process: ChildProcess;
  readonly #exit: Promise<unknown[]>;

  constructor(socketPath: string, ...args: readonly string[]) {
    const env = { PATH: process.env['PATH'], HOME: '/nonexistent', LANG: 'C.UTF-8', TERM: 'xterm-256color' };
    this.process = spawn(process.execPath, [WEIR, 'top', '--server', `unix:${socketPath}`, ...args], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.process.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.#exit = once(this.process, 'close');
  }

  async exitCode(): Promise<unknown> {
    return (await this.#exit)[0];
  }
}

async function withServer(use: (server: StatusServer, socketPath: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'weir-top-'));
  const socketPath = join(directory, 'admin.sock');
  await using server = new StatusServer(busyStatus(), 200);
  await server.start(socketPath);
  try {
    await use(server, socketPath);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

describe('weir top without a terminal', () => {
  test('refuses to draw and names --plain', () =>
    withServer(async (server, socketPath) => {
      const run = new Run(socketPath);
      equal(await run.exitCode(), 2);
      match(run.stderr, /not a terminal[^]*weir top --plain/);
      equal(run.stdout, '');
      deepEqual(server.asked, []);
    }));

  test('--plain --once prints one table without control characters', () =>
    withServer(async (server, socketPath) => {
      const run = new Run(socketPath, '--plain', '--once');
      equal(await run.exitCode(), 0);
      match(run.stdout, /^2026-\S+Z {2}edge-3 {2}rev 42 {2}workers 8\/8\nRPS 4021/);
      match(run.stdout, /\neu-west +● active +● up/);
      match(run.stdout, /^(?:\P{Cc}|\n)*$/u);
      equal(run.stderr, '');
      deepEqual(server.asked, ['GET /v1/status']);
    }));

  test('--plain prints a table per interval, waits for an appliance that went away, and ends by a signal with 130', () =>
    withServer(async (server, socketPath) => {
      const run = new Run(socketPath, '--plain', '--interval', '200ms', '--ascii');
      const tables = (): number => run.stdout.split('CLUSTER ').length - 1;
      await until(() => tables() >= 2, 'two tables', 15_000);
      await server.stop();
      await until(() => run.stderr.includes('trying again'), 'a word about the loss', 15_000);
      const before = tables();
      await server.start(socketPath);
      await until(() => tables() > before, 'another table', 15_000);
      run.process.kill('SIGTERM');
      equal(await run.exitCode(), 130);
      match(run.stdout, /^[\x20-\x7e\n]*$/);
    }));

  test('says that nobody answers, with exit code 3', async () => {
    for (const args of [['--plain', '--once'], ['--plain']]) {
      const run = new Run('/nonexistent/admin.sock', ...args);
      equal(await run.exitCode(), 3);
      match(run.stderr, /\/nonexistent\/admin\.sock/);
    }
  });

  test('refuses options that make no sense, before it asks anybody', () =>
    withServer(async (server, socketPath) => {
      for (const [args, message] of [
        [['--once'], /--once[^]*--plain/],
        [['--plain', '--interval', '1ms'], /--interval: expected 200ms to 1h, got "1ms"/],
        [['--plain', '--interval', 'soon'], /--interval[^]*got "soon"/],
      ] as const) {
        const run = new Run(socketPath, ...args);
        equal(await run.exitCode(), 2);
        match(run.stderr, message);
      }
      deepEqual(server.asked, []);
    }));
});
