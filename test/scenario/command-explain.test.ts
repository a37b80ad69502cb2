// weir explain against a real appliance: what it says of a request is what becomes of the request.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExplainView, RememberedRequest } from '../../balancer/controller/api/views.ts';
import { startAppliance, type Appliance } from '../support/appliance.ts';
import { named, startOrigin } from '../support/origin.ts';

test('weir explain says where a request goes, and it goes there', async (t) => {
  const blue = await startOrigin(t, named('blue'));
  const green = await startOrigin(t, named('green'));
  const appliance = await startAppliance(t, { yaml: config(blue.endpoint, green.endpoint), workers: 2, untilProbed: true });

  await t.test('the route, why it goes before the others, and the chances of each place', async () => {
    const { route, otherRoutes, service, request } = await explain(appliance, `${appliance.url()}/split/../split/x?y=1`);
    assert.equal(request?.path, '/split/x');
    assert.deepEqual([route?.name, route?.because], ['split', 'before rest: its path is longer']);
    assert.deepEqual(otherRoutes, [{ route: 'rest', because: 'no other is left' }]);
    assert.equal(service?.choice.by, 'split');
    assert.deepEqual(chances(service), { 'blue/east': 0.75, 'green/west': 0.25 });
    assert.equal(service.candidates[0]?.endpoints[0]?.health, 'up');
  });

  await t.test('a key leads to the version that answers its requests', async () => {
    const places = new Set<string>();
    for (let user = 0; user < 12; user += 1) {
      const { service } = await explain(appliance, `${appliance.url()}/hash`, '--header', `x-user: user-${user}`);
      const [likeliest] = service?.candidates ?? [];
      assert.deepEqual([service?.choice.by, likeliest?.probability], ['key', 1]);
      assert.equal(likeliest?.version, (await appliance.get('/hash', { headers: { 'x-user': `user-${user}` } })).body);
      places.add(likeliest.version);
    }
    assert.equal(places.size, 2);
  });

  await t.test('a pin leads to its version until it is void', async () => {
    const first = await appliance.get('/cookie');
    const cookie = first.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    const pinned = async (): Promise<ExplainView> => explain(appliance, `${appliance.url()}/cookie`, '--header', `cookie: ${cookie}`);
    const kept = (await pinned()).service;
    assert.deepEqual([kept?.choice.by, kept?.choice.pin, kept?.candidates[0]?.version], ['pin', 'kept', first.body]);
    const { code, stderr } = await appliance.weir('pins', 'void', 'pinned', '--yes');
    assert.equal(code, 0, stderr);
    const voided = (await pinned()).service;
    assert.deepEqual([voided?.choice.by, voided?.choice.pin], ['split', 'void']);
  });

  await t.test('what an operator closed has no chance, and the layer is named', async () => {
    const { code, stderr } = await appliance.weir('maintenance', 'west', '--yes');
    assert.equal(code, 0, stderr);
    const { service } = await explain(appliance, `${appliance.url()}/split`);
    const west = service?.candidates.find(({ cluster }) => cluster === 'west');
    assert.deepEqual([west?.probability, west?.layer, west?.reasons], [0, 'operator', ['maintenance']]);
  });

  await t.test('without a route the nearest is named with what would have to be otherwise', async () => {
    const { answer, route, otherRoutes } = await explain(
      appliance,
      `${appliance.url()}/`,
      '--method',
      'DELETE',
      '--header',
      'host: b.test',
    );
    assert.deepEqual([answer?.code, route], ['route_not_found', null]);
    assert.deepEqual(otherRoutes[0], { route: 'rest', because: 'method GET or POST, not DELETE' });
    assert.equal((await appliance.get('/', { method: 'DELETE' })).status, answer?.status);
  });

  await t.test('a person reads it as text', async () => {
    const { code, stdout } = await appliance.weir('explain', `${appliance.url()}/split`, '--client', '203.0.113.7');
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^request: {2}GET http:\/\/127\.0\.0\.1\/split\nfrom: {5}203\.0\.113\.7 by listener web\nroute: {4}split \(any host, path from \/split down/,
    );
    assert.match(stdout, /^VERSION +CLUSTER +CHANCE/m);
  });

  await t.test('a recent request is remembered with what was decided for it', async () => {
    const { headers, body } = await appliance.get('/hash', { headers: { 'x-user': 'user-1' } });
    const [trace] = (await recall(appliance, headers['x-request-id'])).items;
    assert.deepEqual(
      [trace?.route, trace?.service, trace?.version, trace?.status, trace?.attempts, trace?.chosenBy],
      ['hash', 'hashed', body, 200, 1, 'key'],
    );
    assert.deepEqual(trace?.failed, []);
    assert.ok(trace.plan > 0);
  });

  await t.test('so is one that weir answered itself', async () => {
    const { headers } = await appliance.get('/', { method: 'DELETE' });
    const { code, stdout } = await appliance.weir('explain', String(headers['x-request-id']));
    assert.equal(code, 0);
    assert.match(stdout, /^answer: {3}404 route_not_found, by weir itself$/m);
  });

  await t.test('one that nobody remembers is not found, and the answer says why that may be', async () => {
    const { code, stderr } = await appliance.weir('explain', 'never-sent-1');
    assert.equal(code, 5);
    assert.match(stderr, /no worker of test-edge remembers a request "never-sent-1".*up to 20 others a second.*worker was restarted/);
  });

  await t.test('an attempt that failed is told before the one that was answered', async () => {
    const restored = await appliance.weir('restore', 'west', '--yes');
    assert.equal(restored.code, 0, restored.stderr);
    await blue.kill();
    const answers = await Promise.all(Array.from({ length: 8 }, () => appliance.get('/split')));
    assert.deepEqual([...new Set(answers.map(({ status, body }) => `${status} ${body}`))], ['200 green']);
    const recalled = await Promise.all(answers.map(({ headers }) => recall(appliance, headers['x-request-id'])));
    const retried = recalled.flatMap(({ items }) => items).filter(({ attempts }) => attempts > 1);
    assert.ok(retried.length > 0, 'three of four requests go to blue first');
    for (const { failed, cluster } of retried)
      assert.deepEqual([failed[0]?.cluster, failed[0]?.version, cluster], ['east', 'blue', 'west']);
    const { stdout } = await appliance.weir('explain', String(retried[0]?.requestId));
    assert.match(stdout, /^attempt 1: blue in east, endpoint 127\.0\.0\.1:\d+: [a-z_]+ after \d+ ms\nattempt 2: green in west/m);
  });

  await t.test('what cannot be read says what was expected', async () => {
    const cases: readonly (readonly [args: readonly string[], said: RegExp])[] = [
      [['http://a.test/', '--header', 'nonsense'], /--header: expected 'name: value'/],
      [['http://a.test/', '--client', 'nobody'], /client: expected an IPv4 or IPv6 address, got "nobody"/],
      [['http://a.test/', '--listener', 'wep'], /there is no "wep", the config has web/],
    ];
    for (const [args, said] of cases) {
      const { code, stderr } = await appliance.weir('explain', ...args);
      assert.deepEqual([code, said.test(stderr)], [2, true], stderr);
    }
  });
});

