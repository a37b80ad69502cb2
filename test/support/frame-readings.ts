// What our two ends of HTTP/2 make of frames in memory, with what must hold of any frames: one end for each request, and sound frames in return.
import { setImmediate } from 'node:timers/promises';
import { PREFACE, SETTINGS_ACK, settingsFrame } from '../../balancer/http2/frame.ts';
import { FrameReader } from '../../balancer/http2/frame-reader.ts';
import { systemClock } from '../../health/clock.ts';
import { Deadlines } from '../../health/deadlines.ts';
import { EndpointConnection, type Asked } from './endpoint-connection.ts';
import { EngineBench, type Understood } from './engine.ts';
import { bytes, FrameRecorder } from './frames.ts';
import { MemorySocket } from './memory-socket.ts';

/** Turns of the event loop after which all has been said. */
const TURNS = 3;

export interface FramesReading {
  readonly requests: readonly Understood[];
  readonly refused: readonly string[];
  /** The last GOAWAY; empty: none. */
  readonly goAway: string;
  readonly resets: readonly string[];
}

/** What the engine understands of a client's frames behind its greeting, in these pieces. */
export async function readFramesByEngine(pieces: readonly string[]): Promise<FramesReading> {
  const bench = new EngineBench(new Deadlines(systemClock), { http2: {}, limits: { bodyBytes: 1000 } });
  const socket = new MemorySocket();
  bench.accept(socket);
  socket.feed(PREFACE + settingsFrame([]) + SETTINGS_ACK);
  for (const piece of pieces) {
    socket.feed(piece);
    if (pieces.length > 1) await setImmediate();
  }
  await turns();
  const lines = linesOf(socket.sent);
  const requests = bench.understood.map((one) => ({ ...one, fields: withoutChance(one.fields) }));
  socket.destroy();
  await turns();
  for (const { complete, failed } of bench.understood) {
    if (complete && failed !== '') throw new Error(`told of a failure after the end: ${failed}`);
    if (!complete && failed === '') throw new Error('never told of an end');
  }
  const goAway = lines.findLast((line) => line.startsWith('goaway')) ?? '';
  return { requests, refused: [...bench.refused], goAway, resets: lines.filter((line) => line.startsWith('reset')) };
}

export interface AnswersReading {
  readonly answers: readonly Omit<Asked, 'exchange'>[];
  readonly closed: boolean;
}

/** What becomes of a GET and a POST whose endpoint says these pieces behind its greeting. */
export async function readFramesOfEndpoint(pieces: readonly string[]): Promise<AnswersReading> {
  const endpoint = new EndpointConnection(new Deadlines(systemClock));
  const asked = [endpoint.ask(), endpoint.ask({ bodyLength: -1 })];
  asked[1]?.exchange.sendBody(Buffer.from('a body'));
  endpoint.feed(settingsFrame([]) + SETTINGS_ACK);
  for (const piece of pieces) {
    endpoint.feed(piece);
    if (pieces.length > 1) await setImmediate();
  }
  await turns();
  const { sent } = endpoint.socket;
  if (!sent.startsWith(PREFACE)) throw new Error('the engine did not begin with the preface');
  linesOf(sent.slice(PREFACE.length));
  const answers = asked.map(({ status, body, trailers, failed, ends }) => ({ status, body, trailers, failed, ends }));
  const { closed } = endpoint.told;
  endpoint.socket.destroy();
  await turns();
  for (const { ends } of asked) if (ends !== 1) throw new Error(`told of ${ends} ends`);
  if (endpoint.told.closed !== 1) throw new Error(`its owner heard ${endpoint.told.closed} times that it is closed`);
  return { answers, closed: closed > 0 };
}

/** The frames that an engine sent; throws when they are none. */
function linesOf(sent: string): readonly string[] {
  const recorder = new FrameRecorder();
  const reader = new FrameReader(recorder, { maxFrame: 16_384, maxBlock: 65_536, maxContinuations: 10 });
  if (reader.feed(bytes(sent)) !== 0) throw new Error(`the engine sent a wrong frame: ${reader.problem}`);
  if (reader.midFrame) throw new Error('the engine sent a part of a frame');
  return recorder.lines;
}

/** The key of a WebSocket is made by chance here. */
const withoutChance = (fields: readonly string[]): readonly string[] =>
  fields.filter((_, index, all) => all[index - (index % 2)] !== 'sec-websocket-key');

async function turns(): Promise<void> {
  for (let i = 0; i < TURNS; i += 1) await setImmediate();
}
