// Limits of a fleet: two real edge hosts with two workers each count together in a real Redis, and do as each limit declares while that is away.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { makeFleetKeys } from '../support/fleet-hosts.ts';
import { startOrigin } from '../support/origin.ts';
import { startRedis, type RedisServer } from '../support/redis-server.ts';
import { statusesOfMany } from '../support/statuses-of-many.ts';
import { until } from '../support/until.ts';

const LIMIT = 1000;
const SETTLE_MS = 20_000;

/** name → what it says beside `by: [header:x-tenant], per: 24h, algorithm: fixed, scope: fleet`. */
const LIMITS = {
  exact: `allow: ${LIMIT}, mode: exact, onStoreError: deny`,
  lease: `allow: ${LIMIT}, mode: lease`,
  open: 'allow: 10, mode: exact, onStoreError: allow',
  closed: 'allow: 10, mode: exact, onStoreError: deny',
  own: 'allow: 10, mode: exact, onStoreError: local',
};

type LimitName = keyof typeof LIMITS | 'quota' | 'dear' | 'told';

/** Of a request, where it is not one: by the route, or as the answer says. All of them take of the same limit. */
const DEAR = 10;
const TOLD = LIMIT - 5;

interface FleetUnderTest {
  readonly hosts: readonly [Appliance, Appliance];
  readonly redis: RedisServer;
}

async function startFleet(t: TestContext): Promise<FleetUnderTest> {
  const redis = await startRedis(t);
  const origin = await startOrigin(t, (_request, response) => response.setHeader('x-units', TOLD).end('served'));
  const keys = makeFleetKeys(t);
  const names = Object.keys(LIMITS);
  const yaml = `clusters: { one: { endpoints: ["${origin.endpoint}"] } }
services: { shop: { versions: { blue: { clusters: { one: {} } } } } }
routes:
${names.map((name) => `  - { name: ${name}, match: { path: /${name} }, service: shop, filters: [{ addressLimit: { limits: [${name}] } }] }`).join('\n')}
  - { name: dear, match: { path: /dear }, service: shop, filters: [{ addressLimit: { limits: [exact], cost: ${DEAR} } }] }
  - { name: told, match: { path: /told }, service: shop, filters: [{ addressLimit: { limits: [exact], costFromAnswer: { field: x-units } } }] }
  - { name: quota, match: { path: /quota }, service: shop, filters: [{ authenticate: { key: {}, anonymous: acme } }, { rateLimit: { limits: [quota] } }] }
consumers: { acme: {} }
limits:
  quota: { by: [consumer], allow: 50, per: month, scope: fleet }
${Object.entries(LIMITS)
  .map(([name, said]) => `  ${name}: { by: ["header:x-tenant"], per: 24h, algorithm: fixed, scope: fleet, ${said} }`)
  .join('\n')}
`;
  // Ten thousand requests are more than this machine answers in 50 ms.
  const shared = `{ url: "redis://127.0.0.1:${redis.port}", keyFile: ${JSON.stringify(keys.file)}, limitTimeout: 500ms }`;
  const start = (name: string): Promise<Appliance> =>
    startAppliance(t, { yaml: `host: { name: ${name} }\n${yaml}`, workers: 2, redis: shared, untilProbed: true });
  const hosts = await Promise.all([start('edge-1'), start('edge-2')]);
  for (const host of hosts)
    await until(async () => /^edge-2/m.test((await host.weir('get', 'edges')).stdout), 'the hosts know each other', SETTLE_MS);
  return { hosts, redis };
}

