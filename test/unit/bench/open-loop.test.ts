// The open loop: when requests are due, and that a slow answer counts from the time its request was meant to leave.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { runOpenLoop, Schedule } from '../../../bench/open-loop.ts';

const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

async function listen(context: TestContext, onConnection: (socket: Socket) => void): Promise<number> {
  const server = createServer(onConnection);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}

test('requests are due on whole milliseconds, as many as the rate says, however late they are taken', () => {
  const schedule = new Schedule(2500, 100);
  assert.equal(schedule.take(99.9), null);
  const due: number[] = [];
  for (let time = schedule.take(103); time !== null; time = schedule.take(103)) due.push(time);
  // 2.5 a millisecond: requests 0 to 9 in the milliseconds 100 to 103.
  assert.deepEqual(due, [100, 100, 100, 101, 101, 102, 102, 102, 103, 103]);
});

test('a server that stops for a while is charged for every request that was due meanwhile', async (context) => {
  const PAUSE_MS = 200;
  let pausedUntil = Infinity;
  const port = await listen(context, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', () => {
      if (pausedUntil === Infinity) pausedUntil = performance.now() + PAUSE_MS;
      setTimeout(() => socket.write(ANSWER), Math.max(0, pausedUntil - performance.now()));
    });
  });
  const figures = await runOpenLoop({ port, tls: false, connections: 1, seconds: 0.4, warmUpSeconds: 0, ratePerSecond: 100 });
  assert.equal(figures.failed, 0);
  assert.equal(figures.requests, 40);
  // Requests were due all through the pause, every 10 ms; a closed loop would have seen one slow answer in 40 and a median near 0.
  assert.ok((figures.p99Ms ?? 0) >= PAUSE_MS * 0.95, `p99 ${String(figures.p99Ms)}`);
  assert.ok((figures.p50Ms ?? 0) >= PAUSE_MS * 0.1, `p50 ${String(figures.p50Ms)}`);
});

test('answers that do not come and answers that refuse are failures', async (context) => {
  let served = 0;
  const port = await listen(context, (socket) => {
    socket.on('error', () => socket.destroy());
    socket.on('data', () => {
      served += 1;
      if (served === 1) socket.write('HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n');
      else socket.destroy();
    });
  });
  const figures = await runOpenLoop({ port, tls: false, connections: 1, seconds: 0.1, warmUpSeconds: 0, ratePerSecond: 20 });
  assert.deepEqual({ requests: figures.requests, failed: figures.failed }, { requests: 0, failed: 2 });
});
