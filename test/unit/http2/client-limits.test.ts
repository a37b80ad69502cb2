// How much an HTTP/2 client may ask for, and how slow it may be: the same limits as in HTTP/1.1, which end a request and not its neighbours.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import * as frames from '../../../balancer/http2/frame.ts';
import { Http2Error, Setting } from '../../../balancer/http2/frame.ts';
import { UNKNOWN_LENGTH, type DownstreamExchange } from '../../../balancer/message/exchange.ts';
import { answerWith, startEngine, type Engine, type EngineOptions } from '../../support/engine.ts';
import { connectH2, data, GET, head, POST, type H2Client } from '../../support/h2-client.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { connectRaw } from '../../support/raw-client.ts';
import { startOrigin } from '../../support/origin.ts';
import { countOf, startProxy } from '../../support/proxy.ts';
import { until } from '../../support/until.ts';

interface Started {
  readonly engine: Engine;
  readonly client: H2Client;
}

async function start(t: TestContext, options: EngineOptions): Promise<Started> {
  const engine = await startEngine(t, { http2: {}, ...options });
  return { engine, client: await connectH2(t, engine.port) };
}

/** What came of a body so far. */
const bodyOf = (engine: Engine, index = 0): number => engine.understood[index]?.body.length ?? -1;
const outcomes = (engine: Engine): readonly object[] => engine.understood.map(({ body, complete, failed }) => ({ body, complete, failed }));

/** The stream ended with this status, the client was told to stop, and the connection serves on. */
async function endsAlone(client: H2Client, status: string): Promise<void> {
  await client.untilAnswered(1);
  assert.equal(client.status(1), status);
  assert.equal(await client.untilReset(1), Http2Error.NoError);
  client.send(head(9, GET));
  await client.untilAnswered(9);
  assert.deepEqual([client.status(9), client.goAways], ['200', []]);
}

