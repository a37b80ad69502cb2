// Frames, streams and windows that RFC 9113 does not allow, and RFC 8441 and 9218 where they add to it: each ends what the section says, and nothing else.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as frames from '../../balancer/http2/frame.ts';
import { Flag, FrameType, Http2Error, Setting } from '../../balancer/http2/frame.ts';
import { startEngine } from '../support/engine.ts';
import { hex, rawFrame } from '../support/frames.ts';
import { block, connectH2, data, GET, head, POST } from '../support/h2-client.ts';

type Parts = readonly (Buffer | string)[];

interface Fault {
  readonly what: string;
  readonly section: string;
  /** Behind preface and SETTINGS. */
  readonly parts: Parts;
  readonly error: number;
}

const { ProtocolError, FlowControlError, StreamClosed, FrameSizeError, CompressionError } = Http2Error;
const update = frames.windowUpdateFrame;
const settings = (...pairs: readonly number[]): string => frames.settingsFrame(pairs);
const priority = (streamId: number): Buffer => rawFrame(FrameType.Priority, 0, streamId, hex('00000000 10'));
/** A request that is answered at once, so that its stream is closed on both sides. */
const closed = head(1, GET);

const connectionFaults: readonly Fault[] = [
  { what: 'DATA on an idle stream', section: '5.1', parts: [data(1, 'x', false)], error: ProtocolError },
  { what: 'RST_STREAM on an idle stream', section: '6.4', parts: [frames.rstStreamFrame(1, 8)], error: ProtocolError },
  { what: 'WINDOW_UPDATE on an idle stream', section: '5.1', parts: [update(1, 1)], error: ProtocolError },
  { what: 'CONTINUATION on an idle stream', section: '5.1', parts: [rawFrame(FrameType.Continuation, 4, 1, '\x82')], error: ProtocolError },
  { what: 'a stream of even number', section: '5.1.1', parts: [head(2, GET)], error: ProtocolError },
  { what: 'DATA on a stream of even number', section: '5.1.1', parts: [data(2, 'x', true)], error: ProtocolError },
  { what: 'HEADERS on a closed stream', section: '5.1', parts: [closed, head(1, GET)], error: StreamClosed },
  { what: 'DATA on a closed stream', section: '5.1', parts: [closed, data(1, 'x', true)], error: StreamClosed },
  { what: 'a stream below the last one', section: '5.1.1', parts: [head(5, GET), head(3, GET)], error: StreamClosed },
  { what: 'DATA on stream 0', section: '6.1', parts: [rawFrame(FrameType.Data, 0, 0, 'x')], error: ProtocolError },
  {
    what: 'padding as long as the payload of DATA',
    section: '6.1',
    parts: [head(1, POST, false), rawFrame(0, 8, 1, '\x01')],
    error: ProtocolError,
  },
  { what: 'padding longer than HEADERS', section: '6.2', parts: [rawFrame(1, 0xd, 1, '\x09\x82\x87')], error: ProtocolError },
  { what: 'HEADERS on stream 0', section: '6.2', parts: [rawFrame(1, 5, 0, block(GET))], error: ProtocolError },
  { what: 'PRIORITY on stream 0', section: '6.3', parts: [priority(0)], error: ProtocolError },
  { what: 'RST_STREAM of 3 bytes', section: '6.4', parts: [closed, rawFrame(3, 0, 1, 'abc')], error: FrameSizeError },
  { what: 'SETTINGS on a stream', section: '6.5', parts: [rawFrame(4, 0, 1)], error: ProtocolError },
  { what: 'SETTINGS of 3 bytes', section: '6.5', parts: [rawFrame(4, 0, 0, 'abc')], error: FrameSizeError },
  { what: 'an acknowledgement with a payload', section: '6.5', parts: [rawFrame(4, 1, 0, hex('0003 00000001'))], error: FrameSizeError },
  { what: 'ENABLE_PUSH of 2', section: '6.5.2', parts: [settings(Setting.EnablePush, 2)], error: ProtocolError },
  { what: 'INITIAL_WINDOW_SIZE of 2^31', section: '6.5.2', parts: [settings(Setting.InitialWindowSize, 2 ** 31)], error: FlowControlError },
  { what: 'MAX_FRAME_SIZE below 2^14', section: '6.5.2', parts: [settings(Setting.MaxFrameSize, 16_383)], error: ProtocolError },
  { what: 'MAX_FRAME_SIZE above 2^24-1', section: '6.5.2', parts: [settings(Setting.MaxFrameSize, 2 ** 24)], error: ProtocolError },
  { what: 'NO_RFC7540_PRIORITIES of 2', section: 'RFC 9218 2.1', parts: [settings(Setting.NoRfc7540Priorities, 2)], error: ProtocolError },
  {
    what: 'ENABLE_CONNECT_PROTOCOL of 2',
    section: 'RFC 8441 3',
    parts: [settings(Setting.EnableConnectProtocol, 2)],
    error: ProtocolError,
  },
  { what: 'ENABLE_CONNECT_PROTOCOL taken back', section: 'RFC 8441 3', parts: [settings(8, 1), settings(8, 0)], error: ProtocolError },
  { what: 'PUSH_PROMISE of a client', section: '8.4', parts: [rawFrame(5, 4, 1, hex('00000002 82'))], error: ProtocolError },
  { what: 'PING on a stream', section: '6.7', parts: [rawFrame(6, 0, 1, '12345678')], error: ProtocolError },
  { what: 'PING of 6 bytes', section: '6.7', parts: [rawFrame(6, 0, 0, '123456')], error: FrameSizeError },
  { what: 'GOAWAY on a stream', section: '6.8', parts: [rawFrame(7, 0, 1, '12345678')], error: ProtocolError },
  { what: 'WINDOW_UPDATE of 0 for the connection', section: '6.9', parts: [update(0, 0)], error: ProtocolError },
  { what: 'WINDOW_UPDATE of 3 bytes', section: '6.9', parts: [rawFrame(8, 0, 0, 'abc')], error: FrameSizeError },
  { what: 'a connection window above 2^31-1', section: '6.9.1', parts: [update(0, frames.MAX_WINDOW)], error: FlowControlError },
  {
    what: 'a stream window that SETTINGS make larger than 2^31-1',
    section: '6.9.2',
    parts: [head(1, POST, false), update(1, frames.MAX_WINDOW - 65_535), settings(Setting.InitialWindowSize, 65_536)],
    error: FlowControlError,
  },
  {
    what: 'a frame of 16385 bytes',
    section: '4.2',
    parts: [head(1, POST, false), data(1, 'x'.repeat(16_385), true)],
    error: FrameSizeError,
  },
  { what: 'a header block that is broken', section: '4.3', parts: [rawFrame(1, 5, 1, hex('82 80'))], error: CompressionError },
  {
    what: 'a broken header block of trailers',
    section: '4.3',
    parts: [head(1, POST, false), rawFrame(1, 5, 1, '\xff')],
    error: CompressionError,
  },
  { what: 'a table above the limit', section: 'RFC 7541 6.3', parts: [rawFrame(1, 5, 1, hex('3fe21f 82'))], error: CompressionError },
  {
    what: 'a frame of another stream within a header block',
    section: '4.3',
    parts: [rawFrame(1, 1, 1, '\x82'), head(3, GET)],
    error: ProtocolError,
  },
  {
    what: 'an unknown frame within a header block',
    section: '5.5',
    parts: [rawFrame(1, 1, 1, '\x82'), rawFrame(0x42, 0, 1, 'x')],
    error: ProtocolError,
  },
  {
    what: 'PRIORITY_UPDATE on a stream',
    section: 'RFC 9218 7.1',
    parts: [closed, rawFrame(16, 0, 1, hex('00000001'))],
    error: ProtocolError,
  },
];

