// Who calls, end to end: credentials made by the command, a real edge host with two workers, a key taken out by a reload.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAppliance } from '../support/appliance.ts';
import { runWeir } from '../support/command.ts';
import { startOrigin } from '../support/origin.ts';
import { aKey, aToken, ISSUER, keySetText } from '../support/token-issuer.ts';
import { until } from '../support/until.ts';

test('callers are let on by what the command made for them, until a reload takes it back', async (t) => {
  const origin = await startOrigin(t, (request, response) => {
    response.end(String(request.headers['x-consumer']));
  });
  const key = await runWeir(['consumer', 'key', 'acme', '-o', 'json']);
  const made = (JSON.parse(key.stdout) as { items: { key: string; id: string; hash: string }[] }).items[0];
  assert.ok(made !== undefined && key.stderr.includes(`- { id: ${made.id}, hash: "${made.hash}" }`));
  const password = await runWeir(['consumer', 'password', 'anna'], { stdin: 'horse and battery\n' });
  const file = (keys: string): string => `version: 1
listeners: { web: { bind: "127.0.0.1:0" } }
clusters: { one: { endpoints: ["${origin.endpoint}"] } }
services: { shop: { versions: { blue: { clusters: { one: {} } } } } }
routes:
  - service: shop
    filters:
      - authenticate: { key: {}, basic: {} }
      - authorize: { rules: [{ groups: [partners] }] }
consumers:
  acme:
    groups: [partners]
    keys: [${keys}]
    passwords:
      ${password.stdout.trim()}
  other: { passwords: [{ user: otto, hash: ${/"(scrypt[^"]+)"/.exec(password.stdout)?.[1] ?? ''} }] }
`;
  const appliance = await startAppliance(t, { yaml: file(`{ id: ${made.id}, hash: "${made.hash}" }`), workers: 2, untilProbed: true });
  const as = async (headers: Readonly<Record<string, string>>): Promise<readonly [number, string]> => {
    const { status, body } = await appliance.get('/', { headers });
    return [status, body];
  };
  const basic = (user: string): Readonly<Record<string, string>> => ({
    authorization: `Basic ${Buffer.from(`${user}:horse and battery`).toString('base64')}`,
  });
  assert.deepEqual(await as({ 'x-api-key': made.key }), [200, 'acme']);
  assert.deepEqual(await as(basic('anna')), [200, 'acme']);
  assert.equal((await as(basic('otto')))[0], 403);
  assert.equal((await as({ 'x-consumer': 'acme' }))[0], 401);

  appliance.rewrite((yaml) => yaml.replace(/keys: \[.*\]/, 'keys: []'));
  const applied = await appliance.weir('config', 'apply', appliance.configFile);
  assert.equal(applied.code, 0, applied.stderr);
  for (let one = 0; one < 8; one += 1) assert.equal((await as({ 'x-api-key': made.key }))[0], 401);
  assert.deepEqual(await as(basic('anna')), [200, 'acme']);
});

test('tokens are checked by keys that the issuer publishes: changed, gone for a while, and back', async (t) => {
  const [first, second] = [aKey('ES256', 'first'), aKey('ES256', 'second')];
  let published: string | null = null;
  const issuer = await startOrigin(t, (_request, response) => {
    if (published === null) response.writeHead(503);
    response.end(published ?? '');
  });
  const origin = await startOrigin(t, (request, response) => {
    response.end(String(request.headers['x-consumer']));
  });
  const yaml = `version: 1
listeners: { web: { bind: "127.0.0.1:0" } }
clusters: { one: { endpoints: ["${origin.endpoint}"] } }
services: { shop: { versions: { blue: { clusters: { one: {} } } } } }
routes: [{ service: shop, filters: [{ authenticate: { jwt: { issuers: [login] } } }] }]
consumers: { acme: { subjects: [anna] } }
issuers: { login: { issuer: "${ISSUER}", audiences: [shop], keys: { url: "${issuer.endpoint}/jwks.json" } } }
`;
  const appliance = await startAppliance(t, { yaml, workers: 2, untilProbed: true });
  const answerTo = async (token: string): Promise<readonly [number, string]> => {
    const { status, body } = await appliance.get('/', { headers: { authorization: `Bearer ${token}` } });
    return [status, status === 200 ? body : (JSON.parse(body) as { code: string }).code];
  };
  const tokens = [await aToken(first), await aToken(second)] as const;

  await t.test('before the keys ever came nobody is told that the token is wrong', async () => {
    assert.deepEqual(await answerTo(tokens[0]), [503, 'authentication_unavailable']);
  });
  await t.test('as soon as they are published, tokens are good', async () => {
    published = keySetText(first);
    await until(async () => (await answerTo(tokens[0]))[0] === 200, 'the keys are fetched', 20_000);
    for (let one = 0; one < 8; one += 1) await until(async () => (await answerTo(tokens[0]))[0] === 200, 'every worker has them');
  });
  await t.test('an issuer that is gone, and a controller that is killed, change nothing', async () => {
    published = null;
    const killed = appliance.pids().controller;
    process.kill(killed, 'SIGKILL');
    await until(() => ![0, killed].includes(appliance.pids().controller), 'the controller is back', 20_000);
    for (let one = 0; one < 8; one += 1) assert.deepEqual(await answerTo(tokens[0]), [200, 'acme']);
    assert.equal((await answerTo(tokens[1]))[0], 401);
  });
  await t.test('with new keys new tokens are good, and those of the old keys are not any more', async () => {
    published = keySetText(second);
    const isChanged = async (): Promise<boolean> => (await answerTo(tokens[1]))[0] === 200 && (await answerTo(tokens[0]))[0] === 401;
    for (let one = 0; one < 8; one += 1) await until(isChanged, 'every worker has the new keys', 20_000);
  });
});

test('failures of an address are counted for the host: its workers let no more guesses be looked at than the limit says', async (t) => {
  const origin = await startOrigin(t, (_request, response) => response.end('in'));
  const yaml = `clusters: { one: { endpoints: ["${origin.endpoint}"] } }
services: { shop: { versions: { blue: { clusters: { one: {} } } } } }
consumers: { acme: {} }
limits: { guesses: { by: [address], allow: 10, per: 1h } }
routes: [{ service: shop, filters: [{ authenticate: { key: {}, failures: guesses } }] }]
`;
  const appliance = await startAppliance(t, { yaml, workers: 3, untilProbed: true });
  const counts: Record<number, number> = {};
  for (let one = 0; one < 60; one += 1) {
    const { status } = await appliance.get('/', { headers: { 'x-api-key': `guess-${one}` } });
    counts[status] = (counts[status] ?? 0) + 1;
  }
  assert.deepEqual(counts, { 401: 10, 429: 50 });
});
