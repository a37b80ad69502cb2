// GET /metrics and nothing else.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { MetricsEndpoint } from '../../../balancer/controller/metrics-endpoint.ts';
import { silentLog } from '../../../balancer/log.ts';
import { freePort } from '../../support/free-port.ts';

async function start(t: TestContext, expose: () => Promise<string>): Promise<string> {
  const endpoint = new MetricsEndpoint({ contentType: 'text/plain; version=0.0.4', expose }, silentLog);
  const port = await freePort();
  await endpoint.start({ host: '127.0.0.1', port });
  t.after(() => endpoint.close());
  return `http://127.0.0.1:${port}`;
}

test('the metrics are read with GET, in the type that Prometheus expects', async (t) => {
  const url = await start(t, () => Promise.resolve('weir_revision{host="a"} 1\n'));
  const response = await fetch(`${url}/metrics?format=any`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4');
  assert.equal(await response.text(), 'weir_revision{host="a"} 1\n');
});

test('other paths and methods are refused with what would be right', async (t) => {
  const url = await start(t, () => Promise.resolve(''));
  const elsewhere = await fetch(`${url}/`);
  assert.deepEqual([elsewhere.status, await elsewhere.text()], [404, 'the metrics are at /metrics\n']);
  const posted = await fetch(`${url}/metrics`, { method: 'POST', body: 'x' });
  assert.deepEqual([posted.status, posted.headers.get('allow')], [405, 'GET, HEAD']);
});

test('metrics that cannot be written are a 500 without the reason', async (t) => {
  const url = await start(t, () => Promise.reject(new Error('secret reason')));
  const response = await fetch(`${url}/metrics`);
  assert.equal(response.status, 500);
  assert.doesNotMatch(await response.text(), /secret/);
});

test('an address that is taken is named with what to do', async (t) => {
  const url = await start(t, () => Promise.resolve(''));
  const second = new MetricsEndpoint({ contentType: '', expose: () => Promise.resolve('') }, silentLog);
  await assert.rejects(
    second.start({ host: '127.0.0.1', port: Number(new URL(url).port) }),
    /metrics\.bind 127\.0\.0\.1:\d+ is taken by another process/,
  );
});
