// A quota of a real edge host: killed with all its processes in the middle of requests it lets no more pass, commands show what is used, and reset it.
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import type { ConsumerView, QuotaView } from '../../balancer/controller/api/views.ts';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { startOrigin } from '../support/origin.ts';
import { statusesOfMany } from '../support/statuses-of-many.ts';
import { until } from '../support/until.ts';

const QUOTA = 1500;
const SMALL = 20;
const keyOf = (consumer: string): string => `${consumer}_1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA`;

test('a quota outlives the host', { timeout: 120_000 }, async (t) => {
  let served = 0;
  const origin = await startOrigin(t, (_request, response) => {
    served += 1;
    response.end('served');
  });
  const consumer = (name: string, plan: string): string =>
    `{ ${plan}keys: [{ id: ${name}_1, hash: "sha256:${hash('sha256', keyOf(name))}" }] }`;
  const yaml = (planOfOther: string): string => `clusters: { one: { endpoints: ["${origin.endpoint}"] } }
services: { shop: { versions: { blue: { clusters: { one: {} } } } } }
routes: [{ service: shop, filters: [{ authenticate: { key: { header: x-api-key } } }, { rateLimit: { limits: [monthly] } }] }]
consumers: { acme: ${consumer('acme', 'plan: gold, ')}, other: ${consumer('other', planOfOther)}, third: ${consumer('third', 'plan: gold, ')} }
plans: { gold: { limits: { monthly: ${QUOTA} } } }
limits: { monthly: { by: [consumer], allow: ${SMALL}, per: month } }
`;
  const passed = async (appliance: Appliance, who: string, requests: number): Promise<number> => {
    const counts = await statusesOfMany([appliance.url()], { requests, headers: { 'x-api-key': keyOf(who) } });
    for (const status of counts.keys()) assert.ok(status === 200 || status === 429, `${status}`);
    return counts.get(200) ?? 0;
  };
  const quotasOf = async (appliance: Appliance, who: string): Promise<readonly QuotaView[]> =>
    (JSON.parse((await appliance.weir('get', 'quotas', who, '-o', 'json')).stdout) as { readonly items: readonly QuotaView[] }).items;

  const first = await startAppliance(t, { yaml: yaml(''), untilProbed: true });
  let all = await passed(first, 'acme', 500);
  assert.equal(all, 500);
  assert.equal(await passed(first, 'other', 2 * SMALL), SMALL);
  const told = await first.get('/', { headers: { 'x-api-key': keyOf('acme') } });
  all += 1;
  assert.equal(told.headers['ratelimit-policy'], `"monthly";q=${QUOTA}`);
  const reset = /^"monthly";r=\d+;t=(\d+)$/.exec(String(told.headers['ratelimit']))?.[1];
  const now = new Date();
  const endMs = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1);
  assert.ok(Math.abs(Number(reset) - (endMs - Date.now()) / 1000) < 60, `${reset}`);

  // Requests are under way when every process is killed.
  served = 0;
  const under = passed(first, 'acme', 1000).catch(() => 0);
  await until(() => served > 100, 'requests are under way', 20_000);
  await first.kill();
  await under;
  // Not all that came to the origin were answered, and all of them passed.
  all += served;

  const second = await startAppliance(t, { yaml: yaml('plan: gold, '), stateFrom: join(first.directory, 'state'), untilProbed: true });
  all += await passed(second, 'acme', QUOTA);
  assert.ok(all <= QUOTA && all >= 0.97 * QUOTA, `${all} of ${QUOTA}`);
  // What was used under no plan stays used under another.
  const other = await passed(second, 'other', QUOTA);
  assert.ok(other <= QUOTA - SMALL && other >= 0.97 * QUOTA, `${other}`);

  await t.test('commands show it', async () => {
    const [quota] = await quotasOf(second, 'acme');
    assert.deepEqual(
      { ...quota },
      {
        ...{ consumer: 'acme', quota: 'monthly', plan: 'gold', window: 'month', allow: QUOTA, scope: 'host', used: QUOTA, left: 0 },
        resetsAt: new Date(endMs).toISOString(),
      },
    );
    assert.match((await second.weir('get', 'quotas')).stdout, /^acme +monthly +gold +month +1500 +1500 +0 /m);
    const { items } = JSON.parse((await second.weir('describe', 'consumer', 'acme', '-o', 'json')).stdout) as {
      readonly items: readonly ConsumerView[];
    };
    assert.deepEqual(items[0]?.quotas, [quota]);
    assert.match((await second.weir('describe', 'consumer', 'acme')).stdout, /^plan: +gold$[\s\S]*monthly/m);
  });

  await t.test('workers that are replaced in order give back what they had in hand', async () => {
    assert.equal(await passed(second, 'third', 100), 100);
    const restarted = await second.weir('restart', 'workers');
    assert.equal(restarted.code, 0, restarted.stderr);
    const used = async (): Promise<boolean> => (await quotasOf(second, 'third'))[0]?.used === 100;
    await until(used, 'only what passed is used', 20_000);
  });

  await t.test('a reset lets it begin anew, is in the audit, and can be taken back', async () => {
    const done = await second.weir('quota', 'reset', 'acme', '--reason', 'their importer ran wild', '--yes');
    assert.equal(done.code, 0, done.stderr);
    assert.match((await second.weir('audit')).stdout, /quota reset acme.*their importer ran wild/);
    assert.equal((await quotasOf(second, 'acme'))[0]?.used, 0);
    assert.equal(await passed(second, 'acme', 100), 100);
    assert.equal((await second.weir('undo', '--yes')).code, 0);
    assert.equal((await quotasOf(second, 'acme'))[0]?.used, QUOTA);
    const unknown = await second.weir('quota', 'reset', 'acmee', '--yes');
    assert.equal(unknown.code, 5);
    assert.match(unknown.stderr, /there is no consumer "acmee"; did you mean "acme"/);
    assert.match(
      (await second.weir('quota', 'reset', 'acme', '--limit', 'hourly', '--yes')).stderr,
      /"hourly" is no quota of consumers.*as monthly/,
    );
  });
});
