// Frames are the same however their bytes are cut, and what is wrong in itself ends the connection with the error of RFC 9113.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as frames from '../../../balancer/http2/frame.ts';
import { Flag, FrameType, Http2Error } from '../../../balancer/http2/frame.ts';
import { FrameReader } from '../../../balancer/http2/frame-reader.ts';
import { bytes, FrameRecorder, hex, rawFrame } from '../../support/frames.ts';

const LIMITS = { maxFrame: 16_384, maxBlock: 20_000, maxContinuations: 4 };

function read(...chunks: Buffer[]): FrameRecorder & { readonly error: number } {
  const recorder = new FrameRecorder();
  const reader = new FrameReader(recorder, LIMITS);
  let error: number = Http2Error.NoError;
  for (const chunk of chunks) if (error === Http2Error.NoError) error = reader.feed(chunk);
  return Object.assign(recorder, { error });
}

/** One of each, with padding, priority and continuations. */
const WELL = Buffer.concat([
  bytes(frames.settingsFrame([frames.Setting.InitialWindowSize, 70_000, frames.Setting.EnablePush, 0])),
  bytes(frames.SETTINGS_ACK),
  rawFrame(FrameType.Headers, Flag.EndHeaders | Flag.Padded | Flag.Priority, 1, hex('02 80000000 ff 8287 0000')),
  rawFrame(FrameType.Headers, Flag.EndStream, 3, hex('82')),
  rawFrame(FrameType.Continuation, 0, 3, hex('87')),
  rawFrame(FrameType.Continuation, Flag.EndHeaders, 3, ''),
  rawFrame(FrameType.Data, Flag.Padded, 1, hex('03 616263 000000')),
  rawFrame(FrameType.Data, Flag.Padded, 1, hex('00')),
  rawFrame(FrameType.Data, Flag.Padded, 1, hex('02 0000')),
  bytes(frames.dataHead(3, 1, true)),
  bytes('def'),
  rawFrame(FrameType.Priority, 0, 5, hex('00000001 10')),
  rawFrame(FrameType.PriorityUpdate, 0, 0, hex('00000001 753d30')),
  rawFrame(0xee, 0xff, 9, 'unknown'),
  bytes(frames.pingFrame('12345678', false)),
  bytes(frames.windowUpdateFrame(0x7fff_ffff, 0x7fff_ffff)),
  bytes(frames.rstStreamFrame(7, 0xffff_ffff)),
  bytes(frames.goAwayFrame(0x7fff_ffff, Http2Error.EnhanceYourCalm, 'calm')),
]);

const WELL_LINES = [
  'settings 000400011170000200000000',
  'settings  ack',
  'headers 1 8287',
  'headers 3 8287 end',
  'end of 1',
  'ignored 2 5',
  'ignored 16 0',
  'ignored 238 9',
  'ping 12345678',
  `window 2147483647 2147483647`,
  `reset 7 4294967295`,
  `goaway 2147483647 11 calm`,
];

test('every frame is handed on with padding and priority taken off', () => {
  const got = read(WELL);
  assert.equal(got.error, Http2Error.NoError);
  assert.deepEqual(got.lines, WELL_LINES);
  assert.equal(got.bodies.get(1), 'abcdef');
});

test('padding and its length take from the windows, each exactly once', () => {
  assert.equal(read(WELL).flowBytes, 7 + 1 + 3 + 3);
});

test('where the bytes are cut changes nothing', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(WELL.length), { maxLength: 40 }), (cuts) => {
      const points = [0, ...cuts.sort((a, b) => a - b), WELL.length];
      const got = read(...points.slice(1).map((point, i) => WELL.subarray(points[i], point)));
      assert.deepEqual([got.error, got.lines, got.bodies.get(1), got.flowBytes], [Http2Error.NoError, WELL_LINES, 'abcdef', 14]);
    }),
    { numRuns: 500 },
  );
  const single = read(...Array.from(WELL, (byte) => Buffer.of(byte)));
  assert.deepEqual(single.lines, WELL_LINES);
});

