// A provider ends a session at one of two edge hosts: every worker of both refuses it, also those that start later and a host that was away meanwhile.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { Browser } from '../support/browser.ts';
import { makeFleetKeys } from '../support/fleet-hosts.ts';
import { aSealKey } from '../support/login-route.ts';
import { aLogoutToken, tellLogout } from '../support/logout-token.ts';
import { CLIENT, CLIENT_SECRET, startOidcProvider, type OidcProvider } from '../support/oidc-provider.ts';
import { startOrigin } from '../support/origin.ts';
import { leastRights, REDIS_USER } from '../support/redis-rights.ts';
import { startRedis, type RedisServer } from '../support/redis-server.ts';
import { keySetText } from '../support/token-issuer.ts';
import { until } from '../support/until.ts';

interface Scene {
  readonly hosts: readonly [Appliance, Appliance];
  readonly provider: OidcProvider;
  readonly redis: RedisServer;
}

async function startFleet(t: TestContext): Promise<Scene> {
  const directory = mkdtempSync(join(tmpdir(), 'weir-logout-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  const provider = await startOidcProvider(t);
  const origin = await startOrigin(t, (_request, response) => response.end('served'));
  const redis = await startRedis(t, [leastRights()]);
  const yaml = `clusters: { one: { endpoints: ["${origin.endpoint}"] } }
services: { shop: { versions: { blue: { clusters: { one: {} } } } } }
issuers: { staff: { issuer: "${provider.issuer}", keys: { file: "${file('keys.json', keySetText(provider.key))}" } } }
routes:
  - service: shop
    filters:
      - login:
          issuer: staff
          client: ${CLIENT}
          secret: { file: "${file('secret', CLIENT_SECRET)}" }
          backChannel: /login/ended
          session: { keys: { file: "${file('session.keys', `${aSealKey()}\n`)}" } }
`;
  const user = `username: ${REDIS_USER.username}, password: { env: REDIS_PASSWORD }`;
  const shared = `{ url: "redis://127.0.0.1:${redis.port}", ${user}, keyFile: ${JSON.stringify(makeFleetKeys(t).file)} }`;
  const env = { REDIS_PASSWORD: REDIS_USER.password };
  const start = (name: string): Promise<Appliance> =>
    startAppliance(t, { yaml: `host: { name: ${name} }\n${yaml}`, workers: 2, redis: shared, env, untilProbed: true });
  return { hosts: await Promise.all([start('edge-1'), start('edge-2')]), provider, redis };
}

async function signedIn({ hosts: [one], provider }: Scene, sid: string): Promise<Browser> {
  provider.claims = { sid };
  const browser = new Browser();
  assert.equal((await browser.visit(one.url())).status, 200);
  return browser;
}

/** What this many connections, which come to whichever worker, are answered. */
const answers = async (browser: Browser, host: Appliance): Promise<ReadonlySet<number>> =>
  new Set((await Promise.all(Array.from({ length: 12 }, () => browser.copy().fetch(host.url())))).map(({ status }) => status));

const isAll = async (status: number, browser: Browser, host: Appliance): Promise<boolean> =>
  [...(await answers(browser, host))].join() === String(status);

test('a session that ended at the provider is over everywhere', { timeout: 120_000 }, async (t) => {
  const scene = await startFleet(t);
  const { hosts, provider, redis } = scene;
  const [one, two] = hosts;
  const end = async (host: Appliance, sid: string): Promise<number> =>
    (await tellLogout(`${host.url()}/login/ended`, await aLogoutToken(provider, { claims: { sid } }))).status;

  const [first, second, third, other] = [
    await signedIn(scene, '1'),
    await signedIn(scene, '2'),
    await signedIn(scene, '3'),
    await signedIn(scene, '4'),
  ];
  for (const host of hosts) for (const browser of [first, second, third, other]) assert.ok(await isAll(200, browser, host));

  await t.test('at every worker of the host that heard of it, and soon of the other', async () => {
    assert.equal(await end(one, '1'), 200);
    await until(() => isAll(401, first, one), 'all workers know', 2000);
    await until(() => isAll(401, first, two), 'the other host knows', 10_000);
    for (const host of hosts) assert.ok(await isAll(200, second, host));
  });

  await t.test('at workers and a controller that were started since', async () => {
    const before = two.pids();
    for (const pid of [...before.workers, before.controller]) process.kill(pid, 'SIGKILL');
    const areOthers = (): boolean => {
      const { workers, controller } = two.pids();
      return controller !== before.controller && workers.length === 2 && workers.every((pid) => !before.workers.includes(pid));
    };
    await until(areOthers, 'others are there', 20_000);
    await until(() => isAll(200, second, two).catch(() => false), 'they serve', 20_000);
    assert.ok(await isAll(401, first, two));
  });

  await t.test('while Redis is away at the host alone, and at the other when it is back', async () => {
    await redis.kill();
    assert.equal(await end(one, '2'), 200);
    await until(() => isAll(401, second, one), 'all workers of the host know', 2000);
    assert.ok(await isAll(200, second, two), 'nobody could tell the other');
    await redis.start();
    await until(() => isAll(401, second, two), 'the other host knows', 20_000);
  });

  await t.test('also when Redis has lost all that it had', async () => {
    await redis.forget();
    assert.equal(await end(two, '3'), 200);
    await until(() => isAll(401, third, one), 'the first host knows', 20_000);
    for (const host of hosts) assert.deepEqual([await isAll(401, first, host), await isAll(200, other, host)], [true, true]);
  });
});
