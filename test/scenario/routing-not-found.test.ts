// A request that no route is for: 404 in the form that the client accepts, with a code, a request id and nothing about the inside.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAppliance } from '../support/appliance.ts';
import { named, startOrigin } from '../support/origin.ts';
import { until } from '../support/until.ts';

test('no route matches', async (t) => {
  const origin = await startOrigin(t, named('answered'));
  const appliance = await startAppliance(t, { yaml: config(origin.endpoint), workers: 1 });

  for (const accept of [undefined, '*/*', 'application/json', 'application/problem+json', 'text/html, application/json;q=0.9'])
    await t.test(`Accept ${accept ?? 'absent'}: problem JSON`, async () => {
      const { status, headers, body } = await appliance.get('/nowhere', { headers: accept === undefined ? {} : { accept } });
      assert.equal(status, 404);
      assert.equal(headers['content-type'], 'application/problem+json');
      assert.equal(headers['proxy-status'], 'weir; error=destination_not_found');
      assert.equal(headers['cache-control'], 'no-store');
      const requestId = headers['x-request-id'];
      assert.match(String(requestId), /^[\w-]{8,}$/);
      assert.deepEqual(JSON.parse(body), {
        type: 'about:blank',
        title: 'No route matches this request',
        status: 404,
        code: 'route_not_found',
        requestId,
      });
    });

  for (const accept of ['text/plain', 'text/*', 'text/html'])
    await t.test(`Accept ${accept}: plain text`, async () => {
      const { status, headers, body } = await appliance.get('/nowhere', { headers: { accept } });
      assert.equal(status, 404);
      assert.equal(headers['content-type'], 'text/plain; charset=utf-8');
      assert.equal(body, `404 No route matches this request\ncode: route_not_found\nrequest id: ${String(headers['x-request-id'])}\n`);
    });

  await t.test('HEAD has the head and no body', async () => {
    const { status, headers, body } = await appliance.get('/nowhere', { method: 'HEAD' });
    assert.deepEqual([status, body, headers['content-type']], [404, '', 'application/problem+json']);
    assert.ok(Number(headers['content-length']) > 0);
  });

  await t.test('each is counted under its code, and none reached the origin', async () => {
    const counted = /^weir_local_replies_total\{[^}]*listener="web"[^}]*reason="route_not_found"[^}]*\} 9$/m;
    await until(async () => counted.test(await appliance.metrics()), 'nine replies are counted');
    assert.equal(origin.requests.length, 0);
    assert.equal((await appliance.get('/here')).body, 'answered');
  });
});

test('a route may be for one listener only', async (t) => {
  const origin = await startOrigin(t, named('answered'));
  const yaml = config(origin.endpoint).replace('path: /here }', 'path: /here }, listeners: [inner]');
  const listeners = 'listeners: { web: { bind: "127.0.0.1:0" }, inner: { bind: "127.0.0.1:0" } }\n';
  const appliance = await startAppliance(t, { yaml: listeners + yaml, workers: 1 });
  assert.equal((await appliance.get('/here')).status, 404);
  assert.equal((await appliance.get('/here', { port: appliance.port('inner') })).status, 200);
});

function config(endpoint: string): string {
  return `clusters:
  east: { endpoints: ["${endpoint}"] }
services:
  demo: { versions: { blue: { clusters: { east: {} } } } }
routes:
  - { service: demo, match: { path: /here } }
`;
}
