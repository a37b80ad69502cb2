// A real redis-server, on a port of its own, with its data in a directory that ends with it.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { freePort } from './free-port.ts';

export interface RedisServer {
  readonly port: number;
  /** Without a word, and with what it has on disk. */
  kill(): Promise<void>;
  /** On the same port and directory. */
  start(): Promise<void>;
  /** SIGSTOP and SIGCONT: its sockets stay, and nothing is answered. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
  /** All that was written is gone, as after a fail-over to a replica that had nothing. */
  forget(): Promise<void>;
}

/** `settings`: lines of redis.conf. Ends with the test. */
export async function startRedis(t: Pick<TestContext, 'after'>, settings: readonly string[] = []): Promise<RedisServer> {
  assert.equal(
    spawnSync('redis-server', ['--version']).status,
    0,
    'redis-server is not installed; on Debian: apt-get install redis-server',
  );
  const directory = mkdtempSync(join(tmpdir(), 'weir-redis-'));
  const port = await freePort();
  const usesTls = settings.some((line) => line.startsWith('tls-port'));
  const own = [
    'bind 127.0.0.1',
    ...(usesTls ? ['port 0'] : [`port ${port}`]),
    `dir ${directory}`,
    'save ""',
    'appendonly yes',
    'appendfsync always',
    'daemonize no',
  ];
  const file = join(directory, 'redis.conf');
  writeFileSync(file, [...own, ...settings.map((line) => line.replace('PORT', String(port)))].join('\n'));
  let child: ChildProcess | null = null;
  const start = async (): Promise<void> => {
    const started = spawn('redis-server', [file], { stdio: ['ignore', 'pipe', 'inherit'] });
    child = started;
    for await (const line of createInterface({ input: started.stdout })) if (line.includes('Ready to accept connections')) break;
    assert.equal(started.exitCode, null, 'redis-server ended by itself');
    started.stdout.resume();
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const running = child;
    child = null;
    if (running === null) return;
    const ended = once(running, 'exit');
    running.kill('SIGCONT');
    running.kill(signal);
    await ended;
  };
  await start();
  t.after(async () => {
    await end('SIGKILL');
    rmSync(directory, { recursive: true, force: true });
  });
  return {
    port,
    start,
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    forget: () => {
      execFileSync('redis-cli', ['-p', String(port), 'FLUSHALL'], { stdio: 'ignore' });
      return Promise.resolve();
    },
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
  };
}
