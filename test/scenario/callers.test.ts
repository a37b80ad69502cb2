// Who calls, end to end: credentials made by the command, a real edge host with two workers, a key taken out by a reload.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAppliance } from '../support/appliance.ts';
import { runWeir } from '../support/command.ts';
import { startOrigin } from '../support/origin.ts';

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
