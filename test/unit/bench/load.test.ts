// The own load generator against small servers, and how figures of any generator are read.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { decodeFigures } from '../../../bench/load-driver.ts';
import { readAnswerHead, runLoad } from '../../../bench/load.ts';

async function listen(context: TestContext, onConnection: (socket: Socket) => void): Promise<number> {
  const server: Server = createServer(onConnection);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}

test('answers are counted one by one, also when they arrive in pieces', async (context) => {
  let answered = 0;
  const port = await listen(context, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', () => {
      answered += 1;
      socket.write('HTTP/1.1 200 OK\r\nConte');
      setImmediate(() => socket.write('nt-Length: 4\r\n\r\nab'));
      setImmediate(() => setImmediate(() => socket.write('cd')));
    });
  });
  const figures = await runLoad({ port, tls: false, connections: 3, seconds: 0.2 });
  assert.equal(figures.failed, 0);
  // At the end at most one answer per connection is on its way and not counted.
  assert.ok(figures.requests > 0 && figures.requests <= answered && figures.requests >= answered - 3, `${figures.requests} of ${answered}`);
  assert.ok(figures.p50Ms !== null && figures.p99Ms !== null && figures.p50Ms <= figures.p99Ms);
});

test('another status, an answer without length and a closed connection are failures', async (context) => {
  let opened = 0;
  const answers = ['HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n', 'HTTP/1.1 200 OK\r\n\r\n', null];
  const port = await listen(context, (socket) => {
    const answer = answers[opened];
    opened += 1;
    socket.on('error', () => socket.destroy());
    // The connections that replace the broken ones wait for an answer until the end, which counts as nothing.
    socket.once('data', () => {
      if (answer === null) socket.destroy();
      else if (answer !== undefined) socket.write(answer);
    });
  });
  const figures = await runLoad({ port, tls: false, connections: 3, seconds: 0.5 });
  assert.deepEqual({ requests: figures.requests, failed: figures.failed, p50Ms: figures.p50Ms }, { requests: 0, failed: 3, p50Ms: null });
});

test('an answer head tells where the next answer starts', () => {
  const text = 'HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc';
  assert.deepEqual(readAnswerHead(text), { ok: true, totalBytes: text.length });
  assert.equal(readAnswerHead(text.slice(0, 30)), null);
  assert.throws(() => readAnswerHead('HTTP/1.1 200 OK\r\nx: content-length: 3\r\n\r\n'), /without content-length/);
});

test('figures are the last line a generator printed, and nothing else passes', () => {
  const figures = { requests: 10, seconds: 1.5, p50Ms: 0.2, p99Ms: null, failed: 0 };
  assert.deepEqual(decodeFigures(`Running 1s test\n${JSON.stringify(figures)}\n`), figures);
  for (const bad of ['', 'no JSON', '{}', '[1]', 'null', JSON.stringify({ ...figures, failed: '0' })])
    assert.equal(decodeFigures(bad), null, bad);
});