describe('the body of a request over HTTP/2', () => {
  it('that says it is too large is 413 before anything of it is taken, and ends alone', async (t) => {
    const { engine, client } = await start(t, { limits: { bodyBytes: 10 } });
    client.send(head(1, [...POST, 'content-length', '11', 'expect', '100-continue'], false), data(1, '0123456789', false));
    await endsAlone(client, '413');
    assert.deepEqual(engine.refused, ['body_too_large']);
    assert.equal(engine.understood.length, 1);
  });

  it('that turns out too large is 413, what is beyond goes nowhere, and it ends alone', async (t) => {
    const { engine, client } = await start(t, { limits: { bodyBytes: 10 } });
    client.send(head(1, POST, false), data(1, 'abcdef', false));
    await client.roundTrip();
    assert.equal(bodyOf(engine), 6);
    client.send(data(1, 'ghijk', false), data(1, 'more', false));
    await endsAlone(client, '413');
    assert.deepEqual(outcomes(engine)[0], { body: 'abcdef', complete: false, failed: 'body_too_large' });
  });

  it('that turns out too large when its response has begun is broken off', async (t) => {
    const { engine, client } = await start(t, {
      limits: { bodyBytes: 10 },
      onRequest: (exchange) => {
        exchange.sendHead(200, [], UNKNOWN_LENGTH);
        exchange.flush();
      },
    });
    client.send(head(1, POST, false), data(1, '0123456789', false));
    await client.until(() => client.status(1) === '200', 'the head of the response');
    client.send(data(1, '!', true));
    assert.equal(await client.untilReset(1), Http2Error.Cancel);
    assert.equal(client.response(1).ended, false);
    assert.equal(engine.understood[0]?.failed, 'body_too_large');
    await client.roundTrip();
  });

  it('of exactly the limit is taken, told or not', async (t) => {
    const { engine, client } = await start(t, { limits: { bodyBytes: 10 } });
    client.send(head(1, [...POST, 'content-length', '10'], false), data(1, '0123456789', true));
    client.send(head(3, POST, false), data(3, '01234', false), data(3, '56789', true));
    await client.untilAnswered(1);
    await client.untilAnswered(3);
    assert.deepEqual(
      outcomes(engine),
      [1, 3].map(() => ({ body: '0123456789', complete: true, failed: '' })),
    );
  });

  describe('at a rate', () => {
    /** 240 bytes a second, and 30 seconds between two bytes. */
    const slowly = (clock: ManualClock): EngineOptions => ({ clock, limits: { bodyRate: 240 }, timeouts: { requestBodyMs: 30_000 } });

    it('that does not get going is 408, counted as cut, and ends alone', async (t) => {
      const clock = new ManualClock();
      const { engine, client } = await start(t, slowly(clock));
      client.send(head(1, POST, false), data(1, '0123456789', false));
      await client.roundTrip();
      assert.equal(bodyOf(engine), 10);
      clock.advance(4900);
      assert.deepEqual(engine.cut, []);
      clock.advance(300);
      await endsAlone(client, '408');
      assert.equal(engine.understood[0]?.failed, 'body_too_slow');
      assert.deepEqual(engine.cut, ['body_too_slow']);
    });

    it('may come as slowly as that for as long as it takes', async (t) => {
      const clock = new ManualClock();
      const { engine, client } = await start(t, slowly(clock));
      client.send(head(1, POST, false));
      for (let second = 1; second <= 20; second += 1) {
        client.send(data(1, 'x'.repeat(300), second === 20));
        await client.roundTrip();
        assert.equal(bodyOf(engine), second * 300);
        clock.advance(1000);
      }
      await client.untilAnswered(1);
      assert.deepEqual([client.status(1), engine.cut], ['200', []]);
    });

    it('saves up no more time than may pass between two bytes, however fast it began', async (t) => {
      const clock = new ManualClock();
      const { engine, client } = await start(t, slowly(clock));
      client.send(head(1, POST, false), data(1, 'x'.repeat(16_000), false), data(1, 'x'.repeat(16_000), false));
      await client.roundTrip();
      assert.equal(bodyOf(engine), 32_000);
      for (let second = 1; second <= 31 && engine.cut.length === 0; second += 1) {
        client.send(data(1, 'x', false));
        await client.roundTrip();
        assert.equal(bodyOf(engine), 32_000 + second);
        clock.advance(1000);
      }
      assert.deepEqual(engine.cut, ['body_too_slow']);
    });

    it('may wait for other bodies of its client, while those come fast enough for all, and not longer', async (t) => {
      const clock = new ManualClock();
      const { engine, client } = await start(t, slowly(clock));
      client.send(head(1, POST, false), head(3, POST, false));
      for (let second = 1; second <= 30; second += 1) {
        client.send(data(3, 'x'.repeat(500), false));
        await client.roundTrip();
        assert.equal(bodyOf(engine, 1), second * 500);
        clock.advance(1000);
      }
      assert.deepEqual(engine.cut, []);
      for (let second = 1; second <= 6; second += 1) {
        client.send(data(3, 'x'.repeat(300), false));
        await client.roundTrip();
        assert.equal(bodyOf(engine, 1), 15_000 + second * 300);
        clock.advance(1000);
      }
      await client.until(() => client.status(1) === '408', 'the end of the one that waits');
      assert.deepEqual(engine.cut, ['body_too_slow']);
    });

    it('does not pay for bodies of others that wait here and have used up the window of all', async (t) => {
      const clock = new ManualClock();
      const exchanges: DownstreamExchange[] = [];
      const { engine, client } = await start(t, {
        ...slowly(clock),
        http2: { streamWindow: 65_536, connectionWindow: 65_536 },
        onRequest: (exchange) => exchanges.push(exchange),
      });
      client.send(head(1, POST, false), head(3, POST, false), head(5, POST, false));
      await client.until(() => engine.understood.length === 3, 'all requests');
      exchanges[0]?.pauseBody();
      exchanges[2]?.pauseBody();
      for (const id of [1, 1, 1, 1, 5, 5]) client.send(data(id, 'x'.repeat(16_384), false));
      await client.roundTrip();
      clock.advance(20_000);
      await client.roundTrip();
      assert.deepEqual(engine.cut, []);
      exchanges[0]?.resumeBody();
      await client.roundTrip();
      assert.equal(bodyOf(engine), 65_536);
      client.send(data(1, '', true), data(3, 'y', true));
      await client.untilAnswered(3);
    });
  });
});

