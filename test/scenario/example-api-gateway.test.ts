// The example of an API gateway in docs/examples as it stands there, but for its addresses: two services, tokens, a limit in a real Redis, ids.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { startAppliance, type Answer, type Appliance } from '../support/appliance.ts';
import { makeFleetKeys } from '../support/fleet-hosts.ts';
import { startOrigin } from '../support/origin.ts';
import { startRedis } from '../support/redis-server.ts';
import { statusesOfMany } from '../support/statuses-of-many.ts';
import { aKey, aToken, keySetText } from '../support/token-issuer.ts';
import { until } from '../support/until.ts';

const EXAMPLE = readFileSync(new URL('../../docs/examples/api-gateway.yaml', import.meta.url), 'utf8');
const key = aKey('ES256');

/** The file with other addresses; each that is named must stand in it. */
function readdressed(addresses: Readonly<Record<string, string>>): string {
  return Object.entries(addresses).reduce((text, [from, to]) => {
    assert.ok(text.includes(from), `the example has no ${from} any more`);
    return text.replace(from, to);
  }, EXAMPLE);
}

async function startGateway(t: TestContext): Promise<Appliance> {
  const redis = await startRedis(t);
  const issuer = await startOrigin(t, (_request, response) => response.end(keySetText(key)));
  const echo = (cluster: string) =>
    startOrigin(t, (request, response) => response.end(`${cluster} ${request.method ?? ''} ${request.url ?? ''}`));
  const [west, east] = [await echo('eu-west'), await echo('us-east')];
  const yaml = readdressed({
    "endpoints: ['http://192.0.2.10:8000', 'http://192.0.2.11:8000']": `endpoints: ['${west.endpoint}']`,
    'http://198.51.100.10:8000': east.endpoint,
    "'https://login.example/jwks.json'": `'${issuer.endpoint}/jwks.json'`,
    "'0.0.0.0:8080'": '"127.0.0.1:0"',
    // Where a host of a test has its state, and its Redis.
    [EXAMPLE.slice(EXAMPLE.indexOf('state:'), EXAMPLE.indexOf('listeners:'))]: '',
  });
  const keys = makeFleetKeys(t);
  const place = `{ url: "redis://127.0.0.1:${redis.port}", keyFile: ${JSON.stringify(keys.file)}, limitTimeout: 500ms }`;
  return startAppliance(t, { yaml, workers: 2, redis: place, untilProbed: true });
}

const codeOf = ({ body }: Answer): string => (JSON.parse(body) as { code: string }).code;

test('the example of an API gateway does what it says', { timeout: 120_000 }, async (t) => {
  const gateway = await startGateway(t);
  const bearer = async (claims: Readonly<Record<string, unknown>> = {}) => ({ authorization: `Bearer ${await aToken(key, claims)}` });

  await t.test('with a token a request reaches its service under the path that the service knows', async () => {
    const headers = await bearer();
    await until(async () => (await gateway.get('/api/orders/7?full=1', { headers })).status === 200, 'the keys of the issuer are there');
    const orders = await gateway.get('/api/orders/7?full=1', { headers });
    assert.match(orders.body, /^(eu-west|us-east) GET \/orders\/7\?full=1$/);
    assert.equal((await gateway.get('/api/customers', { headers })).body, 'eu-west GET /customers');
    assert.equal((await gateway.get('/api/else', { headers })).status, 404);
  });

  await t.test('every answer has an id, refusals too, and no two have the same', async () => {
    const answers = [await gateway.get('/api/orders'), await gateway.get('/api/customers', { headers: await bearer() })];
    const ids = answers.map(({ headers }) => headers['x-correlation-id']);
    assert.equal(new Set(ids).size, 2);
    for (const id of ids) assert.match(String(id), /^\S{16,}$/);
  });

  await t.test('without a token, with one of somebody else and with one that is too old nobody comes in', async () => {
    const stranger = { authorization: `Bearer ${await aToken(aKey('ES256'))}` };
    const old = await bearer({ exp: Math.floor(Date.now() / 1000) - 3600 });
    for (const path of ['/api/orders', '/api/customers']) {
      for (const headers of [{}, stranger, old]) {
        const answer = await gateway.get(path, { headers });
        assert.deepEqual([answer.status, String(answer.headers['www-authenticate']).startsWith('Bearer')], [401, true]);
      }
    }
  });

  await t.test('customers are changed only by who may', async () => {
    const post = async (scope: string): Promise<Answer> =>
      gateway.get('/api/customers', { method: 'POST', headers: await bearer({ scope }) });
    assert.equal((await post('customers:write')).body, 'eu-west POST /customers');
    assert.equal((await post('customers:read')).status, 403);
  });

  await t.test('each caller has a thousand requests a minute, over both services', async () => {
    const headers = await bearer({ sub: 'busy' });
    const urls = ['/api/orders', '/api/customers'].map((path) => `${gateway.url()}${path}`);
    const startedMs = performance.now();
    const counts = await statusesOfMany(urls, { requests: 1500, headers });
    assert.deepEqual([...counts.keys()].sort(), [200, 429]);
    // The window slides on while they come; workers may have a few in hand at the end.
    const most = 1000 * (1 + (performance.now() - startedMs) / 60_000);
    const passed = counts.get(200) ?? 0;
    assert.ok(passed >= 950 && passed <= most, `${passed} of 1,500 passed`);
    const refused = await gateway.get('/api/orders', { headers });
    assert.deepEqual([refused.status, codeOf(refused)], [429, 'rate_limited']);
    assert.ok(Number(refused.headers['retry-after']) >= 1);
    assert.equal((await gateway.get('/api/orders', { headers: await bearer() })).status, 200, 'others go on');
  });
});
