// A fleet as it runs in the field: three edge hosts of two workers, three clusters with an agent each, a real Redis with a link of its own to each host; and
// whoever of them is there can be restarted.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { TestContext } from 'node:test';
import type { AgentView, EdgeView } from '../../balancer/controller/api/views.ts';
import { Appliance, startAppliance } from './appliance.ts';
import { makeFleetKeys, redisOf } from './fleet-hosts.ts';
import { named, startOrigin } from './origin.ts';
import { startRedis, type RedisServer } from './redis-server.ts';
import { startTroubledLink, type TroubledLink } from './troubled-link.ts';
import { until } from './until.ts';

export const CLUSTERS = ['one', 'two', 'three'] as const;
/** What the agent of each cluster says that it can take. */
const CAPACITY_RPS = 2000;
const AGENT = fileURLToPath(new URL('agent-process.ts', import.meta.url));
const SETTLE_MS = 30_000;

export interface WholeFleet {
  /** As they are now: another object after a restart. */
  readonly hosts: readonly [Appliance, Appliance, Appliance];
  /** Of each host to Redis. */
  readonly links: readonly [TroubledLink, TroubledLink, TroubledLink];
  readonly redis: RedisServer;
  /** Each ends at once, and is started again without waiting for anybody; resolves when it is under way. */
  readonly restarts: Readonly<Record<'host' | 'redis' | 'agent' | 'controller', () => Promise<void>>>;
  /** Every host follows, has two workers, one leads, and every agent is heard by all. */
  isWhole(): Promise<boolean>;
}

export async function startWholeFleet(t: TestContext): Promise<WholeFleet> {
  const redis = await startRedis(t);
  const links = await three(() => startTroubledLink(t, redis.port));
  const yaml = await configOf(t);
  const keys = makeFleetKeys(t);
  const hosts = await three((index) =>
    startAppliance(t, { yaml: `host: { name: edge-${index + 1} }\n${yaml}`, redis: redisOf(links[index]?.port ?? 0, keys) }),
  );
  const agents = new Map<string, ChildProcess>();
  const tokens = new Map<string, string>();
  const startAgent = (cluster: string): void => {
    const hubs = hosts.map((host) => `ws://127.0.0.1:${host.port('agents')}`).join();
    const env = { ...process.env, HUB: hubs, CLUSTER: cluster, TOKEN: tokens.get(cluster) ?? '', CAPACITY_RPS: String(CAPACITY_RPS) };
    agents.set(cluster, spawn(process.execPath, [AGENT], { env, stdio: 'ignore' }));
  };
  t.after(() => agents.forEach((agent) => agent.kill('SIGKILL')));
  for (const cluster of CLUSTERS) {
    tokens.set(cluster, (await hosts[0].weir('agent', 'token', cluster)).stdout.trim());
    startAgent(cluster);
  }
  const fleet: WholeFleet = {
    hosts,
    links,
    redis,
    restarts: {
      host: async () => {
        const [, , last] = hosts;
        await last.kill();
        hosts[2] = new Appliance(last.directory, readFileSync(last.configFile, 'utf8'));
        t.after(() => hosts[2].kill());
      },
      redis: async () => {
        await redis.kill();
        await redis.start();
      },
      agent: async () => {
        const agent = agents.get('one');
        if (agent?.exitCode === null && agent.signalCode === null) {
          const ended = once(agent, 'exit');
          agent.kill('SIGKILL');
          await ended;
        }
        startAgent('one');
      },
      controller: async () => {
        const { controller } = hosts[0].pids();
        if (controller > 0) process.kill(controller, 'SIGKILL');
        await until(() => hosts[0].pids().controller !== controller, 'it is gone', SETTLE_MS);
      },
    },
    isWhole: async () => {
      const each = await Promise.all(hosts.map((host) => isWell(host).catch(() => false)));
      return each.every(Boolean);
    },
  };
  await until(() => fleet.isWhole(), 'the fleet is whole', 2 * SETTLE_MS);
  return fleet;
}

async function isWell(host: Appliance): Promise<boolean> {
  const [edges, agents, { clusters }] = await Promise.all([host.list<EdgeView>('edges'), host.list<AgentView>('agents'), host.status()]);
  const hosts = edges.filter(
    ({ problem, silentMs, workersReady, workers }) => problem === null && silentMs === null && workersReady === 2 && workers === 2,
  );
  const reported = agents.filter(({ state, capacityRps }) => state === 'fresh' && capacityRps === CAPACITY_RPS);
  return (
    hosts.length === 3 &&
    edges.filter(({ leads }) => leads).length === 1 &&
    reported.length === CLUSTERS.length &&
    clusters.every(({ health }) => health === 'up')
  );
}

async function configOf(t: TestContext): Promise<string> {
  const origins = await three((index) => startOrigin(t, named(CLUSTERS[index] ?? '')));
  const clusters = origins.map(
    ({ endpoint }, index) =>
      `  ${CLUSTERS[index] ?? ''}: { endpoints: ["${endpoint}"], health: { http: { path: /healthz }, interval: 500ms, timeout: 2s } }\n`,
  );
  return `agents: { bind: "127.0.0.1:0" }
clusters:
${clusters.join('')}services:
  shop:
    versions:
      blue: { clusters: { one: { weight: 50 }, two: { weight: 30 }, three: { weight: 20 } } }
      green: { clusters: { two: {}, three: {} } }
    split: { blue: 90, green: 10 }
routes:
  - { name: shop, match: { path: / }, service: shop }
`;
}

async function three<T>(make: (index: number) => Promise<T>): Promise<[T, T, T]> {
  return Promise.all([make(0), make(1), make(2)]);
}