describe('an HTTP/2 connection', () => {
  it('says goodbye with its last request, answers those that were on their way, and closes', async (t) => {
    const answers: (() => void)[] = [];
    const { engine, client } = await start(t, {
      limits: { requestsPerConnection: 2 },
      answer: (exchange) => answers.push(() => answerWith(exchange, 200, 'late')),
    });
    client.send(head(1, GET));
    await client.roundTrip();
    assert.deepEqual(client.goAways, []);
    client.send(head(3, GET), head(5, GET));
    await client.until(() => client.goAways.length === 2, 'both GOAWAYs');
    assert.deepEqual(
      client.goAways.map(({ lastId, error }) => ({ lastId, error })),
      [
        { lastId: frames.MAX_WINDOW, error: Http2Error.NoError },
        { lastId: 5, error: Http2Error.NoError },
      ],
    );
    for (const answer of answers) answer();
    for (const id of [1, 3, 5]) assert.equal((await client.untilAnswered(id)).body, 'late');
    assert.equal(await client.untilClosed(), Http2Error.NoError);
    assert.equal(engine.understood.length, 3);
  });

  it('is cut when a frame does not come to its end, and its requests with it', async (t) => {
    const clock = new ManualClock();
    const { engine, client } = await start(t, { clock, timeouts: { requestHeadMs: 1000 }, answer: () => undefined });
    client.send(head(1, GET), head(3, GET).subarray(0, 12));
    await client.until(() => engine.understood.length === 1, 'the first request');
    clock.advance(1200);
    assert.equal(await client.untilClosed(), Http2Error.ProtocolError);
    assert.deepEqual([engine.cut, engine.understood[0]?.failed], [['request_timeout'], 'request_timeout']);
  });

  it('is cut when its preface does not come to its end, and not when it has not begun', async (t) => {
    const clock = new ManualClock();
    const { engine, client } = await start(t, { clock, timeouts: { requestHeadMs: 1000, keepAliveMs: 1_000_000 } });
    const silent = await connectRaw(t, engine.port);
    const begun = await connectRaw(t, engine.port);
    await silent.until((received) => received !== '', 'the settings of the engine');
    await begun.until((received) => received !== '', 'the same on the other');
    await new Promise((sent) => begun.socket.write(frames.PREFACE.slice(0, 10), sent));
    // Read by the engine, as what came later on another connection is.
    await client.roundTrip();
    clock.advance(1200);
    await silent.untilClosed();
    await begun.untilClosed();
    assert.deepEqual(engine.cut, ['request_timeout']);
  });

  it('is cut when our SETTINGS are not acknowledged in time, and its requests with it (RFC 9113 section 6.5.3)', async (t) => {
    const clock = new ManualClock();
    const { engine, client } = await start(t, { clock, timeouts: { requestHeadMs: 1000 } });
    await client.roundTrip();
    const deaf = await connectRaw(t, engine.port);
    deaf.send(frames.PREFACE + frames.settingsFrame([]) + head(1, POST, false).toString('latin1'));
    await until(() => engine.understood.length === 1, 'its request');
    clock.advance(900);
    await client.roundTrip();
    assert.deepEqual(engine.cut, []);
    clock.advance(300);
    const goAway = frames.goAwayFrame(1, Http2Error.SettingsTimeout, 'SETTINGS were not acknowledged in time');
    assert.ok((await deaf.untilClosed()).endsWith(goAway));
    assert.deepEqual([engine.cut, engine.understood[0]?.failed], [['request_timeout'], 'request_timeout']);
    await client.roundTrip();
  });

  it('ends when our SETTINGS are acknowledged twice', async (t) => {
    const { client } = await start(t, {});
    await client.roundTrip();
    client.send(frames.SETTINGS_ACK);
    assert.equal(await client.untilClosed(), Http2Error.ProtocolError);
  });

  it('that does not open the window of a stream is cut there, and counted', async (t) => {
    const clock = new ManualClock();
    const options = { clock, timeouts: { writeMs: 1000 } };
    const engine = await startEngine(t, { http2: {}, ...options });
    const client = await connectH2(t, engine.port, [Setting.InitialWindowSize, 0]);
    client.send(head(1, GET));
    await client.until(() => client.status(1) === '200', 'the head');
    clock.advance(1200);
    assert.equal(await client.untilReset(1), Http2Error.Cancel);
    assert.deepEqual(engine.cut, ['write_timeout']);
    await client.roundTrip();
  });
});

describe('the data plane', () => {
  it('tells an HTTP/2 client 413, breaks the request off for the origin, and counts it', async (t) => {
    const origin = await startOrigin(t, (request, response) => {
      request.on('error', () => undefined);
      request.resume().on('end', () => response.end('all'));
    });
    const proxy = await startProxy(t, { endpoints: [origin.endpoint], listener: { limits: { bodyBytes: '1KiB' } } });
    const client = await connectH2(t, proxy.port);
    client.send(head(1, POST, false), data(1, 'abc', false));
    await until(() => origin.requests.length === 1, 'the request at the origin');
    client.send(data(1, 'x'.repeat(2048), true));
    await client.untilAnswered(1);
    assert.equal(client.status(1), '413');
    await until(() => origin.requests[0]?.destroyed === true, 'the end at the origin');
    assert.equal(origin.requests[0]?.complete, false);
    client.send(head(3, GET));
    assert.equal((await client.untilAnswered(3)).body, 'all');
    await until(() => countOf(proxy, 'weir_local_replies_total', 'web', 'body_too_large') === 1, 'it is counted');
  });

  it('counts the HTTP/2 requests of slow clients that it cuts', async (t) => {
    const origin = await startOrigin(t, (request, response) => void request.resume().on('end', () => response.end()));
    const proxy = await startProxy(t, { endpoints: [origin.endpoint], listener: { timeouts: { requestBody: '200ms' } } });
    const client = await connectH2(t, proxy.port);
    client.send(head(1, POST, false), data(1, 'abc', false));
    await client.untilAnswered(1);
    assert.equal(client.status(1), '408');
    await until(() => countOf(proxy, 'weir_connections_cut_total', 'web', 'request_timeout') === 1, 'it is counted');
  });
});
