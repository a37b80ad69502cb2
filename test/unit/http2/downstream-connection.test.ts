// Requests of one HTTP/2 connection: answered side by side, within windows, in time, with an end that is clean.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import * as frames from '../../../balancer/http2/frame.ts';
import { Flag, FrameType, Http2Error, Setting } from '../../../balancer/http2/frame.ts';
import { UNKNOWN_LENGTH, type DownstreamExchange } from '../../../balancer/message/exchange.ts';
import { fieldValue } from '../../../balancer/message/fields.ts';
import { answerWith, startEngine, type Engine, type EngineOptions } from '../../support/engine.ts';
import { rawFrame } from '../../support/frames.ts';
import { block, connectH2, data, GET, head, POST } from '../../support/h2-client.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { until } from '../../support/until.ts';

const at = (path: string, ...more: string[]): string[] => [':method', 'GET', ':scheme', 'http', ':path', path, ':authority', 'a', ...more];

describe('an HTTP/2 connection', () => {
  it('answers many requests at once, all answers of a turn in one write', async (t) => {
    const engine = await startEngine(t, { http2: {} });
    const client = await connectH2(t, engine.port);
    await client.roundTrip();
    const readsBefore = client.reads;
    const ids = Array.from({ length: 50 }, (_, i) => i * 2 + 1);
    client.send(...ids.map((id) => head(id, at(`/${id}`))));
    for (const id of ids) assert.equal((await client.untilAnswered(id)).body, `GET /${id}`);
    assert.equal(client.reads - readsBefore, 1);
    assert.deepEqual(client.response(1).heads[0]?.slice(0, 4), [':status', '200', 'content-type', 'text/plain']);
    assert.equal(fieldValue(client.response(1).heads[0] ?? [], 'content-length'), '6');
  });

  it('reads requests whose header blocks are in pieces', async (t) => {
    const engine = await startEngine(t, { http2: {} });
    const client = await connectH2(t, engine.port);
    const text = block(at('/pieces'));
    client.send(
      rawFrame(FrameType.Headers, Flag.EndStream, 1, text.slice(0, 5)),
      rawFrame(FrameType.Continuation, 0, 1, text.slice(5, 6)),
      rawFrame(FrameType.Continuation, Flag.EndHeaders, 1, text.slice(6)),
    );
    assert.equal((await client.untilAnswered(1)).body, 'GET /pieces');
  });

  it('reads equal blocks as equal requests, whose fields nobody can change', async (t) => {
    const engine = await startEngine(t, {
      http2: {},
      onRequest: ({ request }) => assert.throws(() => request.fields.push('x-added', '1'), TypeError),
    });
    const client = await connectH2(t, engine.port);
    const fields = at('/', 'accept', 'text/html', 'cookie', 'a=1', 'cookie', 'b=2', 'te', 'trailers');
    client.send(head(1, fields), head(3, fields));
    await client.untilAnswered(3);
    const wanted = ['accept', 'text/html', 'cookie', 'a=1; b=2'];
    assert.deepEqual(
      engine.understood.map(({ fields: got }) => got),
      [wanted, wanted],
    );
  });

  it('keeps bodies of all streams apart, with trailers', async (t) => {
    const engine = await startEngine(t, { http2: {} });
    const client = await connectH2(t, engine.port);
    client.send(
      head(1, POST, false),
      head(3, [...POST, 'content-length', '4'], false),
      data(1, 'one', false),
      data(3, 'th', false),
      data(3, 'ree'.slice(1), true),
      rawFrame(FrameType.Data, Flag.Padded, 1, '\x02,1\0\0'),
      rawFrame(FrameType.Headers, Flag.EndHeaders | Flag.EndStream, 1, block(['x-sum', '9', 'cookie', 'no'])),
    );
    await client.untilAnswered(1);
    await client.untilAnswered(3);
    assert.deepEqual(
      engine.understood.map(({ body, trailers }) => ({ body, trailers })),
      [
        { body: 'one,1', trailers: ['x-sum', '9'] },
        { body: 'thee', trailers: [] },
      ],
    );
  });

  it('sends trailers, an informational head, and bodies of unknown length', async (t) => {
    const engine = await startEngine(t, {
      http2: {},
      answer: (exchange) => {
        exchange.sendInformational(103, ['link', '</a>']);
        exchange.sendHead(200, [], UNKNOWN_LENGTH);
        exchange.sendBody(Buffer.from('one'));
        exchange.flush();
        exchange.sendBody(Buffer.alloc(20_000, 'x'));
        exchange.sendEnd(['grpc-status', '0']);
      },
    });
    const client = await connectH2(t, engine.port);
    client.send(head(1, GET));
    const { heads, body } = await client.untilAnswered(1);
    assert.equal(body, `one${'x'.repeat(20_000)}`);
    assert.deepEqual(heads[0], [':status', '103', 'link', '</a>']);
    assert.equal(fieldValue(heads[1] ?? [], 'content-length'), undefined);
    assert.deepEqual(heads[2], ['grpc-status', '0']);
  });

  it('sends a response of trailers only with one frame', async (t) => {
    const engine = await startEngine(t, {
      http2: {},
      answer: (exchange) => {
        exchange.sendHead(200, ['grpc-status', '12'], UNKNOWN_LENGTH);
        exchange.sendEnd([]);
      },
    });
    const client = await connectH2(t, engine.port);
    client.send(head(1, POST, false), data(1, 'x', true));
    const { heads, body } = await client.untilAnswered(1);
    assert.deepEqual([heads.length, body, client.dataOrder.length], [1, '', 0]);
  });

  it('sends no body to HEAD, with 204 and with 304, and tells lengths where they may be told', async (t) => {
    const engine = await startEngine(t, { http2: {}, answer: (exchange, { path }) => answerWith(exchange, Number(path.slice(1)), 'four') });
    const client = await connectH2(t, engine.port);
    client.send(head(1, [':method', 'HEAD', ...at('/200').slice(2)]), head(3, at('/204')), head(5, at('/304')));
    for (const [id, length] of [
      [1, '4'],
      [3, undefined],
      [5, '4'],
    ] as const) {
      const { heads, body } = await client.untilAnswered(id);
      assert.deepEqual([body, fieldValue(heads[0] ?? [], 'content-length')], ['', length]);
    }
    assert.deepEqual(client.dataOrder, []);
  });

  it('tells a client to stop that is answered before it has sent its body, and ignores what was on its way', async (t) => {
    const engine = await startEngine(t, { http2: {}, onRequest: (exchange) => setImmediate(() => answerWith(exchange, 200, 'early')) });
    const client = await connectH2(t, engine.port);
    client.send(head(1, POST, false));
    assert.equal((await client.untilAnswered(1)).body, 'early');
    assert.equal(await client.untilReset(1), Http2Error.NoError);
    client.send(data(1, 'late', false), head(1, ['x-late', '1'], true));
    await client.roundTrip();
    assert.deepEqual(client.goAways, []);
  });

  it('tells its listener once when the client resets a stream or leaves', async (t) => {
    const failures: string[] = [];
    const engine = await startEngine(t, {
      http2: {},
      answer: () => undefined,
    });
    const client = await connectH2(t, engine.port);
    client.send(head(1, GET), head(3, POST, false), frames.rstStreamFrame(1, Http2Error.Cancel));
    await client.roundTrip();
    failures.push(...engine.understood.map(({ failed }) => failed));
    assert.deepEqual(failures, ['client_closed', '']);
    client.socket.destroy();
    await until(() => engine.understood[1]?.failed === 'client_closed', 'the second stream fails');
    await until(() => engine.connections.size === 0, 'the connection is gone');
  });

  it('aborts a response so that it does not look complete', async (t) => {
    const engine = await startEngine(t, {
      http2: {},
      answer: (exchange) => {
        exchange.sendHead(200, [], 10);
        exchange.sendBody(Buffer.from('half'));
        exchange.flush();
        exchange.abort();
      },
    });
    const client = await connectH2(t, engine.port);
    client.send(head(1, GET));
    assert.equal(await client.untilReset(1), Http2Error.InternalError);
    assert.deepEqual([client.response(1).body, client.response(1).ended], ['half', false]);
    await client.roundTrip();
  });
});

