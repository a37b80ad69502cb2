// A partition as it really is: three hosts in networks of their own, and the link of one is cut so that nobody is told.
// `npm run endure -- partition --rounds 5 --seconds 12`: as root, on Linux with `ip`.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { EdgeView } from '../../balancer/controller/api/views.ts';
import { createAdminClient, type AdminClient } from '../../tui/client.ts';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { makeFleetKeys, type FleetKeys } from '../support/fleet-hosts.ts';
import { startOriginProcess } from '../support/lost-cluster.ts';
import { makeNamespace, type Namespace } from '../support/network-namespace.ts';
import { startRedis } from '../support/redis-server.ts';
import { until } from '../support/until.ts';

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: { rounds: { type: 'string', default: '5' }, seconds: { type: 'string', default: '12' } },
});

const SETTLE_MS = 60_000;
const MOST = { othersMs: 1000, namedMs: 3000, convergedMs: 2000 } as const;

const CLUSTERS = { one: 9001, two: 9002 } as const;
const FLEET_PART = `
clusters:
${Object.entries(CLUSTERS)
  .map(
    ([name, port]) =>
      `  ${name}: { endpoints: ["http://127.0.0.1:${port}"], health: { http: { path: /healthz }, interval: 200ms, timeout: 150ms } }`,
  )
  .join('\n')}
services: { shop: { versions: { blue: { clusters: { one: {} } }, green: { clusters: { two: {} } } }, split: { blue: 90, green: 10 } } }
routes: [{ service: shop }]
`;

interface Host {
  readonly namespace: Namespace;
  readonly appliance: Appliance;
  readonly client: AdminClient;
  /** Ends its users; what became of their requests. */
  readonly usersLeave: () => Promise<{ readonly asked: number; readonly failed: readonly string[] }>;
}

interface Figures {
  readonly othersMs: number;
  readonly namedMs: number;
  readonly convergedMs: number;
}

/** Its clusters and its users are in its own network: only the fleet is on the other side of the cut. */
async function startHost(t: TestContext, name: string, { redisPort, keys }: { redisPort: number; keys: FleetKeys }): Promise<Host> {
  const namespace = makeNamespace(t);
  if (typeof namespace === 'string')
    throw new Error(`no network namespace can be made here (run as root, on Linux, with iproute2): ${namespace}`);
  const { enter } = namespace.where;
  for (const [cluster, port] of Object.entries(CLUSTERS)) await startOriginProcess(t, cluster, { host: '127.0.0.1', port, enter });
  const appliance = await startAppliance(t, {
    yaml: `host: { name: ${name} }\n${FLEET_PART}`,
    ...{ workers: 1, within: enter },
    redis: `{ url: "redis://${namespace.gateway}:${redisPort}", keyFile: ${JSON.stringify(keys.file)} }`,
  });
  const client = createAdminClient({ address: { kind: 'socket', path: appliance.socketPath }, source: 'endurance', context: null }, 'endurance');
  t.after(() => client.close());
  return { namespace, appliance, client, usersLeave: users(t, appliance.url(), enter) };
}

function users(t: TestContext, url: string, enter: readonly string[]): Host['usersLeave'] {
  const [command, ...words] = [...enter, process.execPath, join(import.meta.dirname, '../support/steady-client.ts'), url];
  const child = spawn(command, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  return async () => {
    child.stdin.write('\n');
    const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
    return JSON.parse(line) as Awaited<ReturnType<Host['usersLeave']>>;
  };
}

const wellOf = async ({ client }: Host): Promise<number> =>
  (await client.list<EdgeView>('edges')).items.filter(({ problem, silentMs }) => problem === null && silentMs === null).length;

const serves = async ({ client }: Host, green: number): Promise<boolean> => (await client.status()).services[0]?.split['green'] === green;

/** `at` asks while `cut` is cut off. */
async function round([at, other, cut]: readonly [Host, Host, Host], green: number): Promise<Figures> {
  cut.namespace.cut();
  const askedMs = performance.now();
  const others = until(() => serves(other, green), 'the other host serves it', SETTLE_MS).then(() => performance.now() - askedMs);
  const { applied } = await at.client.change({ change: { kind: 'shift', service: 'shop', percents: { green } }, yes: true });
  const namedMs = performance.now() - askedMs;
  const laggards = applied?.fleet?.laggards ?? [];
  assert.ok(laggards.length === 1 && laggards[0]?.startsWith('edge-3 ('), `named: ${JSON.stringify(applied)}`);
  const othersMs = await others;
  await delay(Number(values.seconds) * 1000);
  assert.ok(!(await serves(cut, green)), 'nothing gets through');
  cut.namespace.heal();
  const healedMs = performance.now();
  await until(() => serves(cut, green), 'the host that was cut off serves it', SETTLE_MS);
  const convergedMs = performance.now() - healedMs;
  await until(async () => (await wellOf(at)) === 3, 'all is well again', SETTLE_MS);
  return { othersMs, namedMs, convergedMs };
}

test('one of three hosts is cut off', async (t) => {
  const { port: redisPort } = await startRedis(t, ['bind 0.0.0.0', 'protected-mode no']);
  const keys = makeFleetKeys(t);
  const start = (name: string): Promise<Host> => startHost(t, name, { redisPort, keys });
  const hosts = [await start('edge-1'), await start('edge-2'), await start('edge-3')] as const;
  for (const host of hosts) await until(async () => (await wellOf(host)) === 3, 'all hosts know each other', SETTLE_MS);
  const all: Figures[] = [];
  for (let number = 1; number <= Number(values.rounds); number += 1) {
    const figures = await round(hosts, number);
    all.push(figures);
    process.stdout.write(`round ${number}: ${figureText(figures)}\n`);
  }
  const left = await Promise.all(hosts.map(({ usersLeave }) => usersLeave()));
  const failed = left.flatMap((users) => users.failed);
  const worst = (name: keyof Figures): number => Math.max(...all.map((figures) => figures[name]));
  const most: Figures = { othersMs: worst('othersMs'), namedMs: worst('namedMs'), convergedMs: worst('convergedMs') };
  t.diagnostic(`the worst of ${all.length} cuts of ${values.seconds} s: ${figureText(most)}`);
  t.diagnostic(`${left.reduce((sum, { asked }) => sum + asked, 0)} requests at all hosts, ${failed.length} failed`);
  assert.deepEqual(failed, []);
  for (const name of ['othersMs', 'namedMs', 'convergedMs'] as const)
    assert.ok(most[name] <= MOST[name], `${name}: ${Math.round(most[name])}, goal ${MOST[name]}`);
});

function figureText({ othersMs, namedMs, convergedMs }: Figures): string {
  const goal = (ms: number, most: number): string => `${Math.round(ms)} ms (${most})`;
  return `others serve it after ${goal(othersMs, MOST.othersMs)}, the one that does not is named after ${goal(namedMs, MOST.namedMs)}, it serves it ${goal(convergedMs, MOST.convergedMs)} after the cut is healed`;
}