test('two hosts share their limits', { timeout: 120_000 }, async (t) => {
  const { hosts, redis } = await startFleet(t);
  const [one] = hosts;
  const statuses = (limit: LimitName, tenant: string, requests: number, at: readonly Appliance[] = hosts): Promise<Map<number, number>> =>
    statusesOfMany(
      at.map((host) => `${host.url()}/${limit}`),
      { requests, headers: { 'x-tenant': tenant } },
    );

  await t.test('of ten times the limit at once exactly the limit passes, where it is exact', async () => {
    const counts = await statuses('exact', 'a', 10 * LIMIT);
    assert.deepEqual(Object.fromEntries(counts), { 200: LIMIT, 429: 9 * LIMIT });
  });

  await t.test('and no more than it, and hardly less, where hosts take requests in advance', async () => {
    const counts = await statuses('lease', 'a', 3 * LIMIT);
    assert.deepEqual(new Set(counts.keys()), new Set([200, 429]));
    const passed = counts.get(200) ?? 0;
    assert.ok(passed <= LIMIT && passed >= 0.95 * LIMIT, `${passed}`);
  });

  await t.test('what one host has let pass, the other knows', async () => {
    assert.deepEqual(Object.fromEntries(await statuses('closed', 'a', 10, [one])), { 200: 10 });
    assert.deepEqual(Object.fromEntries(await statuses('closed', 'a', 5, hosts.slice(1))), { 429: 5 });
  });

  await t.test('what requests cost is taken of the limit of both', async () => {
    assert.deepEqual(Object.fromEntries(await statuses('dear', 'dear', LIMIT)), { 200: LIMIT / DEAR, 429: LIMIT - LIMIT / DEAR });

    const [at, other] = [[one], hosts.slice(1)];
    assert.deepEqual(Object.fromEntries(await statuses('told', 'told', 1, at)), { 200: 1 });
    let before = 0;
    const isTaken = async (): Promise<boolean> => {
      const passes = (await statuses('dear', 'told', 1, other)).has(200);
      if (passes) before += 1;
      return !passes;
    };
    await until(isTaken, 'the other host knows what the answer has said', SETTLE_MS);
    const left = Math.max(0, LIMIT - TOLD - before * DEAR);
    assert.equal((await statuses('exact', 'told', 2 * DEAR, other)).get(200) ?? 0, left);
  });

  await t.test('a quota of a month is one for both, and a reset at one host is a reset at the other', async () => {
    const used = async (host: Appliance | undefined): Promise<string> =>
      /^acme .* (\d+ +\d+) +2/m.exec((await host?.weir('get', 'quotas'))?.stdout ?? '')?.[1]?.replace(/ +/, ' ') ?? '';
    assert.deepEqual(Object.fromEntries(await statuses('quota', 'a', 60)), { 200: 50, 429: 10 });
    assert.deepEqual([await used(hosts[0]), await used(hosts[1])], ['50 0', '50 0']);
    const reset = await one.weir('quota', 'reset', 'acme', '--yes');
    assert.equal(reset.code, 0, reset.stderr);
    await until(async () => (await used(hosts[1])) === '0 50', 'the other host has followed', SETTLE_MS);
    assert.deepEqual(Object.fromEntries(await statuses('quota', 'a', 60)), { 200: 50, 429: 10 });
  });

  await t.test('without Redis each limit does as it declares', async () => {
    await redis.kill();
    const after = async (limit: LimitName): Promise<object> => Object.fromEntries(await statuses(limit, 'b', 40, [one]));
    assert.deepEqual(await after('open'), { 200: 40 });
    assert.deepEqual(await after('closed'), { 503: 40 });
    // One of two hosts has half of it.
    assert.deepEqual(await after('own'), { 200: 5, 429: 35 });
    const refused = await one.get('/closed', { headers: { 'x-tenant': 'b' } });
    assert.match(refused.body, /limits_unavailable/);
    assert.ok((await one.metricSum('weir_fleet_limit_questions_total', { outcome: 'away' })) > 0);
  });

  await t.test('and counts for all again when Redis is back', async () => {
    await redis.start();
    const counted = async (): Promise<boolean> => (await statuses('closed', 'c', 1)).has(200);
    await until(counted, 'it counts again', SETTLE_MS);
    const events = (await one.events()).map(({ text }) => text);
    assert.ok(events.some((text) => text.startsWith('limits of the fleet cannot be counted, each does as its onStoreError says: Redis ')));
    assert.ok(events.includes('limits of the fleet are counted again'));
  });
});