describe('the windows of an HTTP/2 connection', () => {
  const WINDOW = Setting.InitialWindowSize;

  it('hold a response back, and let it go piece by piece', async (t) => {
    let drained = 0;
    const engine = await startEngine(t, {
      http2: {},
      answer: (exchange) => {
        exchange.listener.onDownstreamDrain = () => {
          drained += 1;
          exchange.sendEnd([]);
        };
        exchange.sendHead(200, [], 600);
        assert.equal(exchange.sendBody(Buffer.alloc(600, 'x')) && exchange.flush(), false);
      },
    });
    const client = await connectH2(t, engine.port, [WINDOW, 0]);
    client.send(head(1, GET));
    await client.roundTrip();
    assert.deepEqual([client.status(1), client.response(1).body], ['200', '']);
    client.send(frames.windowUpdateFrame(1, 400));
    await client.roundTrip();
    assert.deepEqual([client.response(1).body.length, drained], [400, 0]);
    client.send(frames.windowUpdateFrame(1, 1000));
    assert.equal((await client.untilAnswered(1)).body.length, 600);
    assert.equal(drained, 1);
  });

  it('change with SETTINGS, below nothing too', async (t) => {
    const engine = await startEngine(t, { http2: {}, answer: (exchange) => answerWith(exchange, 200, 'x'.repeat(1000)) });
    const client = await connectH2(t, engine.port, [WINDOW, 300]);
    client.send(head(1, GET));
    await client.until(() => client.response(1).body.length === 300, '300 bytes');
    client.send(frames.settingsFrame([WINDOW, 100]), frames.windowUpdateFrame(1, 150));
    await client.roundTrip();
    assert.equal(client.response(1).body.length, 300);
    client.send(frames.windowUpdateFrame(1, 100));
    await client.roundTrip();
    assert.equal(client.response(1).body.length, 350);
    client.send(frames.settingsFrame([WINDOW, 10_000]));
    await client.untilAnswered(1);
  });

  it('of the connection hold all streams back, and are shared by turns', async (t) => {
    const engine = await startEngine(t, { http2: {}, answer: (exchange) => answerWith(exchange, 200, 'x'.repeat(100_000)) });
    const client = await connectH2(t, engine.port, [WINDOW, 200_000]);
    client.send(head(1, GET), head(3, GET), head(5, GET));
    await client.until(() => client.dataOrder.length >= 4, 'the window of the connection');
    await client.roundTrip();
    const sizes = [1, 3, 5].map((id) => client.response(id).body.length);
    assert.equal(
      sizes.reduce((sum, size) => sum + size, 0),
      65_535,
    );
    client.send(frames.windowUpdateFrame(0, 300_000));
    for (const id of [1, 3, 5]) assert.equal((await client.untilAnswered(id)).body.length, 100_000);
    // While all three wait no stream is served twice before another one is.
    const middle = client.dataOrder.slice(6, 15);
    assert.ok(
      [1, 3, 5].every((id) => middle.filter((other) => other === id).length === 3),
      client.dataOrder.join(' '),
    );
  });

  it('let a small answer pass beside a large one that waits for its own window', async (t) => {
    const engine = await startEngine(t, {
      http2: {},
      answer: (exchange, { path }) => answerWith(exchange, 200, path === '/large' ? 'x'.repeat(60_000) : 'small'),
    });
    const client = await connectH2(t, engine.port, [WINDOW, 1000]);
    client.send(head(1, at('/large')), head(3, at('/small')));
    assert.equal((await client.untilAnswered(3)).body, 'small');
    assert.equal(client.response(1).ended, false);
  });

  it('of a body that is held back stay shut, and others flow on', async (t) => {
    const held: DownstreamExchange[] = [];
    const engine = await startEngine(t, {
      http2: {},
      onRequest: (exchange) => {
        if (exchange.request.path === '/held') held.push(exchange);
      },
    });
    const client = await connectH2(t, engine.port);
    client.send(head(1, [':method', 'POST', ...at('/held').slice(2)], false));
    await client.roundTrip();
    held[0]?.pauseBody();
    for (let i = 0; i < 4; i += 1) client.send(data(1, 'h'.repeat(16_384), false));
    await client.roundTrip();
    assert.equal(client.increments.get(1), undefined);
    assert.equal(engine.understood[0]?.body, '');
    // Ten times what the window of the connection would let pass if what is held kept its part of it.
    client.send(head(3, POST, false));
    for (let i = 0; i < 40; i += 1) {
      client.send(data(3, 'f'.repeat(16_384), false));
      await client.until(() => (client.increments.get(3) ?? 0) + 65_536 >= (i + 2) * 16_384, 'a window for the stream that flows');
    }
    client.send(data(3, '', true));
    await client.untilAnswered(3);
    held[0]?.resumeBody();
    client.send(data(1, 'end', true));
    await client.untilAnswered(1);
    assert.equal(engine.understood[0].body.length, 4 * 16_384 + 3);
  });
});

