// Every request of one connection: order, framing, time-outs, and an end that is clean.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { UNKNOWN_LENGTH, type DownstreamExchange } from '../../../balancer/message/exchange.ts';
import { answerWith, startEngine } from '../../support/engine.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { connectRaw } from '../../support/raw-client.ts';
import { until } from '../../support/until.ts';

const get = (path: string, ...fields: readonly string[]): string => [`GET ${path} HTTP/1.1`, 'Host: a', ...fields, '', ''].join('\r\n');
const bodies = (received: string): number => received.split('HTTP/1.1 200 OK').length - 1;

describe('a client connection', () => {
  it('answers request after request on one connection', async (t) => {
    const engine = await startEngine(t);
    const client = await connectRaw(t, engine.port);
    client.send(get('/one'));
    await client.untilText('GET /one');
    client.send(get('/two'));
    await client.untilText('GET /two');
    assert.equal(client.ended, false);
    assert.equal(bodies(client.received), 2);
  });

  it('answers pipelined requests in their order, however they are cut', async (t) => {
    const engine = await startEngine(t, {
      // The first answer comes last: a later turn of the event loop.
      answer: (exchange, { path }) => {
        if (path === '/0') setImmediate(() => answerWith(exchange, 200, path));
        else answerWith(exchange, 200, path);
      },
    });
    const client = await connectRaw(t, engine.port);
    const bytes = Array.from({ length: 20 }, (_, i) => get(`/${i}`)).join('');
    for (let at = 0; at < bytes.length; at += 7) client.send(bytes.slice(at, at + 7));
    const received = await client.until((text) => bodies(text) === 20, '20 answers');
    const order = [...received.matchAll(/\r\n\r\n\/(\d+)/g)].map((match) => Number(match[1]));
    assert.deepEqual(
      order,
      Array.from({ length: 20 }, (_, i) => i),
    );
  });

  it('keeps the order of pipelined answers that are long together, with a client that reads late', async (t) => {
    const engine = await startEngine(t, { answer: (exchange, { path }) => answerWith(exchange, 200, `${path};`.padEnd(7000, 'x')) });
    const client = await connectRaw(t, engine.port);
    client.socket.pause();
    client.send(Array.from({ length: 2000 }, (_, i) => get(`/${i}`, ...(i === 1999 ? ['Connection: close'] : []))).join(''));
    await until(() => engine.understood.length > 300, 'the first answers are given');
    client.socket.resume();
    const answers = (await client.untilClosed()).split(/(?=HTTP\/1\.1 200 OK\r\n)/);
    assert.equal(answers.length, 2000);
    const wrong = answers.findIndex((answer, i) => !answer.endsWith(`\r\n\r\n${`/${i};`.padEnd(7000, 'x')}`));
    assert.equal(wrong, -1, `answer ${wrong}: ${answers[wrong]?.slice(0, 200)}`);
  });

  it('closes when asked to, and after HTTP/1.0 unless asked not to', async (t) => {
    const engine = await startEngine(t);
    const closing = await connectRaw(t, engine.port);
    closing.send(get('/', 'Connection: close'));
    assert.match(await closing.untilClosed(), /\r\nconnection: close\r\n/);
    const old = await connectRaw(t, engine.port);
    old.send('GET / HTTP/1.0\r\n\r\n');
    assert.match(await old.untilClosed(), /\r\nconnection: close\r\n/);
    const keeping = await connectRaw(t, engine.port);
    keeping.send('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    assert.match(await keeping.untilText('GET /'), /\r\nconnection: keep-alive\r\n/);
    assert.equal(keeping.ended, false);
  });

  it('sends no body to HEAD, but tells its length', async (t) => {
    const engine = await startEngine(t, { answer: (exchange) => answerWith(exchange, 200, 'four') });
    const client = await connectRaw(t, engine.port);
    client.send(`HEAD / HTTP/1.1\r\nHost: a\r\n\r\n${get('/next', 'Connection: close')}`);
    const received = await client.untilClosed();
    const [first = '', second = ''] = received.split('HTTP/1.1 200 OK').slice(1);
    assert.match(first, /content-length: 4\r\n/);
    assert.ok(first.endsWith('\r\n\r\n'));
    assert.ok(second.endsWith('four'));
  });

  it('sends neither length nor body with 204 and no body with 304', async (t) => {
    const engine = await startEngine(t, { answer: (exchange, { path }) => answerWith(exchange, Number(path.slice(1)), '') });
    const client = await connectRaw(t, engine.port);
    client.send(get('/204') + get('/304', 'Connection: close'));
    const [none = '', notModified = ''] = (await client.untilClosed()).split(/(?=HTTP\/1\.1 304)/);
    assert.doesNotMatch(none, /content-length|transfer-encoding/);
    assert.ok(notModified.endsWith('\r\n\r\n'));
  });

  it('reads bodies of both framings, and trailers', async (t) => {
    const engine = await startEngine(t);
    const client = await connectRaw(t, engine.port);
    client.send('POST /length HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello');
    client.send(
      'POST /chunks HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-Sum: 9\r\nCookie: no\r\n\r\n',
    );
    await client.untilText('POST /chunks');
    assert.deepEqual(
      engine.understood.map(({ body, trailers }) => ({ body, trailers })),
      [
        { body: 'hello', trailers: [] },
        { body: 'abc0123456789', trailers: ['x-sum', '9'] },
      ],
    );
  });

  it('frames a body of unknown length in chunks, and by the end of the connection for HTTP/1.0', async (t) => {
    const engine = await startEngine(t, {
      answer: (exchange) => {
        exchange.sendHead(200, [], UNKNOWN_LENGTH);
        exchange.sendBody(Buffer.from('one'));
        exchange.sendBody(Buffer.alloc(20_000, 'x'));
        exchange.sendEnd(['x-sum', '9']);
      },
    });
    const client = await connectRaw(t, engine.port);
    client.send(get('/'));
    const received = await client.untilText('x-sum: 9\r\n\r\n');
    assert.match(received, /transfer-encoding: chunked\r\n/);
    assert.ok(received.endsWith(`\r\n\r\n3\r\none\r\n4e20\r\n${'x'.repeat(20_000)}\r\n0\r\nx-sum: 9\r\n\r\n`));
    const old = await connectRaw(t, engine.port);
    old.send('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
    const whole = await old.untilClosed();
    assert.doesNotMatch(whole, /transfer-encoding/);
    assert.ok(whole.endsWith(`\r\n\r\none${'x'.repeat(20_000)}`));
  });

  it('takes hop-by-hop fields out, and what Connection names', async (t) => {
    const engine = await startEngine(t);
    const client = await connectRaw(t, engine.port);
    client.send(
      get(
        '/',
        'Connection: X-Secret, keep-alive',
        'X-Secret: 1',
        'Keep-Alive: timeout=5',
        'TE: trailers',
        'Proxy-Connection: x',
        'X-Kept: 2',
      ),
    );
    await client.untilText('GET /');
    assert.deepEqual(engine.understood[0]?.fields, ['x-kept', '2']);
  });

  it('reads each head for itself, however alike the heads of a connection are', async (t) => {
    const engine = await startEngine(t, {
      answer: (exchange, { path }) => {
        // Equal ones may share their fields: nobody can change those of one request by those of another.
        assert.throws(() => exchange.request.fields.push('x-added', path), TypeError);
        answerWith(exchange, 200, path);
      },
    });
    const client = await connectRaw(t, engine.port);
    const heads = [['X-A: 1'], ['X-A: 1'], ['X-A: 2'], ['X-A: 1', 'Cookie: c'], ['X-A: 1'], ['X-A: 1']];
    client.send(heads.map((fields, i) => get(`/${i}`, ...fields)).join(''));
    await client.until((received) => bodies(received) === heads.length, 'all answers');
    assert.deepEqual(
      engine.understood.map(({ fields }) => fields),
      heads.map((fields) => fields.flatMap((line) => line.toLowerCase().split(': '))),
    );
  });

  it('understands an absolute target', async (t) => {
    const engine = await startEngine(t);
    const client = await connectRaw(t, engine.port);
    client.send('GET http://Shop.Example:8080/a%2db/../c?q#'.slice(0, -1) + ' HTTP/1.1\r\nHost: shop.example:8080\r\n\r\n');
    await client.untilText('GET /c');
    const { host, path, query } = engine.understood[0] ?? {};
    assert.deepEqual({ host, path, query }, { host: 'shop.example', path: '/c', query: 'q' });
  });

  it('refuses a head that is too large, too long or has too many fields', async (t) => {
    const engine = await startEngine(t, { limits: { headBytes: 20_000, fields: 10 } });
    const tooLarge = await connectRaw(t, engine.port);
    tooLarge.send(get('/', `X: ${'y'.repeat(30_000)}`));
    assert.match(await tooLarge.untilClosed(), /^HTTP\/1\.1 431 /);
    const tooMany = await connectRaw(t, engine.port);
    tooMany.send(get('/', ...Array.from({ length: 11 }, (_, i) => `X-${i}: y`)));
    assert.match(await tooMany.untilClosed(), /^HTTP\/1\.1 431 /);
    const tooLong = await connectRaw(t, engine.port);
    tooLong.send(get(`/${'y'.repeat(17_000)}`));
    assert.match(await tooLong.untilClosed(), /^HTTP\/1\.1 414 /);
  });

  it('answers before the body is there, and then closes', async (t) => {
    const engine = await startEngine(t, {
      answer: () => undefined,
    });
    const client = await connectRaw(t, engine.port);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\nExpect: 100-continue\r\n\r\n');
    await client.until(() => engine.understood.length === 1, 'the request');
    assert.equal(client.ended, false);
    assert.equal(engine.connections.size, 1);
  });
});

describe('a client that is slow or leaves', () => {
  it('gets 408 when its head does not come in time', async (t) => {
    const engine = await startEngine(t, { timeouts: { requestHeadMs: 50 } });
    const client = await connectRaw(t, engine.port);
    client.send('GET / HT');
    assert.match(await client.untilClosed(), /^HTTP\/1\.1 408 /);
  });

  it('is closed without a word when it sends nothing at all', async (t) => {
    const engine = await startEngine(t, { timeouts: { requestHeadMs: 50 } });
    const client = await connectRaw(t, engine.port);
    assert.equal(await client.untilClosed(), '');
  });

  it('is closed when a kept connection is idle for too long', async (t) => {
    const engine = await startEngine(t, { timeouts: { keepAliveMs: 50 } });
    const client = await connectRaw(t, engine.port);
    client.send(get('/'));
    assert.match(await client.untilClosed(), /^HTTP\/1\.1 200 /);
  });

  it('gets 408 when its body stops', async (t) => {
    const engine = await startEngine(t, { timeouts: { requestBodyMs: 50 } });
    const client = await connectRaw(t, engine.port);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf');
    assert.match(await client.untilClosed(), /^HTTP\/1\.1 408 /);
    assert.equal(engine.understood[0]?.failed, 'request_timeout');
  });

  it('is let go when it does not read its response', async (t) => {
    const engine = await startEngine(t, {
      timeouts: { writeMs: 100 },
      answer: (exchange) => {
        exchange.sendHead(200, [], 512 * 65_536);
        const chunk = Buffer.alloc(65_536);
        let left = 512;
        const more = (): void => {
          while (left > 0 && exchange.sendBody(chunk)) left -= 1;
        };
        exchange.listener.onDownstreamDrain = more;
        more();
      },
    });
    const client = await connectRaw(t, engine.port);
    client.socket.pause();
    client.send(get('/'));
    await client.until(() => engine.understood[0]?.failed === 'client_closed', 'the engine to give up');
  });

  it('is noticed when it leaves in the middle of an exchange', async (t) => {
    const engine = await startEngine(t, { answer: () => undefined });
    const client = await connectRaw(t, engine.port);
    client.send(get('/'));
    await client.until(() => engine.understood.length === 1, 'the request');
    client.socket.destroy();
    const other = await connectRaw(t, engine.port);
    await other.until(() => engine.understood[0]?.failed === 'client_closed', 'the engine to notice');
  });
});

describe('a client that does not read', () => {
  /** More than the system takes for it, in one piece. */
  const large = Buffer.alloc(32 * 1024 * 1024, 'x');

  it('is let go when its response waits, though that was the last of it', async (t) => {
    const clock = new ManualClock();
    const engine = await startEngine(t, {
      clock,
      timeouts: { writeMs: 1000 },
      answer: (exchange) => answerWith(exchange, 200, large.toString()),
    });
    const client = await connectRaw(t, engine.port);
    client.socket.pause();
    client.send(get('/'));
    await client.until(() => engine.understood.length === 1, 'the request');
    clock.advance(500);
    assert.equal(engine.connections.size, 1);
    clock.advance(1000);
    await client.until(() => engine.connections.size === 0, 'the connection to be gone');
  });

  it('gets no further response until it has taken those before, so that they do not pile up', async (t) => {
    const engine = await startEngine(t, { answer: (exchange) => answerWith(exchange, 200, 'x'.repeat(60_000)) });
    const client = await connectRaw(t, engine.port);
    client.socket.pause();
    const asked = 400;
    for (let i = 0; i < asked; i += 1) client.send(get(`/${i}`));
    const begun = async (): Promise<number> => {
      const before = engine.understood.length;
      await delay(50);
      return engine.understood.length === before ? before : begun();
    };
    assert.ok((await begun()) < asked);
    client.socket.resume();
    await client.until(() => engine.understood.length === asked, 'all requests');
    await client.until((received) => bodies(received) === asked, 'all responses');
  });

  it('gets the whole of its last response, however late it begins to read', async (t) => {
    const clock = new ManualClock();
    const engine = await startEngine(t, {
      clock,
      timeouts: { writeMs: 60_000 },
      answer: (exchange) => answerWith(exchange, 200, large.toString()),
    });
    const client = await connectRaw(t, engine.port);
    client.socket.pause();
    client.send(get('/', 'Connection: close'));
    await client.until(() => engine.understood.length === 1, 'the request');
    clock.advance(30_000);
    client.socket.resume();
    assert.equal((await client.untilClosed()).split('\r\n\r\n')[1]?.length, large.length);
  });
});

describe('a body that nobody takes at the moment', () => {
  it('is no fault of the client: its time-out waits', async (t) => {
    const clock = new ManualClock();
    const begun: DownstreamExchange[] = [];
    const engine = await startEngine(t, { clock, timeouts: { requestBodyMs: 1000 }, onRequest: (exchange) => void begun.push(exchange) });
    const client = await connectRaw(t, engine.port);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf');
    await client.until(() => engine.understood[0]?.body === 'half', 'half of the body');
    const [held] = begun;
    held?.pauseBody();
    clock.advance(5000);
    assert.equal(engine.understood[0]?.failed, '');
    held?.resumeBody();
    clock.advance(2000);
    assert.equal(engine.understood.at(0)?.failed, 'request_timeout');
  });
});

describe('a connection that is cut', () => {
  it('goes away even in the moment after its last answer, when it is half closed already', async (t) => {
    const engine = await startEngine(t);
    const client = await connectRaw(t, engine.port);
    client.send('nonsense\r\n\r\n');
    await client.untilClosed();
    assert.equal(engine.connections.size, 1);
    for (const connection of engine.connections) connection.destroy();
    await client.until(() => engine.connections.size === 0, 'the connection to be gone');
  });
});

describe('a draining connection', () => {
  it('closes when it is idle and nothing more comes', async (t) => {
    const engine = await startEngine(t);
    const client = await connectRaw(t, engine.port);
    client.send(get('/'));
    await client.untilText('GET /');
    for (const connection of engine.connections) connection.drain();
    await client.untilClosed();
  });

  it('answers a request that was on its way when the drain began, and says that it is the last', async (t) => {
    const engine = await startEngine(t);
    const client = await connectRaw(t, engine.port);
    client.send(get('/'));
    await client.untilText('GET /');
    for (const connection of engine.connections) connection.drain();
    client.send(get('/late'));
    assert.match(await client.untilClosed(), /connection: close\r\n[\s\S]*GET \/late/);
  });

  it('lets a client that has just been let in ask once', async (t) => {
    const engine = await startEngine(t);
    const client = await connectRaw(t, engine.port);
    await client.until(() => engine.connections.size === 1, 'the connection to be accepted');
    for (const connection of engine.connections) connection.drain();
    client.send(get('/'));
    assert.match(await client.untilClosed(), /^HTTP\/1\.1 200 OK\r\n[\s\S]*connection: close\r\n/);
  });

  it('finishes the exchange that runs and says that it is the last', async (t) => {
    let finish: () => void = () => undefined;
    const engine = await startEngine(t, { answer: (exchange) => void (finish = () => answerWith(exchange, 200, 'done')) });
    const client = await connectRaw(t, engine.port);
    client.send(get('/'));
    await client.until(() => engine.understood.length === 1, 'the request');
    for (const connection of engine.connections) connection.drain();
    finish();
    assert.match(await client.untilClosed(), /connection: close\r\n[\s\S]*done$/);
  });
});
