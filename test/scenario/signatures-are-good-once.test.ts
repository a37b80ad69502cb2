// A signed request that changes something passes once, however often it is sent: over many connections to both workers of a host and of another one in its fleet,
// over reloads, killed workers and a killed controller, and not at all while nobody can say whether it was used.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { makeFleetKeys } from '../support/fleet-hosts.ts';
import { startOrigin } from '../support/origin.ts';
import { leastRights, REDIS_USER } from '../support/redis-rights.ts';
import { startRedis } from '../support/redis-server.ts';
import { signedMessage } from '../support/signed-message.ts';
import { send, signed, unsigned, type Sent } from '../support/signed-request.ts';
import { until } from '../support/until.ts';

const SECRET = 'a secret of thirty-two characters';
const COPIES = 24;

interface Scene {
  readonly yaml: string;
  /** Workers that answered, by target of the request. */
  readonly served: Map<string, number>;
}

async function aScene(t: TestContext): Promise<Scene> {
  const directory = mkdtempSync(join(tmpdir(), 'weir-once-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'secret');
  writeFileSync(file, `${SECRET}\n`);
  const served = new Map<string, number>();
  const origin = await startOrigin(t, (request, response) => {
    served.set(request.url ?? '', (served.get(request.url ?? '') ?? 0) + 1);
    response.end('done');
  });
  const yaml = `clusters: { one: { endpoints: ["${origin.endpoint}"] } }
services: { shop: { versions: { blue: { clusters: { one: {} } } } } }
consumers: { acme: { signingKeys: [{ id: acme, secret: { file: "${file}" } }] } }
routes:
  - { service: shop, name: local, match: { path: /local }, filters: [{ authenticate: { hmac: { onUnavailable: local } } }] }
  - { service: shop, name: strict, filters: [{ authenticate: { hmac: {}, signature: {} } }] }
`;
  return { yaml, served };
}

let orders = 0;

/** A request of now that nobody has sent; of one host it is good for another one too, as a balancer in front of both would have it. */
function anOrder(path = '/orders', host = 'shop.example'): Sent {
  orders += 1;
  return signed(unsigned(0, { method: 'POST', target: `${path}?number=${orders}`, headers: { host } }), { user: 'acme', secret: SECRET });
}

/** Statuses of so many copies at once, each over a connection of its own, in turns to all hosts. */
async function statusesOf(sent: Sent, hosts: readonly Appliance[], copies = COPIES): Promise<Readonly<Record<number, number>>> {
  const counts: Record<number, number> = {};
  const all = Array.from({ length: copies }, (_, at) => send((hosts[at % hosts.length] ?? assert.fail()).port(), sent));
  for (const { status } of await Promise.all(all)) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

const used = async (appliance: Appliance, outcome: string): Promise<number> =>
  appliance.metricSum('weir_signed_requests_total', { outcome });

test('on a host with two workers a signature is good once', { timeout: 60_000 }, async (t) => {
  const { yaml, served } = await aScene(t);
  const appliance = await startAppliance(t, { yaml, workers: 2, untilProbed: true });
  const first = anOrder();

  await t.test('of many copies at once, over connections to both workers, one passes', async () => {
    const message = signedMessage(unsigned(appliance.port(), { method: 'POST', target: '/message' }), { keyId: 'acme', key: SECRET });
    for (const sent of [first, message, anOrder(), anOrder(), anOrder()]) {
      assert.deepEqual(await statusesOf(sent, [appliance]), { 200: 1, 401: COPIES - 1 }, sent.target);
      assert.equal(served.get(sent.target), 1, sent.target);
    }
    await until(async () => (await used(appliance, 'repeated')) === 5 * (COPIES - 1), 'all are counted');
    assert.equal(await used(appliance, 'first'), 5);
    const byWorker = await appliance.metrics();
    assert.equal(/^weir_signatures_remembered (\d+)$/m.exec(byWorker)?.[1], '5');
  });

  await t.test('a file that is taken anew forgets nothing', async () => {
    appliance.rewrite((text) => text.replace('name: strict', 'name: stricter'));
    const { generation } = await appliance.status();
    appliance.signal('SIGHUP');
    await until(async () => (await appliance.status()).generation > generation, 'it is in service');
    assert.deepEqual(await statusesOf(first, [appliance]), { 401: COPIES });
  });

  await t.test('a controller and workers that are killed forget nothing, and what comes meanwhile waits', async () => {
    const { controller, workers } = appliance.pids();
    process.kill(controller, 'SIGKILL');
    // Some may have been asked of the controller that is gone: they are refused, as nobody knows.
    const fresh = await statusesOf(anOrder(), [appliance]);
    assert.ok((fresh[200] ?? 0) <= 1, JSON.stringify(fresh));
    const isRefused = async (): Promise<boolean> => (await statusesOf(first, [appliance], 4))[401] === 4;
    await until(isRefused, 'another one knows of the first', 10_000);
    for (const pid of workers) process.kill(pid, 'SIGKILL');
    await until(() => appliance.pids().workers.filter((pid) => !workers.includes(pid)).length === 2, 'others serve', 10_000);
    await until(() => isRefused().catch(() => false), 'they answer', 10_000);
    assert.deepEqual(await statusesOf(anOrder(), [appliance]), { 200: 1, 401: COPIES - 1 });
  });
});

test('in a fleet a signature is good once at all hosts together', { timeout: 90_000 }, async (t) => {
  const { yaml, served } = await aScene(t);
  const redis = await startRedis(t, [leastRights()]);
  const user = `username: ${REDIS_USER.username}, password: { env: REDIS_PASSWORD }`;
  const shared = `{ url: "redis://127.0.0.1:${redis.port}", ${user}, keyFile: ${JSON.stringify(makeFleetKeys(t).file)} }`;
  const env = { REDIS_PASSWORD: REDIS_USER.password };
  const start = (name: string): Promise<Appliance> =>
    startAppliance(t, { yaml: `host: { name: ${name} }\n${yaml}`, workers: 2, redis: shared, env, untilProbed: true });
  const hosts = await Promise.all([start('edge-1'), start('edge-2')]);
  const orders = [anOrder(), anOrder(), anOrder('/local')];

  await t.test('of copies to both hosts at once one passes', async () => {
    for (const sent of orders) {
      assert.deepEqual(await statusesOf(sent, hosts), { 200: 1, 401: COPIES - 1 }, sent.target);
      assert.equal(served.get(sent.target), 1, sent.target);
    }
  });

  await t.test('while Redis is away none does, or one at each host where the route says so', async () => {
    await redis.kill();
    assert.deepEqual(await statusesOf(anOrder(), hosts), { 503: COPIES });
    assert.deepEqual(await statusesOf(anOrder('/local'), hosts), { 200: 2, 401: COPIES - 2 });
    // What a host has seen, or heard of, it knows without anybody.
    for (const sent of orders) assert.deepEqual(await statusesOf(sent, hosts), { 401: COPIES }, sent.target);
    const said = await Promise.all(hosts.map((host) => host.weir('get', 'events', '-o', 'json')));
    for (const { stdout } of said) assert.match(stdout, /the fleet cannot be asked which signatures were used/);
  });

  await t.test('and when it is back it is as before', async () => {
    await redis.start();
    // By both: each looks for itself whether it is.
    const areHeard = async (): Promise<boolean> => {
      const { 200: passed, 401: refused } = await statusesOf(anOrder(), hosts, 4);
      return passed === 1 && refused === 3;
    };
    await until(areHeard, 'Redis is asked again', 20_000);
    const fresh = anOrder();
    assert.deepEqual(await statusesOf(fresh, hosts), { 200: 1, 401: COPIES - 1 });
    for (const host of hosts) assert.deepEqual(await statusesOf(fresh, [host]), { 401: COPIES });
  });
});