describe('an HTTP/2 client that takes its time', () => {
  const clocked = async (t: TestContext, options: EngineOptions = {}): Promise<{ clock: ManualClock; engine: Engine }> => {
    const clock = new ManualClock();
    const engine = await startEngine(t, { http2: {}, clock, ...options });
    return { clock, engine };
  };

  it('is let go when it is idle, with a GOAWAY that names its last stream', async (t) => {
    const { clock, engine } = await clocked(t, { timeouts: { keepAliveMs: 1000 } });
    const client = await connectH2(t, engine.port);
    client.send(head(1, GET));
    await client.untilAnswered(1);
    clock.advance(900);
    await client.roundTrip();
    clock.advance(300);
    assert.equal(await client.untilClosed(), Http2Error.NoError);
    assert.equal(client.goAways[0]?.lastId, 1);
  });

  it('is let go when it does not finish a header block, and not while frames go on', async (t) => {
    const { clock, engine } = await clocked(t, { timeouts: { requestHeadMs: 1000 } });
    const client = await connectH2(t, engine.port);
    await client.roundTrip();
    client.send(head(1, GET).subarray(0, 12));
    await until(() => engine.connections.size === 1, 'the connection');
    const slow = await connectH2(t, engine.port);
    await slow.roundTrip();
    clock.advance(1200);
    assert.equal(await client.untilClosed(), Http2Error.ProtocolError);
    await slow.roundTrip();
    assert.equal(slow.closed, false);
  });

  it('gets 408 for a body that stops', async (t) => {
    const { clock, engine } = await clocked(t, { timeouts: { requestBodyMs: 1000 } });
    const client = await connectH2(t, engine.port);
    client.send(head(1, POST, false), data(1, 'x', false));
    await until(() => engine.understood[0]?.body === 'x', 'the first byte');
    clock.advance(1200);
    await client.untilAnswered(1);
    assert.equal(client.status(1), '408');
    assert.equal(await client.untilReset(1), Http2Error.NoError);
    await client.roundTrip();
  });

  it('loses a stream whose window it does not open, and that one only', async (t) => {
    const { clock, engine } = await clocked(t, {
      timeouts: { writeMs: 1000 },
      answer: (exchange) => answerWith(exchange, 200, 'x'.repeat(100)),
    });
    const client = await connectH2(t, engine.port, [Setting.InitialWindowSize, 0]);
    client.send(head(1, GET), head(3, GET));
    await client.until(() => client.status(1) === '200' && client.status(3) === '200', 'both heads');
    clock.advance(900);
    client.send(frames.windowUpdateFrame(3, 50));
    await client.until(() => client.response(3).body.length === 50, '50 bytes');
    clock.advance(300);
    assert.equal(await client.untilReset(1), Http2Error.Cancel);
    assert.equal(client.response(3).reset, -1);
    assert.deepEqual(engine.abuses, ['slow_reader']);
    client.send(frames.windowUpdateFrame(3, 50));
    await client.untilAnswered(3);
  });
});

