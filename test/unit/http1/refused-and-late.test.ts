// A client that is refused in the middle of its upload can send on and read why; one that takes its answer slowly gets all of it.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../../../health/clock.ts';
import { Deadlines } from '../../../health/deadlines.ts';
import { UNKNOWN_LENGTH, type DownstreamExchange } from '../../../balancer/message/exchange.ts';
import { EngineBench, startEngine } from '../../support/engine.ts';
import { readSlowly } from '../../support/read-slowly.ts';
import { connectRaw } from '../../support/raw-client.ts';
import { securePairs } from '../../support/secure-pair.ts';
import { socketPair } from '../../support/socket-pair.ts';
import { until } from '../../support/until.ts';

/** Calls `then` behind each piece of the body. */
function behindEachPiece(exchange: DownstreamExchange, then: () => void): void {
  queueMicrotask(() => {
    const { listener } = exchange;
    const before = listener.onBody.bind(listener);
    listener.onBody = (chunk) => {
      before(chunk);
      then();
    };
  });
}

for (const [what, limits, tail] of [
  ['malformed', {}, `7530\r\n${'y'.repeat(30_000)}\r\nzz\r\n`],
  ['too large', { bodyBytes: 30_000 }, `7530\r\n${'y'.repeat(30_000)}\r\n`],
] as const)
  it(`what a client sends behind a body that is ${what} is read, also where a piece of it was held back in the same read`, async (t) => {
    const engine = await startEngine(t, { limits, onRequest: (exchange) => behindEachPiece(exchange, () => exchange.pauseBody()) });
    const client = await connectRaw(t, engine.port);
    let problem = '';
    client.socket.on('error', (error: NodeJS.ErrnoException) => (problem = error.code ?? error.message));
    client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    await until(() => engine.understood.length === 1, 'the head is read');
    client.send(`4e20\r\n${'x'.repeat(20_000)}\r\n${tail}`);
    await client.untilText('connection: close');
    let sent = false;
    client.socket.write(Buffer.alloc(20_000_000), () => (sent = true));
    await until(() => sent || problem !== '', 'the rest is read', 1500);
    assert.deepEqual({ sent, problem }, { sent: true, problem: '' });
  });

it('a client that takes a large answer slowly is not cut, one that takes nothing is', async (t) => {
  const engine = await startEngine(t, {
    timeouts: { writeMs: 400 },
    answer: (exchange) => {
      exchange.sendHead(200, [], 30_000_000);
      exchange.sendBody(Buffer.alloc(30_000_000));
      exchange.sendEnd([]);
    },
  });
  const client = await connectRaw(t, engine.port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await readSlowly(client.socket, { bytes: 400_000, everyMs: 50, forMs: 2000 });
  assert.deepEqual(engine.cut, []);
  await until(() => engine.cut.length > 0, 'it is cut');
  assert.deepEqual(engine.cut, ['write_timeout']);
});

it('a TLS client whose body ends while a piece of its answer is on its way waits for the rest as long as it takes', async (t) => {
  const deadlines = new Deadlines(systemClock, 10);
  deadlines.start();
  t.after(() => deadlines.close());
  let more = (): unknown => undefined;
  const begun = new Set<DownstreamExchange>();
  const bench = new EngineBench(deadlines, {
    timeouts: { requestBodyMs: 200 },
    answer: () => undefined,
    onRequest: (exchange) =>
      behindEachPiece(exchange, () => {
        if (begun.has(exchange)) return;
        begun.add(exchange);
        exchange.sendHead(200, [], UNKNOWN_LENGTH);
        exchange.sendBody(Buffer.from('begins'));
        exchange.flush();
        more();
      }),
  });
  t.after(() => bench.close());
  const pair = await securePairs(t);
  for (let visit = 0; visit < 40; visit += 1) {
    const { client, accepted } = await pair();
    bench.accept(accepted);
    client.on('error', () => undefined).resume();
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n');
    await until(() => bench.understood.length === visit + 1, 'the head is read');
    more = () => client.write('more');
    client.write('four');
    await until(() => bench.understood[visit]?.complete === true, 'the body is read');
  }
  await delay(400);
  assert.deepEqual(bench.cut, []);
});

for (const [way, bodyBytes] of [
  ['plain', 40_000],
  ['plain', 4000],
  ['TLS', 40_000],
  ['TLS', 4000],
] as const)
  it(`a ${way} client whose body of ${bodyBytes} bytes is held back is at no fault, however long it takes`, async (t) => {
    const deadlines = new Deadlines(systemClock, 10);
    deadlines.start();
    t.after(() => deadlines.close());
    let held: DownstreamExchange | null = null;
    const bench = new EngineBench(deadlines, {
      timeouts: { requestBodyMs: 200 },
      onRequest: (exchange) =>
        behindEachPiece(exchange, () => {
          if (held === null) exchange.pauseBody();
          held = exchange;
        }),
    });
    t.after(() => bench.close());
    const { client, accepted } = way === 'TLS' ? await (await securePairs(t))() : await socketPair(t);
    bench.accept(accepted);
    client.on('error', () => undefined).resume();
    client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${bodyBytes}\r\n\r\n`);
    await until(() => bench.understood.length === 1, 'the head is read');
    client.write(Buffer.alloc(bodyBytes / 2));
    await until(() => held !== null, 'a piece is held');
    // Longer than such a client is left alone.
    await delay(1300);
    assert.deepEqual(bench.cut, []);
    (held as DownstreamExchange | null)?.resumeBody();
    client.write(Buffer.alloc(bodyBytes / 2));
    await until(() => bench.understood[0]?.complete === true, 'all of it is read');
    assert.deepEqual(bench.cut, []);
  });
