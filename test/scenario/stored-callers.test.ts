// Callers of a real edge host that come and go by command: known to all workers when it returns, without another config, over a restart, and no key stands anywhere but where it was printed.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ConsumerView } from '../../balancer/controller/api/views.ts';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { startOrigin } from '../support/origin.ts';
import { until } from '../support/until.ts';

test('callers come and go by command', { timeout: 120_000 }, async (t) => {
  const origin = await startOrigin(t, (request, response) => response.end(String(request.headers['x-consumer-groups'])));
  const yaml = `workers: 2
clusters: { one: { endpoints: ["${origin.endpoint}"] } }
services: { shop: { versions: { blue: { clusters: { one: {} } } } } }
routes: [{ service: shop, filters: [{ authenticate: { key: {} } }, { authorize: { rules: [{ when: '"vip" in consumer.tags' }] } }] }]
consumers: { declared: {} }
credentials: { pepper: { env: WEIR_TEST_PEPPER } }
`;
  const env = { WEIR_TEST_PEPPER: 'pepper' };
  const first = await startAppliance(t, { yaml, untilProbed: true, env });
  const statuses = async (appliance: Appliance, key: string): Promise<readonly number[]> => {
    // Each on a connection of its own, so that both workers are asked.
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => appliance.get('/', { headers: { 'x-api-key': key, connection: 'close' } })),
    );
    return [...new Set(answers.map(({ status }) => status))];
  };
  const consumer = async (appliance: Appliance, name: string): Promise<ConsumerView | undefined> => {
    const { stdout } = await appliance.weir('get', 'consumers', '-o', 'json');
    return (JSON.parse(stdout) as { readonly items: readonly ConsumerView[] }).items.find((one) => one.name === name);
  };

  const refused = await first.weir('consumer', 'add', 'declared');
  assert.equal(refused.code, 6);
  assert.match(refused.stderr, /consumer "declared" is declared in the config, which holds/);
  const added = await first.weir('consumer', 'add', 'acme', '--group', 'partners', '--tag', 'vip', '--reason', 'contract');
  assert.equal(added.code, 0, added.stderr);
  const issued = await first.weir('consumer', 'credential', 'issue', 'acme', '--expires', '90d');
  assert.equal(issued.code, 0, issued.stderr);
  const key = issued.stdout.trim();
  assert.match(key, /^acme_[0-9a-f]{12}\.[A-Za-z0-9_-]{32}$/);
  assert.deepEqual(await statuses(first, key), [200]);
  assert.deepEqual(await statuses(first, `${key}x`), [401]);
  const id = key.slice(0, key.indexOf('.'));
  await until(async () => (await consumer(first, 'acme'))?.keys[0]?.lastUsedAt !== null, 'the use of the key is told');
  const view = await consumer(first, 'acme');
  assert.deepEqual([view?.source, view?.groups, view?.tags, view?.keys.map((one) => one.id)], ['store', ['partners'], ['vip'], [id]]);

  const dry = await first.weir('consumer', 'credential', 'issue', 'acme', '--dry-run');
  assert.deepEqual([dry.code, /acme_[0-9a-f]{12}\./.test(dry.stdout)], [10, false]);
  const set = await first.weir('consumer', 'set', 'acme', '--tag', '');
  assert.equal(set.code, 0, set.stderr);
  assert.deepEqual(await statuses(first, key), [403]);
  assert.equal((await first.weir('undo')).code, 0);
  assert.deepEqual(await statuses(first, key), [200]);

  await first.stop();
  for (const file of await readdir(join(first.directory, 'state'), { recursive: true, withFileTypes: true }))
    if (file.isFile()) assert.ok(!(await readFile(join(file.parentPath, file.name))).includes(key), `${file.name} has the key`);
  const second = await startAppliance(t, { yaml, stateFrom: join(first.directory, 'state'), untilProbed: true, env });
  assert.deepEqual(await statuses(second, key), [200]);
  assert.equal((await consumer(second, 'acme'))?.keys[0]?.id, id);
  const revoked = await second.weir('consumer', 'credential', 'revoke', 'acme', id);
  assert.equal(revoked.code, 0, revoked.stderr);
  assert.deepEqual(await statuses(second, key), [401]);
  assert.equal((await second.weir('undo')).code, 5);
  assert.deepEqual(await statuses(second, key), [401]);
  assert.equal((await second.weir('consumer', 'remove', 'acme')).code, 0);
  assert.equal(await consumer(second, 'acme'), undefined);
});
