// Requests above the limit of a cluster wait for a moment; what finds no room is answered 503 with Retry-After and does not reach it.
import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { exchange } from '../../support/appliance.ts';
import { startProxy } from '../../support/proxy.ts';
import { until } from '../../support/until.ts';

test('one in work, one that waits, the rest refused', async (t) => {
  const held: ServerResponse[] = [];
  const origin = createServer((_request, response) => void held.push(response));
  origin.listen(0, '127.0.0.1');
  await once(origin, 'listening');
  t.after(() => {
    origin.closeAllConnections();
    origin.close();
  });
  const { port } = origin.address() as AddressInfo;
  const limits = { requests: 1, queue: { length: 1, time: '10s' } };
  const proxy = await startProxy(t, { endpoints: [`http://127.0.0.1:${port}`], cluster: { limits } });
  const ask = () => exchange(new URL(proxy.url), { agent: false });
  const first = ask();
  await until(() => held.length === 1, 'the first request has arrived');
  const others = [ask(), ask()];
  const refused = await Promise.race(others);
  assert.deepEqual([refused.status, refused.headers['retry-after']], [503, '1']);
  assert.match(refused.body, /"code":"overloaded"/);
  assert.equal(held.length, 1);
  held[0]?.end('first');
  assert.equal((await first).body, 'first');
  await until(() => held.length === 2, 'the one that waited has arrived');
  held[1]?.end('second');
  const answers = await Promise.all(others);
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 503]);
});