const streamFaults: readonly (Fault & { readonly status?: string })[] = [
  {
    what: 'DATA on a stream whose client has ended it',
    section: '5.1',
    parts: [head(1, [...GET.slice(0, 5), '/wait', ...GET.slice(6)]), data(1, 'x', true)],
    error: StreamClosed,
  },
  {
    what: 'HEADERS on a stream whose client has ended it',
    section: '5.1',
    parts: [head(1, [...GET.slice(0, 5), '/wait', ...GET.slice(6)]), head(1, ['x-a', 'b'])],
    error: StreamClosed,
  },
  { what: 'WINDOW_UPDATE of 0', section: '6.9', parts: [head(1, POST, false), update(1, 0)], error: ProtocolError },
  { what: 'a window above 2^31-1', section: '6.9.1', parts: [head(1, POST, false), update(1, frames.MAX_WINDOW)], error: FlowControlError },
  {
    what: 'trailers that do not end the stream',
    section: '8.1',
    parts: [head(1, POST, false), head(1, ['x-a', 'b'], false)],
    error: ProtocolError,
  },
  {
    what: 'a body beyond the window we gave',
    section: '6.9.1',
    parts: [
      head(1, [...POST.slice(0, 5), '/wait', ...POST.slice(6)], false),
      ...Array.from({ length: 5 }, () => data(1, 'x'.repeat(16_384), false)),
    ],
    error: FlowControlError,
  },
];

