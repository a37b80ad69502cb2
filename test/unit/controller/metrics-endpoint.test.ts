// GET /metrics and nothing else, in the format and coding that is asked for, and in pieces between which other work gets its turn.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { MetricsEndpoint, type ReadMetrics } from '../../../balancer/controller/metrics-endpoint.ts';
import { silentLog } from '../../../balancer/log.ts';
import { freePort } from '../../support/free-port.ts';

async function start(t: TestContext, read: ReadMetrics): Promise<string> {
  const endpoint = new MetricsEndpoint(read, silentLog);
  const port = await freePort();
  await endpoint.start({ host: '127.0.0.1', port });
  t.after(() => endpoint.close());
  return `http://127.0.0.1:${port}`;
}

test('the metrics are read with GET, in the type that Prometheus expects', async (t) => {
  const url = await start(t, (format) => [`weir_revision{host="a"} 1\n`, `# ${format}\n`]);
  const response = await fetch(`${url}/metrics?format=any`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
  assert.equal(await response.text(), 'weir_revision{host="a"} 1\n# text\n');
});

test('who accepts OpenMetrics gets it, and a cache is told that it depends on that', async (t) => {
  const url = await start(t, (format) => [`# ${format}\n`]);
  const response = await fetch(`${url}/metrics`, { headers: { accept: 'application/openmetrics-text; version=1.0.0, text/plain;q=0.5' } });
  assert.equal(response.headers.get('content-type'), 'application/openmetrics-text; version=1.0.0; charset=utf-8');
  assert.equal(response.headers.get('vary'), 'accept, accept-encoding');
  assert.equal(await response.text(), '# openmetrics\n');
});

test('what is read is compressed for who takes gzip, and for nobody else', async (t) => {
  const url = await start(t, () => ['weir_revision 1\n'.repeat(1000)]);
  for (const [asked, coding] of [
    ['gzip', 'gzip'],
    ['br, gzip;q=0.5', 'gzip'],
    ['gzip;q=0', null],
    ['gzip;q=0.0, br', null],
    ['identity', null],
  ] as const) {
    const response = await fetch(`${url}/metrics`, { headers: { 'accept-encoding': asked } });
    assert.equal(response.headers.get('content-encoding'), coding, asked);
    assert.equal((await response.text()).length, 16_000);
  }
});

test('between two pieces everything else has its turn', async (t) => {
  const turns: number[] = [];
  let turn = 0;
  function* pieces(): Generator<string, void> {
    for (let piece = 0; piece < 5; piece += 1) {
      turns.push(turn);
      setImmediate(() => (turn += 1));
      yield 'x\n';
    }
  }
  const url = await start(t, pieces);
  assert.equal(await (await fetch(`${url}/metrics`)).text(), 'x\n'.repeat(5));
  assert.deepEqual(turns, [0, 1, 2, 3, 4]);
});

test('other paths and methods are refused with what would be right', async (t) => {
  const url = await start(t, () => []);
  const elsewhere = await fetch(`${url}/`);
  assert.deepEqual([elsewhere.status, await elsewhere.text()], [404, 'the metrics are at /metrics\n']);
  const posted = await fetch(`${url}/metrics`, { method: 'POST', body: 'x' });
  assert.deepEqual([posted.status, posted.headers.get('allow')], [405, 'GET, HEAD']);
});

test('metrics that cannot be written are a 500 without the reason; in the middle, the connection is broken off', async (t) => {
  const none = await start(t, () => {
    throw new Error('secret reason');
  });
  const response = await fetch(`${none}/metrics`);
  assert.equal(response.status, 500);
  assert.doesNotMatch(await response.text(), /secret/);
  const half = await start(t, function* () {
    yield 'weir_revision 1\n'.repeat(10_000);
    throw new Error('secret reason');
  });
  await assert.rejects(async () => (await fetch(`${half}/metrics`)).text());
});

test('an address that is taken is named with what to do', async (t) => {
  const url = await start(t, () => []);
  const second = new MetricsEndpoint(() => [], silentLog);
  await assert.rejects(
    second.start({ host: '127.0.0.1', port: Number(new URL(url).port) }),
    /metrics\.bind 127\.0\.0\.1:\d+ is taken by another process/,
  );
});
