// A/B on a real appliance: rules take requests to a version of weight 0, over HTTP/1.1 and HTTP/2, and the split stays what it is for all others.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExplainView } from '../../balancer/controller/api/views.ts';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { connectNodeHttp2, responseTo } from '../support/node-http2.ts';
import { named, startOrigin } from '../support/origin.ts';
import { PacedLoad } from '../support/paced-load.ts';
import { until } from '../support/until.ts';

const USERS = Array.from({ length: 60 }, (_, user) => `user-${user}`);

test('rules take requests before the split', async (t) => {
  const blue = await startOrigin(t, named('blue'));
  const green = await startOrigin(t, named('green'));
  const appliance = await startAppliance(t, { yaml: config(blue.endpoint, green.endpoint), workers: 2, untilProbed: true });
  const asUser = async (user: string): Promise<string> => (await appliance.get('/', { headers: { cookie: `uid=${user}` } })).body;

  await t.test('by header field, query parameter and cookie, on HTTP/1.1 and HTTP/2; the others see nothing of it', async () => {
    const session = await connectNodeHttp2(t, appliance.url());
    const h2 = async (path: string, headers: Readonly<Record<string, string>> = {}): Promise<string> =>
      (await responseTo(session.request({ ':path': path, ...headers }))).body.toString();
    assert.equal((await appliance.get('/', { headers: { 'x-beta': '1' } })).body, 'green');
    assert.equal((await appliance.get('/?beta=1')).body, 'green');
    assert.equal(await h2('/', { 'x-beta': '1' }), 'green');
    assert.equal(await h2('/?beta=1'), 'green');
    assert.equal(await h2('/', { cookie: 'tester=yes' }), 'green');
    for (let one = 0; one < 10; one += 1) assert.deepEqual([(await appliance.get('/')).body, await h2('/')], ['blue', 'blue']);
  });

  await t.test('a bucket of users is the same on every worker, and explain names it', async () => {
    const first = await Promise.all(USERS.map(asUser));
    for (let again = 0; again < 2; again += 1) assert.deepEqual(await Promise.all(USERS.map(asUser)), first);
    const user = USERS[first.indexOf('green')] ?? '';
    const { by, text, bucketPercent } = await chosen(appliance, `cookie: uid=${user}`);
    assert.deepEqual([by, text], ['assign', 'rule 4 (bucket 0% to 25% of cookie:uid) says green']);
    assert.ok(bucketPercent !== null && bucketPercent < 25);
    assert.equal((await chosen(appliance, `cookie: uid=${USERS[first.indexOf('blue')] ?? ''}`)).by, 'split');
  });

  await t.test('shares are observed without what rules took, so the split counts as respected', async () => {
    const loads = [new PacedLoad(t, appliance.url(), 60), new PacedLoad(t, `${appliance.url()}/?beta=1`, 60)];
    const judged = async (): Promise<boolean> =>
      (await appliance.metricSum('weir_assigned_requests_total', { version: 'green' })) > 150 &&
      (await appliance.metrics()).split('\n').filter((line) => line.startsWith('weir_share_respected{')).length === 2;
    await until(judged, 'rules have taken much, and the shares have been judged', 20_000);
    const targets = (await appliance.status()).services[0]?.targets ?? [];
    assert.deepEqual(
      targets.map(({ version, observedShare, respected }) => [version, observedShare, respected]),
      [
        ['blue', 1, true],
        ['green', 0, true],
      ],
    );
    await Promise.all(loads.map((load) => load.stop()));
  });

  await t.test('the versions are held side by side', async () => {
    const { stdout, stderr } = await appliance.weir('describe', 'service', 'shop');
    assert.match(
      stdout,
      /results of the last [^]*differences to blue[^]*\n +blue +100% +\d{2,}[^]*\n +green +0% +\d{2,} +0 +0% +0% \[-/,
      stderr,
    );
  });

  await t.test('where the version has no place they go by the split', async () => {
    assert.equal((await appliance.weir('drain', 'west', '--yes')).code, 0);
    assert.equal((await appliance.get('/?beta=1')).body, 'blue');
    assert.match(
      (await chosen(appliance, 'x-beta: 1')).text,
      /^rule 1 \(header field x-beta: 1\) says green, which has no place now; each request goes by the split/,
    );
    assert.equal((await appliance.weir('restore', 'west', '--yes')).code, 0);
    assert.equal((await appliance.get('/?beta=1')).body, 'green');
  });
});

async function chosen(appliance: Appliance, header: string): Promise<NonNullable<ExplainView['service']>['choice']> {
  const { stdout, stderr } = await appliance.weir('explain', `${appliance.url()}/`, '--header', header, '-o', 'json');
  assert.notEqual(stdout, '', stderr);
  const { items } = JSON.parse(stdout) as { readonly items: readonly ExplainView[] };
  const choice = items[0]?.service?.choice;
  assert.ok(choice !== undefined);
  return choice;
}

function config(blue: string, green: string): string {
  return `clusters:
  east: { endpoints: ["${blue}"], health: { http: { path: /healthz }, interval: 200ms } }
  west: { endpoints: ["${green}"], health: { http: { path: /healthz }, interval: 200ms } }
services:
  shop:
    versions: { blue: { clusters: { east: {} } }, green: { clusters: { west: {} } } }
    split: { blue: 100, green: 0 }
    assign:
      - { to: green, match: { headers: { x-beta: "1" } } }
      - { to: green, match: { query: { beta: "1" } } }
      - { to: green, match: { cookies: { tester: { present: true } } } }
      - { to: green, match: { bucket: { key: "cookie:uid", upTo: 25% } } }
routes: [ { service: shop } ]
`;
}
