// How much a client may ask for, and how slow it may be: body size, body rate, requests of a connection; each with a clear end.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { startEngine, type Engine, type EngineOptions } from '../../support/engine.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { connectRaw, type RawClient } from '../../support/raw-client.ts';

const post = (...fields: readonly string[]): string => ['POST / HTTP/1.1', 'Host: a', ...fields, '', ''].join('\r\n');

async function start(t: TestContext, options: EngineOptions): Promise<{ readonly engine: Engine; readonly client: RawClient }> {
  const engine = await startEngine(t, options);
  return { engine, client: await connectRaw(t, engine.port) };
}

describe('a request body', () => {
  /** 240 bytes a second, and 30 seconds between two bytes. */
  const slowly = (clock: ManualClock): EngineOptions => ({ clock, limits: { bodyRate: 240 }, timeouts: { requestBodyMs: 30_000 } });

  it('that does not get going is 408, and the connection is counted as cut', async (t) => {
    const clock = new ManualClock();
    const { engine, client } = await start(t, slowly(clock));
    client.send(`${post('Content-Length: 10000')}0123456789`);
    await client.until(() => engine.understood[0]?.body.length === 10, 'the first bytes');
    clock.advance(4900);
    assert.deepEqual(engine.cut, []);
    clock.advance(300);
    assert.match(await client.untilClosed(), /^HTTP\/1\.1 408 [\s\S]*connection: close/);
    assert.equal(engine.understood[0]?.failed, 'body_too_slow');
    assert.deepEqual(engine.cut, ['body_too_slow']);
  });

  it('may come as slowly as the rate allows for as long as it takes', async (t) => {
    const clock = new ManualClock();
    const { engine, client } = await start(t, slowly(clock));
    client.send(post('Content-Length: 6000'));
    for (let second = 1; second <= 20; second += 1) {
      client.send('x'.repeat(300));
      await client.until(() => engine.understood[0]?.body.length === second * 300, `second ${second}`);
      clock.advance(1000);
    }
    assert.match(await client.untilText('POST /'), /^HTTP\/1\.1 200 /);
    assert.deepEqual(engine.cut, []);
  });

  it('saves up no more time than may pass between two bytes, however fast it began', async (t) => {
    const clock = new ManualClock();
    const { engine, client } = await start(t, slowly(clock));
    client.send(`${post('Content-Length: 1000000')}${'x'.repeat(500_000)}`);
    await client.until(() => engine.understood[0]?.body.length === 500_000, 'half of the body');
    for (let second = 1; second <= 31 && engine.cut.length === 0; second += 1) {
      client.send('x');
      await client.until(() => engine.understood[0]?.body.length === 500_000 + second, `second ${second}`);
      clock.advance(1000);
    }
    assert.deepEqual(engine.cut, ['body_too_slow']);
  });

  it('that stops is 408 after the time between two bytes', async (t) => {
    const clock = new ManualClock();
    const { engine, client } = await start(t, { clock, timeouts: { requestBodyMs: 2000 }, limits: { bodyRate: 240 } });
    client.send(`${post('Content-Length: 10')}half`);
    await client.until(() => engine.understood[0]?.body === 'half', 'half of the body');
    clock.advance(2100);
    assert.match(await client.untilClosed(), /^HTTP\/1\.1 408 /);
    assert.deepEqual(engine.cut, ['request_timeout']);
  });

  it('that says it is too large is 413 before anything of it is taken', async (t) => {
    const { engine, client } = await start(t, { limits: { bodyBytes: 10 } });
    client.send(post('Content-Length: 11', 'Expect: 100-continue'));
    assert.match(await client.untilClosed(), /^HTTP\/1\.1 413 [\s\S]*connection: close/);
    assert.deepEqual(engine.refused, ['body_too_large']);
    assert.equal(engine.understood.length, 0);
  });

  it('that turns out too large is 413, and what is beyond goes nowhere', async (t) => {
    const { engine, client } = await start(t, { limits: { bodyBytes: 10 } });
    client.send(`${post('Transfer-Encoding: chunked')}6\r\nabcdef\r\n`);
    await client.until(() => engine.understood[0]?.body === 'abcdef', 'the first chunk');
    client.send('5\r\nghijk\r\n0\r\n\r\n');
    assert.match(await client.untilClosed(), /^HTTP\/1\.1 413 /);
    assert.deepEqual(
      engine.understood.map(({ body, complete, failed }) => ({ body, complete, failed })),
      [{ body: 'abcdef', complete: false, failed: 'body_too_large' }],
    );
  });

  it('of exactly the limit is taken', async (t) => {
    const { engine, client } = await start(t, { limits: { bodyBytes: 10 } });
    client.send(`${post('Content-Length: 10')}0123456789${post('Transfer-Encoding: chunked')}a\r\n0123456789\r\n0\r\n\r\n`);
    await client.until((received) => received.match(/ 200 OK/g)?.length === 2, 'two answers');
    assert.deepEqual(engine.refused, []);
  });
});

describe('a connection', () => {
  it('ends with its last request, which says so', async (t) => {
    const { engine, client } = await start(t, { limits: { requestsPerConnection: 2 } });
    client.send('GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n');
    const [first = '', second = ''] = (await client.untilClosed()).split('GET /1');
    assert.doesNotMatch(first, /connection: close/);
    assert.match(second, /connection: close[\s\S]*GET \/2$/);
    assert.equal(engine.understood.length, 2);
  });

  it('whose head does not come to its end is 408 and counted as cut', async (t) => {
    const clock = new ManualClock();
    const { engine, client } = await start(t, { clock, timeouts: { requestHeadMs: 10_000 } });
    client.send('GET / HTTP/1.1\r\n');
    await client.until(() => [...engine.connections].length === 1, 'the connection');
    for (let second = 0; second < 12; second += 1) {
      client.send(`X-${second}: y\r\n`);
      await new Promise(setImmediate);
      clock.advance(1000);
    }
    assert.match(await client.untilClosed(), /^HTTP\/1\.1 408 /);
    assert.deepEqual(engine.cut, ['request_timeout']);
  });
});
