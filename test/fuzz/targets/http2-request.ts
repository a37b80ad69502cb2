// Fuzz target http2-request: frames of a client to our engine: one end for each request, sound frames back, and the same however they are cut.
import * as frames from '../../../balancer/http2/frame.ts';
import { Flag, FrameType, Setting } from '../../../balancer/http2/frame.ts';
import { block, data, GET, head, POST } from '../../support/h2-client.ts';
import { readFramesByEngine, type FramesReading } from '../../support/frame-readings.ts';
import { rawFrame } from '../../support/frames.ts';
import type { FuzzTarget } from '../target.ts';

const text = (...parts: readonly (Buffer | string)[]): string =>
  parts.map((part) => (typeof part === 'string' ? part : part.toString('latin1'))).join('');
const TRAILERS = rawFrame(FrameType.Headers, Flag.EndHeaders | Flag.EndStream, 1, block(['x-sum', '1']));
const PADDED = rawFrame(FrameType.Data, Flag.Padded, 1, '\x02abc\0\0');
const WEB_SOCKET = [':method', 'CONNECT', ':protocol', 'websocket', ':scheme', 'http', ':path', '/', ':authority', 'a'];

export const FRAME_WORDS: readonly string[] = [
  ...[frames.SETTINGS_ACK, frames.pingFrame('12345678', false), frames.goAwayFrame(0, 0, ''), frames.windowUpdateFrame(0, 1000)],
  ...[frames.settingsFrame([Setting.InitialWindowSize, 0]), frames.settingsFrame([Setting.InitialWindowSize, frames.MAX_WINDOW])],
  ...[frames.windowUpdateFrame(1, 1), frames.windowUpdateFrame(1, frames.MAX_WINDOW), frames.rstStreamFrame(1, 8)],
  text(data(1, 'abc', false)),
  text(data(1, '', true)),
  ...[text(TRAILERS), text(PADDED), text(rawFrame(FrameType.Continuation, Flag.EndHeaders, 1, ''))],
  text(rawFrame(FrameType.Priority, 0, 1, '\0\0\0\0\x10')),
  ...['\0\0\0', '\0\0\x01', '\0\x40\0', '\0\0\0\x01', '\0\0\0\x03', '\x80\0\0\0', '\xff\xff\xff\xff'],
];

export const http2Request: FuzzTarget = {
  name: 'http2-request',
  summary: 'HTTP/2 frames of clients: one end for each request, and the same however they are cut',
  seeds: [
    text(head(1, GET)),
    text(head(1, POST, false), data(1, 'abc', false), PADDED, data(1, 'xyz', true)),
    text(head(1, [...POST, 'content-length', '3'], false), data(1, 'abc', true), head(3, GET)),
    text(head(1, POST, false), data(1, 'abc', false), TRAILERS, head(3, [...GET, 'cookie', 'a=1', 'cookie', 'b=2', 'te', 'trailers'])),
    text(head(1, GET), frames.rstStreamFrame(1, 8), frames.pingFrame('abcdefgh', false), head(3, GET)),
    text(
      frames.settingsFrame([Setting.InitialWindowSize, 2]),
      head(1, GET),
      frames.windowUpdateFrame(1, 3),
      frames.windowUpdateFrame(1, 100),
    ),
    text(
      rawFrame(FrameType.Headers, Flag.EndStream, 1, block(GET).slice(0, 3)),
      rawFrame(FrameType.Continuation, 4, 1, block(GET).slice(3)),
    ),
    text(head(1, WEB_SOCKET, false), data(1, 'abc', true)),
  ],
  dictionary: [...FRAME_WORDS, text(head(1, GET)), text(head(3, POST, false)), text(head(5, GET))],
  parallel: 16,
  open: (random) =>
    Promise.resolve({
      run: async (input) => {
        const whole = await readFramesByEngine([input]);
        const cut = Math.floor(random() * input.length);
        const again = await readFramesByEngine([input.slice(0, cut), input.slice(cut)]);
        if (told(again) !== told(whole)) throw new Error(`cut at ${cut} it is read as ${told(again)}, whole as ${told(whole)}`);
        return outcome(whole);
      },
      close: () => Promise.resolve(),
    }),
};

function told({ requests, refused, goAway }: FramesReading): string {
  return JSON.stringify([requests.map((request) => (request.complete ? request : { ...request, body: '' })), refused, goAway]);
}

function outcome({ requests, refused, goAway, resets }: FramesReading): string {
  const short = requests.map(({ method, body, complete, failed }) => `${method} ${Math.min(body.length, 4)} ${complete} ${failed}`);
  return [...short.slice(0, 4), ...refused.slice(0, 3), goAway, resets.slice(0, 3).join(' ')].join('|');
}
