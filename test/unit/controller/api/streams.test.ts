// The endless answers of the admin API: at once on an event, alive when nothing happens, bounded when the reader is slow.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { type TestContext, describe, test } from 'node:test';
import { type AdminServer, callApi, openApi, readLines, startAdminServer } from '../../../support/admin-server.ts';
import { until } from '../../../support/until.ts';

async function server(t: TestContext): Promise<AdminServer> {
  const started = await startAdminServer();
  t.after(() => started[Symbol.asyncDispose]());
  return started;
}

describe('watch', () => {
  test('sends a status at once and another one soon after an event, not only each second', async (t) => {
    const started = await server(t);
    const response = await openApi(started, { path: '/v1/watch' });
    assert.equal(response.headers['content-type'], 'application/x-ndjson');
    await once(response, 'readable');
    const beganMs = performance.now();
    started.appliance.emit('cluster one is down');
    const lines = await readLines(response, 2);
    assert.ok(performance.now() - beganMs < 900, 'the second line did not wait for its second');
    assert.equal(lines[0]?.['revision'], 1);
    assert.match(JSON.stringify(lines[1]), /cluster one is down/);
  });

  test('makes few statuses of many events', async (t) => {
    const started = await server(t);
    const response = await openApi(started, { path: '/v1/watch' });
    await once(response, 'readable');
    for (let event = 0; event < 500; event += 1) started.appliance.emit(`event ${event}`);
    const lines = await readLines(response, 2);
    assert.match(JSON.stringify(lines[1]), /event 499/);
    assert.ok(started.appliance.statusCalls <= 3, `${started.appliance.statusCalls} statuses`);
  });

  test('forgets a reader that leaves', async (t) => {
    const started = await server(t);
    const response = await openApi(started, { path: '/v1/watch' });
    await once(response, 'readable');
    assert.equal(started.appliance.subscribers, 1);
    response.destroy();
    await until(() => started.appliance.subscribers === 0, 'the subscription ends');
  });

  for (const path of ['/v1/watch', '/v1/events/follow'])
    test(`${path} ends when its token is revoked`, async (t) => {
      const started = await server(t);
      const create = { name: 'screen', role: 'read', cluster: null };
      const created = await callApi(started, { method: 'POST', path: '/v1/tokens', body: create });
      const headers = { authorization: `Bearer ${String(created.json['secret'])}` };
      const response = await openApi({ host: '127.0.0.1', port: started.port }, { path, headers });
      assert.equal(response.statusCode, 200);
      const ended = once(response, 'end', { signal: AbortSignal.timeout(5000) });
      response.resume();
      assert.equal((await callApi(started, { method: 'DELETE', path: '/v1/tokens/screen' })).status, 200);
      await ended;
    });

  test('ends in good order when the API closes', async (t) => {
    const started = await server(t);
    const response = await openApi(started, { path: '/v1/watch' });
    const ended = once(response, 'end');
    response.resume();
    await started.api.close();
    await ended;
  });
});

describe('events', () => {
  test('the backlog comes oldest first and the live ones follow without a gap', async (t) => {
    const started = await server(t);
    for (const text of ['a', 'b', 'c']) started.appliance.emit(text);
    const response = await openApi(started, { path: '/v1/events/follow?backlog=2' });
    started.appliance.emit('d');
    const lines = await readLines(response, 3);
    assert.deepEqual(
      lines.map((line) => [line['sequence'], line['text']]),
      [
        [2, 'b'],
        [3, 'c'],
        [4, 'd'],
      ],
    );
  });

  test('a reader that reads nothing costs bounded memory and sees the newest events when it comes back', async (t) => {
    const started = await server(t);
    const socket = connect(started.socketPath);
    socket.write('GET /v1/events/follow HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(socket, 'readable');
    const text = 'x'.repeat(10_000);
    // 60 MB of events; the socket buffers take a little, the queue a thousand events, the rest is dropped.
    for (let event = 0; event < 6000; event += 1) started.appliance.emit(text);
    let seen = '';
    let bytes = 0;
    socket.setEncoding('utf8');
    socket.on('data', (chunk) => {
      bytes += chunk.length;
      seen = (seen + String(chunk)).slice(-20_100);
    });
    await until(() => seen.includes('"sequence":6000'), 'the newest event arrives');
    socket.destroy();
    assert.ok(bytes < 25_000_000, `${bytes} bytes were kept for a reader that did not read`);
  });
});