test('whatever comes in, the reader neither throws nor reads differently when the bytes are cut', () => {
  const anyFrame = fc
    .tuple(fc.integer({ min: 0, max: 10 }), fc.integer({ min: 0, max: 255 }), fc.nat(3), fc.uint8Array({ maxLength: 20 }))
    .map(([type, flags, streamId, payload]) => rawFrame(type, flags, streamId, Buffer.from(payload)));
  fc.assert(
    fc.property(fc.array(anyFrame, { maxLength: 8 }), fc.integer({ min: 1, max: 30 }), (list, size) => {
      const all = Buffer.concat(list);
      const chunks = Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.subarray(i * size, (i + 1) * size));
      const whole = read(all);
      const cut = read(...chunks);
      assert.deepEqual([cut.error, cut.lines], [whole.error, whole.lines]);
    }),
    { numRuns: 2000 },
  );
});

test('the reserved bit of a stream number is ignored', () => {
  const frame = rawFrame(FrameType.RstStream, 0, 1, hex('00000008'));
  frame[5] = 0x80;
  assert.deepEqual(read(frame).lines, ['reset 1 8']);
});

test('a piece of DATA is handed on before the frame is whole', () => {
  const got = read(bytes(frames.dataHead(10, 1, true)), bytes('abc'));
  assert.equal(got.bodies.get(1), 'abc');
  assert.deepEqual(got.lines, []);
});

test('after stop nothing more is handed on', () => {
  const recorder = new FrameRecorder();
  const reader = new FrameReader(recorder, LIMITS);
  recorder.onPing = () => reader.stop();
  reader.feed(Buffer.concat([bytes(frames.pingFrame('12345678', false)), bytes(frames.rstStreamFrame(1, 0))]));
  assert.deepEqual(recorder.lines, []);
});

test('an end in the middle of a frame or a header block can be told', () => {
  const reader = new FrameReader(new FrameRecorder(), LIMITS);
  assert.equal(reader.midFrame, false);
  reader.feed(rawFrame(FrameType.Headers, 0, 1, hex('82')));
  assert.equal(reader.midFrame, true);
  reader.feed(rawFrame(FrameType.Continuation, Flag.EndHeaders, 1, ''));
  assert.equal(reader.midFrame, false);
  reader.feed(hex('0000'));
  assert.equal(reader.midFrame, true);
});

const { ProtocolError, FrameSizeError, EnhanceYourCalm } = Http2Error;
const headers = (flags: number, payload: Buffer | string = hex('82')): Buffer => rawFrame(FrameType.Headers, flags, 1, payload);
const more = (flags: number, payload: Buffer | string = ''): Buffer => rawFrame(FrameType.Continuation, flags, 1, payload);

