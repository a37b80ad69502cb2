// A demo cluster's origin over real HTTP: what it says, and that it takes its time.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { test, type TestContext } from 'node:test';
import type { Clock } from '../../../../health/clock.ts';
import { hostOfVersion, versionOfHost } from '../../../../tui/demo/layout.ts';
import { createOrigin } from '../../../../tui/demo/origin.ts';

/** Runs what waits at once and remembers for how long it should have waited. */
function instantClock(waits: number[]): Clock {
  return {
    nowMs: () => 0,
    wallMs: () => 0,
    after: (delayMs, run) => {
      waits.push(delayMs);
      const handle = setImmediate(run);
      return { cancel: () => clearImmediate(handle) };
    },
  };
}

async function listen(context: TestContext, waits: number[]): Promise<number> {
  const origin = createOrigin({ cluster: 'us-east', latencyMs: 20 }, instantClock(waits));
  origin.listen(0, '127.0.0.1');
  await once(origin, 'listening');
  context.after(() => origin.close());
  const address = origin.address();
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}

function ask(port: number, path: string, host: string, body?: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request({
      port,
      host: '127.0.0.1',
      path,
      headers: { host },
      method: body === undefined ? 'GET' : 'POST',
      agent: false,
    });
    outgoing.once('error', reject);
    outgoing.once('response', (response) => {
      let text = '';
      response.on('data', (chunk) => (text += String(chunk)));
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    outgoing.end(body);
  });
}

test('an answer names cluster, version and path, after the latency of the cluster', async (context) => {
  const waits: number[] = [];
  const port = await listen(context, waits);
  const answer = await ask(port, '/cart?item=1', hostOfVersion('green'));
  assert.deepEqual(answer, { status: 200, text: '{"cluster":"us-east","version":"green","path":"/cart?item=1"}\n' });
  assert.deepEqual(waits, [20]);
});

test('a request with a body is answered as well', async (context) => {
  const port = await listen(context, []);
  assert.equal((await ask(port, '/', hostOfVersion('blue'), 'x'.repeat(100_000))).status, 200);
});

test('a health probe is answered at once', async (context) => {
  const waits: number[] = [];
  const port = await listen(context, waits);
  assert.equal((await ask(port, '/healthz', '127.0.0.1')).status, 204);
  assert.deepEqual(waits, []);
});

test('a host stands for a version only with the suffix of the demo', () => {
  assert.equal(versionOfHost(hostOfVersion('blue')), 'blue');
  assert.equal(versionOfHost(`${hostOfVersion('blue')}:8080`), 'blue');
  assert.equal(versionOfHost('127.0.0.1:8080'), null);
});
