// Clients keep their place over all workers of a host: by a hash that each works out alike, or by a cookie that one command voids.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TargetView } from '../../balancer/controller/api/views.ts';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { named, startOrigin } from '../support/origin.ts';
import { PacedLoad } from '../support/paced-load.ts';
import { until } from '../support/until.ts';

const USERS = Array.from({ length: 40 }, (_, user) => `user-${user}`);

test('clients keep their place on every worker', async (t) => {
  const blue = await startOrigin(t, named('blue'));
  const green = await startOrigin(t, named('green'));
  const appliance = await startAppliance(t, { yaml: config(blue.endpoint, green.endpoint), workers: 2, untilProbed: true });

  /** Connections of their own, so that both workers answer. */
  const placesByHash = async (): Promise<readonly string[]> =>
    Promise.all(USERS.map(async (user) => (await appliance.get('/hash', { headers: { 'x-user': user } })).body));

  await t.test('a hash gives the same answer again and again, and a shift moves only who is added', async () => {
    const before = await placesByHash();
    for (let again = 0; again < 3; again += 1) assert.deepEqual(await placesByHash(), before);
    await weir(appliance, 'shift', 'hashed', 'green=60');
    const after = await placesByHash();
    assert.ok(before.every((place, user) => place === 'blue' || after[user] === 'green'));
    assert.ok(after.filter((place) => place === 'green').length > before.filter((place) => place === 'green').length);
  });

  await t.test('a cookie is given once and counts on every worker until the pins are void, and again after an undo', async () => {
    const first = await appliance.get('/cookie');
    const given = cookieOf(first.headers['set-cookie']);
    assert.match(given, new RegExp(`^weir-pinned=pinned\\.0\\.${first.body}\\.`));
    const keeps = async (): Promise<void> => {
      for (let again = 0; again < 12; again += 1) {
        const { body, headers } = await appliance.get('/cookie', { headers: { cookie: given } });
        assert.deepEqual([body, headers['set-cookie']], [first.body, undefined]);
      }
    };
    await keeps();
    await weir(appliance, 'shift', 'pinned', `${first.body}=0`);
    await keeps();
    assert.match(
      await weir(appliance, 'pins', 'void', 'pinned', '--reason', 'withdrawn'),
      /pins given before are void[^]*applied on 2\/2 workers/,
    );
    const other = first.body === 'blue' ? 'green' : 'blue';
    for (let again = 0; again < 12; again += 1) {
      const { body, headers } = await appliance.get('/cookie', { headers: { cookie: given } });
      assert.equal(body, other);
      assert.match(cookieOf(headers['set-cookie']), new RegExp(`^weir-pinned=pinned\\.[1-9]\\d*\\.${other}\\.`));
    }
    await weir(appliance, 'undo');
    await keeps();
    assert.match(await weir(appliance, 'history'), /pins void pinned/);
  });

  await t.test('the share of new clients is told apart from that of requests, and the split is judged by it', async () => {
    await weir(appliance, 'shift', 'pinned', 'green=100');
    const old = cookieOf((await appliance.get('/cookie')).headers['set-cookie']);
    await weir(appliance, 'shift', 'pinned', 'blue=100');
    const loads = [new PacedLoad(t, `${appliance.url()}/cookie`, 40, { cookie: old }), new PacedLoad(t, `${appliance.url()}/cookie`, 40)];
    const green = async (): Promise<TargetView | undefined> =>
      (await appliance.status()).services.find(({ name }) => name === 'pinned')?.targets.find(({ version }) => version === 'green');
    const judged = async (): Promise<boolean> => {
      const { respected, newShare, observedShare = 0 } = (await green()) ?? {};
      return respected === true && newShare === 0 && observedShare > 0.3;
    };
    await until(judged, 'old clients are seen in green and no new ones, and the split counts as respected', 30_000);
    assert.match(
      await weir(appliance, 'get', 'services', 'pinned', '-o', 'wide'),
      / blue=\d\d\.\d% green=[3-7]\d\.\d% +blue=100\.0% green=0\.0% /,
    );
    const told = async (): Promise<boolean> =>
      (await appliance.metricSum('weir_share_new_ratio', { service: 'pinned', version: 'green' })) === 0;
    await until(told, 'the metric says the same, with what was known a second ago', 5000);
    await Promise.all(loads.map((load) => load.stop()));
  });
});

async function weir(appliance: Appliance, ...args: readonly string[]): Promise<string> {
  const change = args[0] === 'history' || args[0] === 'get' ? [] : ['--yes'];
  const { code, stdout, stderr } = await appliance.weir(...args, ...change);
  assert.equal(code, 0, stderr);
  return stdout;
}

function cookieOf(fields: readonly string[] | undefined): string {
  return fields?.[0]?.split(';')[0] ?? '';
}

function config(blue: string, green: string): string {
  const versions = '{ blue: { clusters: { east: {} } }, green: { clusters: { west: {} } } }';
  return `clusters:
  east: { endpoints: ["${blue}"], health: { http: { path: /healthz }, interval: 200ms } }
  west: { endpoints: ["${green}"], health: { http: { path: /healthz }, interval: 200ms } }
services:
  hashed: { versions: ${versions}, split: { blue: 75, green: 25 }, sticky: { mode: hash, key: "header:x-user" } }
  pinned: { versions: ${versions}, split: { blue: 50, green: 50 }, sticky: { mode: cookie } }
routes:
  - { service: hashed, match: { path: /hash } }
  - { service: pinned, match: { path: /cookie } }
`;
}