async function explain(appliance: Appliance, url: string, ...args: readonly string[]): Promise<ExplainView> {
  const { code, stdout, stderr } = await appliance.weir('explain', url, ...args, '-o', 'json');
  assert.equal(code, 0, stderr);
  const { items } = JSON.parse(stdout) as { readonly items: readonly ExplainView[] };
  const [view] = items;
  assert.ok(view);
  return view;
}

async function recall(appliance: Appliance, requestId: unknown): Promise<{ readonly items: readonly RememberedRequest[] }> {
  const { code, stdout, stderr } = await appliance.weir('explain', String(requestId), '-o', 'json');
  assert.equal(code, 0, stderr);
  return JSON.parse(stdout) as { readonly items: readonly RememberedRequest[] };
}

function chances(service: ExplainView['service']): Readonly<Record<string, number>> {
  return Object.fromEntries(service?.candidates.map(({ version, cluster, probability }) => [`${version}/${cluster}`, probability]) ?? []);
}

function config(blue: string, green: string): string {
  const versions = '{ blue: { clusters: { east: {} } }, green: { clusters: { west: {} } } }';
  return `clusters:
  east: { endpoints: ["${blue}"], health: { http: { path: /healthz }, interval: 200ms } }
  west: { endpoints: ["${green}"], health: { http: { path: /healthz }, interval: 200ms } }
services:
  split: { versions: ${versions}, split: { blue: 75, green: 25 } }
  hashed: { versions: ${versions}, split: { blue: 50, green: 50 }, sticky: { mode: hash, key: "header:x-user" } }
  pinned: { versions: ${versions}, split: { blue: 50, green: 50 }, sticky: { mode: cookie } }
routes:
  - { name: rest, match: { path: /, methods: [GET, POST] }, service: split }
  - { name: split, match: { path: /split }, service: split, filters: [{ requestId: {} }] }
  - { name: hash, match: { path: /hash }, service: hashed, filters: [{ requestId: {} }] }
  - { name: cookie, match: { path: /cookie }, service: pinned }
`;
}
