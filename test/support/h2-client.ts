// An HTTP/2 client of bare frames: says exactly these bytes, and tells frame by frame what came back.
import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import { FrameReader, type FrameSink } from '../../balancer/http2/frame-reader.ts';
import * as frames from '../../balancer/http2/frame.ts';
import { Flag, FrameType } from '../../balancer/http2/frame.ts';
import { Decoded, HpackDecoder } from '../../balancer/http2/hpack-decoder.ts';
import { FieldEncoder } from '../../balancer/http2/hpack-encoder.ts';
import type { Fields } from '../../balancer/message/fields.ts';
import { bytes, rawFrame } from './frames.ts';

/** What came on one stream. */
export interface Response {
  readonly heads: Fields[];
  body: string;
  ended: boolean;
  /** Error of RST_STREAM; -1: none. */
  reset: number;
}

const encoder = new FieldEncoder(false);

export const GET: Fields = [':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'a'];
export const POST: Fields = [':method', 'POST', ':scheme', 'http', ':path', '/', ':authority', 'a'];

/** A header block; nothing of it is indexed in the dynamic table. */
export const block = (fields: Fields): string => encoder.block(fields);

/** A whole request head in one frame. */
export const head = (streamId: number, fields: Fields, endStream = true): Buffer =>
  bytes(frames.headersFrames(block(fields), streamId, endStream, 16_384));

export const data = (streamId: number, text: string, endStream: boolean): Buffer =>
  rawFrame(FrameType.Data, endStream ? Flag.EndStream : 0, streamId, text);

export class H2Client implements FrameSink {
  readonly socket: Socket;
  readonly responses = new Map<number, Response>();
  readonly pings: string[] = [];
  /** Last stream and error of each GOAWAY. */
  readonly goAways: { readonly lastId: number; readonly error: number; readonly debug: string }[] = [];
  /** Payloads of SETTINGS. */
  readonly settings: string[] = [];
  acknowledged = 0;
  /** Increments of WINDOW_UPDATE by stream. */
  readonly increments = new Map<number, number>();
  closed = false;
  /** Reads that had something in them. */
  reads = 0;
  /** Sizes of the DATA frames as they came, with their stream. */
  readonly dataOrder: number[] = [];
  readonly #decoder = new HpackDecoder(4096, 1_000_000);
  readonly #reader = new FrameReader(this, { maxFrame: 16_384, maxBlock: 1_000_000, maxContinuations: 100 });
  #wake: () => void = () => undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.reads += 1;
      const error = this.#reader.feed(chunk);
      if (error !== 0) throw new Error(`the engine sent a wrong frame: ${this.#reader.problem}`);
      this.#wake();
    });
    const over = (): void => {
      this.closed = true;
      this.#wake();
    };
    socket.on('end', over);
    socket.on('close', over);
    socket.on('error', over);
  }

  /** Preface, SETTINGS with these pairs, and whatever `more` is. */
  greet(settings: readonly number[] = [], ...more: readonly (Buffer | string)[]): void {
    this.send(frames.PREFACE, frames.settingsFrame(settings), ...more);
  }

  send(...parts: readonly (Buffer | string)[]): void {
    this.socket.write(Buffer.concat(parts.map((part) => (typeof part === 'string' ? bytes(part) : part))));
  }

  response(streamId: number): Response {
    let response = this.responses.get(streamId);
    if (response === undefined) {
      response = { heads: [], body: '', ended: false, reset: -1 };
      this.responses.set(streamId, response);
    }
    return response;
  }

  /** Status of the last head of a stream; empty: none came. */
  status(streamId: number): string {
    const last = this.response(streamId).heads.at(-1) ?? [];
    return last[0] === ':status' ? (last[1] ?? '') : '';
  }

  /** Waits until something holds; fails with what came instead. */
  async until(holds: () => boolean, what: string): Promise<void> {
    const timeout = AbortSignal.timeout(DEADLINE_MS);
    while (!holds()) {
      if (timeout.aborted) throw new Error(`waited ${DEADLINE_MS} ms for ${what}; came: ${this.#told()}`);
      const { promise, resolve } = Promise.withResolvers<undefined>();
      const handle = setTimeout(() => resolve(undefined), 50);
      this.#wake = () => resolve(undefined);
      await promise;
      clearTimeout(handle);
    }
  }

  /** Waits for the end of a response. */
  async untilAnswered(streamId: number): Promise<Response> {
    const response = this.response(streamId);
    await this.until(() => response.ended, `the whole response of stream ${streamId}`);
    return response;
  }

  async untilReset(streamId: number): Promise<number> {
    await this.until(() => this.response(streamId).reset >= 0, `a reset of stream ${streamId}`);
    return this.response(streamId).reset;
  }

  /** Waits until the engine closed the connection; the error of the last GOAWAY, -1 if there was none. */
  async untilClosed(): Promise<number> {
    await this.until(() => this.closed, 'the end of the connection');
    return this.goAways.at(-1)?.error ?? -1;
  }

  /** A PING there and back: what was sent before it has been read, and what was answered at once has come. */
  async roundTrip(): Promise<void> {
    const opaque = `trip${`${this.pings.length}`.padStart(4, '0')}`;
    this.send(frames.pingFrame(opaque, false));
    await this.until(() => this.pings.includes(opaque) || this.closed, 'the answer to a PING');
  }

  onData(streamId: number, piece: Buffer, _flowBytes: number, endStream: boolean): void {
    const response = this.response(streamId);
    response.body += piece.toString('latin1');
    if (piece.length > 0) this.dataOrder.push(streamId);
    if (endStream) response.ended = true;
  }

  onHeaders(streamId: number, text: string, endStream: boolean): void {
    const fields: Fields = [];
    if (this.#decoder.decode(text, fields) !== Decoded.Well) throw new Error('the engine sent a broken header block');
    const response = this.response(streamId);
    response.heads.push(fields);
    if (endStream) response.ended = true;
  }

  onRstStream(streamId: number, error: number): void {
    this.response(streamId).reset = error;
  }

  onSettings(payload: string, ack: boolean): void {
    if (ack) this.acknowledged += 1;
    else {
      this.settings.push(payload);
      this.send(frames.SETTINGS_ACK);
    }
  }

  onPing(opaque: string, ack: boolean): void {
    if (ack) this.pings.push(opaque);
    else this.send(frames.pingFrame(opaque, true));
  }

  onGoAway(lastId: number, error: number, debug: string): void {
    this.goAways.push({ lastId, error, debug });
  }

  onWindowUpdate(streamId: number, increment: number): void {
    this.increments.set(streamId, (this.increments.get(streamId) ?? 0) + increment);
  }

  onIgnored(): void {
    throw new Error('the engine sent a frame nobody knows');
  }

  #told(): string {
    return JSON.stringify({ responses: [...this.responses].slice(0, 5), goAways: this.goAways, pings: this.pings.length }).slice(0, 1500);
  }
}

const DEADLINE_MS = 10_000;

/** Connects to a port of this machine and greets; the socket is destroyed with the test. */
export async function connectH2(t: TestContext, port: number, settings: readonly number[] | null = []): Promise<H2Client> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  t.after(() => socket.destroy());
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  socket.once('connect', () => resolve(undefined));
  socket.once('error', reject);
  await promise;
  const client = new H2Client(socket);
  if (settings !== null) client.greet(settings);
  return client;
}