for (const [what, section, error, ...list] of [
  ['a frame above SETTINGS_MAX_FRAME_SIZE', '4.2', FrameSizeError, rawFrame(FrameType.Data, 0, 1, Buffer.alloc(16_385))],
  ['an unknown frame above SETTINGS_MAX_FRAME_SIZE', '4.2', FrameSizeError, rawFrame(0x20, 0, 1, Buffer.alloc(16_385))],
  ['DATA on stream 0', '6.1', ProtocolError, rawFrame(FrameType.Data, 0, 0, 'x')],
  [
    'DATA whose padding is as long as its payload',
    '6.1',
    ProtocolError,
    rawFrame(FrameType.Data, Flag.Padded, 1, hex('03 000000').subarray(0, 3)),
  ],
  ['padded DATA without pad length', '6.1', FrameSizeError, rawFrame(FrameType.Data, Flag.Padded, 1)],
  ['HEADERS on stream 0', '6.2', ProtocolError, rawFrame(FrameType.Headers, Flag.EndHeaders, 0, hex('82'))],
  ['HEADERS whose padding is longer than what is left', '6.2', ProtocolError, headers(Flag.EndHeaders | Flag.Padded, hex('02 82'))],
  ['HEADERS whose padding reaches into the priority', '6.2', ProtocolError, headers(0x2c, hex('02 00000000 00 82'))],
  ['padded HEADERS without pad length', '6.2', FrameSizeError, headers(Flag.EndHeaders | Flag.Padded, '')],
  ['HEADERS without the priority it announces', '6.2', FrameSizeError, headers(Flag.EndHeaders | Flag.Priority, hex('00000000'))],
  ['PRIORITY on stream 0', '6.3', ProtocolError, rawFrame(FrameType.Priority, 0, 0, Buffer.alloc(5))],
  ['PRIORITY of 4 bytes', '6.3', FrameSizeError, rawFrame(FrameType.Priority, 0, 1, Buffer.alloc(4))],
  ['RST_STREAM on stream 0', '6.4', ProtocolError, rawFrame(FrameType.RstStream, 0, 0, Buffer.alloc(4))],
  ['RST_STREAM of 5 bytes', '6.4', FrameSizeError, rawFrame(FrameType.RstStream, 0, 1, Buffer.alloc(5))],
  ['SETTINGS on a stream', '6.5', ProtocolError, rawFrame(FrameType.Settings, 0, 1)],
  ['SETTINGS of 5 bytes', '6.5', FrameSizeError, rawFrame(FrameType.Settings, 0, 0, Buffer.alloc(5))],
  ['an acknowledgement of SETTINGS with a payload', '6.5', FrameSizeError, rawFrame(FrameType.Settings, Flag.Ack, 0, Buffer.alloc(6))],
  ['PUSH_PROMISE', '8.4', ProtocolError, rawFrame(FrameType.PushPromise, Flag.EndHeaders, 1, hex('00000002 82'))],
  ['PING on a stream', '6.7', ProtocolError, rawFrame(FrameType.Ping, 0, 1, Buffer.alloc(8))],
  ['PING of 7 bytes', '6.7', FrameSizeError, rawFrame(FrameType.Ping, 0, 0, Buffer.alloc(7))],
  ['GOAWAY on a stream', '6.8', ProtocolError, rawFrame(FrameType.GoAway, 0, 1, Buffer.alloc(8))],
  ['GOAWAY of 7 bytes', '6.8', FrameSizeError, rawFrame(FrameType.GoAway, 0, 0, Buffer.alloc(7))],
  ['WINDOW_UPDATE of 3 bytes', '6.9', FrameSizeError, rawFrame(FrameType.WindowUpdate, 0, 0, Buffer.alloc(3))],
  ['CONTINUATION without HEADERS', '6.10', ProtocolError, more(Flag.EndHeaders)],
  ['CONTINUATION behind a header block that is complete', '6.10', ProtocolError, headers(Flag.EndHeaders), more(Flag.EndHeaders)],
  ['CONTINUATION on another stream', '6.10', ProtocolError, headers(0), rawFrame(FrameType.Continuation, Flag.EndHeaders, 3)],
  ['another frame within a header block', '6.10', ProtocolError, headers(0), rawFrame(FrameType.Ping, 0, 0, Buffer.alloc(8))],
  ['an unknown frame within a header block', '5.5', ProtocolError, headers(0), rawFrame(0x20, 0, 1)],
  ['more CONTINUATIONs than anybody needs', '10.5', EnhanceYourCalm, headers(0), more(0), more(0), more(0), more(0), more(0)],
  ['a header block that grows too large', '10.5.1', EnhanceYourCalm, headers(0, Buffer.alloc(16_384)), more(0, Buffer.alloc(4000))],
] as const) {
  test(`${what} ends the connection (RFC 9113 section ${section})`, () => {
    const got = read(...list);
    assert.equal(got.error, error);
    assert.equal(read(...list.flatMap((frame) => Array.from(frame, (byte) => Buffer.of(byte)))).error, error, 'byte by byte');
  });
}

test('a header block in many frames is written as it can be read', () => {
  const block = 'x'.repeat(250);
  const got = read(bytes(frames.headersFrames(block, 5, true, 100)));
  assert.deepEqual(got.lines, [`headers 5 ${bytes(block).toString('hex')} end`]);
  assert.deepEqual(read(bytes(frames.headersFrames('x'.repeat(100), 5, false, 100))).lines.length, 1);
});