/** Frames that must change nothing. */
const harmless: readonly { readonly what: string; readonly section: string; readonly parts: Parts }[] = [
  { what: 'a frame of unknown type', section: '5.5', parts: [rawFrame(0x42, 0xff, 0, 'whatever')] },
  { what: 'an unknown setting', section: '6.5.2', parts: [settings(0xabcd, 7)] },
  { what: 'undefined flags', section: '4.1', parts: [rawFrame(6, 0xfe, 0, '12345678'), rawFrame(4, 0xfe, 0)] },
  { what: 'PRIORITY on an idle stream', section: '5.1', parts: [priority(9)] },
  { what: 'PRIORITY on a closed stream', section: '5.1', parts: [closed, priority(1)] },
  { what: 'WINDOW_UPDATE on a closed stream', section: '5.1', parts: [closed, update(1, 100)] },
  { what: 'RST_STREAM on a closed stream', section: '5.1', parts: [closed, frames.rstStreamFrame(1, 8)] },
  { what: 'an acknowledgement of PING nobody sent', section: '6.7', parts: [frames.pingFrame('whatever', true)] },
  { what: 'GOAWAY of the client, and requests behind it', section: '6.8', parts: [frames.goAwayFrame(0, 0, 'bye')] },
  {
    what: 'a padded and prioritised request',
    section: '6.2',
    parts: [rawFrame(1, 0x2d, 1, Buffer.concat([hex('03 80000000 ff'), Buffer.from(block(GET), 'latin1'), hex('000000')]))],
  },
  { what: 'PRIORITY_UPDATE', section: 'RFC 9218 7.1', parts: [rawFrame(16, 0, 0, hex('00000005 75'))] },
];

describe('HTTP/2 frames that are not allowed', () => {
  for (const { what, section, parts, error } of connectionFaults)
    it(`${what} ends the connection (${section.startsWith('RFC') ? section : `RFC 9113 ${section}`})`, async (t) => {
      const engine = await startEngine(t, { http2: {} });
      const client = await connectH2(t, engine.port);
      client.send(...parts);
      assert.equal(await client.untilClosed(), error);
    });

  for (const { what, section, parts, error } of streamFaults)
    it(`${what} ends the stream and no other (RFC 9113 ${section})`, async (t) => {
      const engine = await startEngine(t, {
        http2: {},
        answer: (exchange, { path }) => {
          if (path !== '/wait') exchange.sendHead(200, [], 0);
          if (path !== '/wait') exchange.sendEnd([]);
        },
        // Nobody takes the body of this one.
        onRequest: (exchange) => {
          if (exchange.request.path === '/wait') exchange.readBody = () => undefined;
        },
      });
      const client = await connectH2(t, engine.port);
      client.send(...parts);
      assert.equal(await client.untilReset(1), error);
      client.send(head(7, GET));
      await client.untilAnswered(7);
      assert.deepEqual(client.goAways, []);
    });

  for (const { what, section, parts } of harmless)
    it(`${what} changes nothing (${section.startsWith('RFC') ? section : `RFC 9113 ${section}`})`, async (t) => {
      const engine = await startEngine(t, { http2: {} });
      const client = await connectH2(t, engine.port);
      client.send(...parts, head(7, GET));
      assert.equal((await client.untilAnswered(7)).body, 'GET /');
      assert.deepEqual(client.goAways, []);
    });
});

