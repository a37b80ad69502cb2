// Redis as people run it where it must not fail: a primary with a replica watched by real Sentinels, and a real Redis Cluster of three masters.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { freePort } from './free-port.ts';
import { leastRights } from './redis-rights.ts';
import { startRedis, type RedisServer } from './redis-server.ts';
import { until } from './until.ts';

export interface Ensemble {
  /** What stands in `state.redis` to find it, as YAML. */
  readonly place: string;
  /** The server that has what the fleet writes, and the one that takes over from it. */
  readonly primary: RedisServer;
  readonly replica: RedisServer;
  /** From now on the replica hears nothing of what is written: what it takes over with is what it has now. */
  deafenReplica(): void;
  /** The primary is gone; resolves when the replica has taken over. */
  failOver(): Promise<void>;
}

type Ends = Pick<TestContext, 'after'>;

const SETTLE_MS = 30_000;
/** Of a server that does not answer until another one takes over. */
const DOWN_AFTER_MS = 500;

export function cli(port: number, ...args: readonly string[]): string {
  return execFileSync('redis-cli', ['-p', String(port), ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}

/** Who asks while it is promoted may be cut off: a Sentinel ends all clients then. */
function isPrimary({ port }: RedisServer): boolean {
  try {
    return cli(port, 'ROLE').startsWith('master');
  } catch {
    return false;
  }
}

/** Three Sentinels, of which two must agree. */
export async function startSentinels(t: Ends): Promise<Ensemble> {
  const primary = await startRedis(t, [leastRights(), 'repl-diskless-sync-delay 0']);
  const replica = await startRedis(t, [leastRights(), `replicaof 127.0.0.1 ${primary.port}`]);
  await until(() => cli(replica.port, 'INFO', 'replication').includes('master_link_status:up'), 'the replica is in step', SETTLE_MS);
  const ports = await Promise.all([startSentinel(t, primary.port), startSentinel(t, primary.port), startSentinel(t, primary.port)]);
  const knows = (port: number): boolean => {
    const lines = cli(port, 'SENTINEL', 'MASTER', 'main').split('\n');
    const value = (name: string): string | undefined => lines[lines.indexOf(name) + 1];
    return value('num-slaves') === '1' && value('num-other-sentinels') === '2' && value('flags') === 'master';
  };
  await until(() => ports.every(knows), 'the Sentinels know each other', SETTLE_MS);
  return {
    place: `sentinel: { name: main, nodes: [${ports.map((port) => `"127.0.0.1:${port}"`).join(', ')}] }`,
    ...pairOf(primary, replica),
  };
}

function pairOf(primary: RedisServer, replica: RedisServer): Omit<Ensemble, 'place'> {
  return {
    ...{ primary, replica },
    deafenReplica: () => {
      // One that stands still cannot come back when its link is cut.
      replica.freeze();
      cli(primary.port, 'CLIENT', 'KILL', 'TYPE', 'replica');
    },
    failOver: async () => {
      await primary.kill();
      replica.thaw();
      await until(() => isPrimary(replica), 'the replica has taken over', SETTLE_MS);
    },
  };
}

/** Its port. `quorum`: how many Sentinels must agree; `settings`: lines of sentinel.conf. */
export async function startSentinel(t: Ends, primaryPort: number, quorum = 2, settings: readonly string[] = []): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'weir-sentinel-'));
  const port = await freePort();
  const file = join(directory, 'sentinel.conf');
  const own = ['bind 127.0.0.1', `port ${port}`, `dir ${directory}`, `sentinel monitor main 127.0.0.1 ${primaryPort} ${quorum}`];
  const pace = [`sentinel down-after-milliseconds main ${DOWN_AFTER_MS}`, 'sentinel failover-timeout main 3000'];
  writeFileSync(file, [...own, ...pace, ...settings].join('\n'));
  const child = spawn('redis-server', [file, '--sentinel'], { stdio: ['ignore', 'pipe', 'ignore'] });
  t.after(async () => {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    rmSync(directory, { recursive: true, force: true });
  });
  // It listens before it says that.
  for await (const line of createInterface({ input: child.stdout })) if (line.includes('+monitor master')) break;
  child.stdout.resume();
  return port;
}

const SLOTS = 16_384;

/** Three masters; the one that has the slot of the fleet `weir` has a replica. */
export async function startRedisCluster(t: Ends): Promise<Ensemble> {
  const start = async (): Promise<RedisServer> =>
    startRedis(t, [
      leastRights(),
      'cluster-enabled yes',
      'cluster-config-file nodes.conf',
      `cluster-node-timeout ${DOWN_AFTER_MS}`,
      'cluster-replica-validity-factor 0',
      'cluster-announce-ip 127.0.0.1',
      'repl-diskless-sync-delay 0',
      `cluster-port ${await freePort()}`,
    ]);
  const [one, two, three, replica] = await Promise.all([start(), start(), start(), start()]);
  const masters = [one, two, three];
  for (const [index, { port }] of masters.entries()) {
    const from = Math.floor((index * SLOTS) / 3);
    cli(port, 'CLUSTER', 'ADDSLOTSRANGE', String(from), String(Math.floor(((index + 1) * SLOTS) / 3) - 1));
    // Two with the same epoch would first have to settle which of them is the newer.
    cli(port, 'CLUSTER', 'SET-CONFIG-EPOCH', String(index + 1));
  }
  for (const { port } of [two, three, replica]) cli(port, 'CLUSTER', 'MEET', '127.0.0.1', String(one.port), busOf(one));
  const all = [...masters, replica];
  const isWhole = ({ port }: RedisServer): boolean =>
    cli(port, 'CLUSTER', 'INFO').includes('cluster_state:ok') && cli(port, 'CLUSTER', 'NODES').split('\n').length === all.length;
  await until(() => all.every(isWhole), 'the nodes are one Redis Cluster', SETTLE_MS);
  const slot = Number(cli(one.port, 'CLUSTER', 'KEYSLOT', 'weir:{weir}:head'));
  const primary = masters[Math.floor((slot * 3) / SLOTS)] ?? one;
  cli(replica.port, 'CLUSTER', 'REPLICATE', cli(primary.port, 'CLUSTER', 'MYID'));
  await until(() => cli(replica.port, 'INFO', 'replication').includes('master_link_status:up'), 'the replica is in step', SETTLE_MS);
  return {
    place: `cluster: { nodes: [${masters.map(({ port }) => `"127.0.0.1:${port}"`).join(', ')}] }`,
    ...pairOf(primary, replica),
  };
}

const busOf = ({ port }: RedisServer): string => cli(port, 'CONFIG', 'GET', 'cluster-port').split('\n')[1] ?? '';