describe('an HTTP/2 connection that drains', () => {
  it('takes what was on its way, names its last stream, answers and closes', async (t) => {
    const answers: (() => void)[] = [];
    const engine = await startEngine(t, { http2: {}, answer: (exchange) => answers.push(() => answerWith(exchange, 200, 'late')) });
    const client = await connectH2(t, engine.port);
    client.send(head(1, GET));
    await client.until(() => engine.understood.length === 1, 'the first request');
    for (const connection of engine.connections) connection.drain();
    // Sent before GOAWAY was read: the answer to the PING comes behind it.
    client.send(head(3, GET));
    await client.until(() => client.goAways.length === 2, 'the second GOAWAY');
    assert.deepEqual(
      client.goAways.map(({ lastId, error }) => ({ lastId, error })),
      [
        { lastId: frames.MAX_WINDOW, error: Http2Error.NoError },
        { lastId: 3, error: Http2Error.NoError },
      ],
    );
    client.send(head(5, GET), data(7, 'ignored', true));
    await client.roundTrip();
    assert.equal(engine.understood.length, 2);
    for (const answer of answers) answer();
    await client.untilAnswered(1);
    await client.untilAnswered(3);
    assert.equal(await client.untilClosed(), Http2Error.NoError);
  });

  it('closes at once when it is idle, and begins with it when it was admitted late', async (t) => {
    const engine = await startEngine(t, { http2: {} });
    const client = await connectH2(t, engine.port);
    await client.roundTrip();
    for (const connection of engine.connections) connection.drain();
    assert.equal(await client.untilClosed(), Http2Error.NoError);
    assert.deepEqual(
      client.goAways.map(({ lastId }) => lastId),
      [frames.MAX_WINDOW, 0],
    );
  });
});