describe('the beginning of an HTTP/2 connection', () => {
  for (const [what, preface] of [
    ['another preface', 'PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n'],
    ['HTTP/1.1', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['frames without preface', frames.settingsFrame([])],
  ] as const)
    it(`is not ${what} (RFC 9113 3.4)`, async (t) => {
      const engine = await startEngine(t, { http2: {} });
      const client = await connectH2(t, engine.port, null);
      client.send(preface);
      assert.equal(await client.untilClosed(), ProtocolError);
    });

  for (const [what, first] of [
    ['a request', head(1, GET)],
    ['PING', frames.pingFrame('12345678', false)],
    ['WINDOW_UPDATE', update(0, 1)],
    ['PRIORITY', priority(1)],
    ['an acknowledgement of SETTINGS', frames.SETTINGS_ACK],
    ['GOAWAY', frames.goAwayFrame(0, 0, '')],
    ['a frame nobody knows', rawFrame(0x42, 0, 0)],
  ] as const)
    it(`is SETTINGS, not ${what} (RFC 9113 3.4)`, async (t) => {
      const engine = await startEngine(t, { http2: {} });
      const client = await connectH2(t, engine.port, null);
      client.send(frames.PREFACE, first);
      assert.equal(await client.untilClosed(), ProtocolError);
      assert.deepEqual(engine.understood, []);
    });

  it('may come byte by byte, and is answered with SETTINGS first and an acknowledgement (RFC 9113 3.4, 6.5.3)', async (t) => {
    const engine = await startEngine(t, { http2: {} });
    const client = await connectH2(t, engine.port, null);
    for (const character of frames.PREFACE) client.send(character);
    client.send(frames.settingsFrame([]), head(1, GET));
    await client.untilAnswered(1);
    assert.equal(client.settings.length, 1);
    assert.equal(client.acknowledged, 1);
  });

  it('answers PING with what it held (RFC 9113 6.7)', async (t) => {
    const engine = await startEngine(t, { http2: {} });
    const client = await connectH2(t, engine.port);
    client.send(frames.pingFrame('\0\xff345678', false));
    await client.until(() => client.pings.length === 1, 'an answer');
    assert.deepEqual(client.pings, ['\0\xff345678']);
  });

  it('keeps a table of the client right through refused streams and trailers nobody waits for (RFC 9113 4.3)', async (t) => {
    const engine = await startEngine(t, { http2: { maxStreams: 1 }, answer: () => undefined });
    const client = await connectH2(t, engine.port);
    // Each block adds an entry that the last one names.
    const request = (own: string): Buffer =>
      Buffer.concat([Buffer.from(block(GET), 'latin1'), hex('40 01'), Buffer.from(own), hex('01'), Buffer.from(own)]);
    client.send(rawFrame(1, 5, 1, request('a')), rawFrame(1, 5, 3, request('b')), frames.rstStreamFrame(1, 8));
    assert.equal(await client.untilReset(3), Http2Error.RefusedStream);
    client.send(rawFrame(1, Flag.EndHeaders | Flag.EndStream, 5, Buffer.concat([Buffer.from(block(GET), 'latin1'), hex('be bf')])));
    await client.until(() => engine.understood.length === 2, 'the third request');
    assert.deepEqual(engine.understood[1]?.fields, ['b', 'b', 'a', 'a']);
  });
});
