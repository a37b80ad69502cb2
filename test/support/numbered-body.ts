// Bodies of which each word tells whose it is and where it belongs: a part that lies in another's place shows.
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../../health/clock.ts';

const WORD_BYTES = 4;
const LONGEST_PIECE = 200_000;

/** Bytes `from` to `to` of the body `id`. */
export function bytesOf(id: number, from: number, to: number): Buffer {
  const first = Math.floor(from / WORD_BYTES);
  const words = new Uint32Array(Math.ceil(to / WORD_BYTES) - first);
  for (let index = 0; index < words.length; index += 1) words[index] = Math.imul(id + 1, 0x9e3779b1) + Math.imul(first + index, 0x85ebca6b);
  const skipped = from - first * WORD_BYTES;
  return Buffer.from(words.buffer, skipped, to - from);
}

export interface Received {
  /** Bytes. */
  readonly length: number;
  /** The stream told that this is all. */
  readonly ended: boolean;
  /** Where the first wrong byte is; -1: nowhere. */
  readonly wrongAt: number;
}

/** Reads `from` to its end, or `atMost` bytes of it, at a pace of its own. */
export async function receive(from: Readable, id: number, random: Random, atMost = Infinity): Promise<Received> {
  const { promise, resolve } = Promise.withResolvers<Received>();
  let [length, wrongAt, ended] = [0, -1, false];
  const done = (): void => resolve({ length, ended, wrongAt });
  from.on('data', (chunk: Buffer) => {
    const expected = bytesOf(id, length, length + chunk.length);
    if (wrongAt < 0 && !chunk.equals(expected)) wrongAt = length + chunk.findIndex((byte, index) => byte !== expected[index]);
    length += chunk.length;
    if (length >= atMost) return done();
    if (random() > 0.02) return;
    from.pause();
    setTimeout(() => from.resume(), random() ** 4 * 500);
  });
  from.once('end', () => {
    ended = true;
    done();
  });
  for (const event of ['error', 'aborted', 'close']) from.once(event, done);
  return promise;
}

/** Writes the body, or `atMost` bytes of it, as fast as they are taken, with pauses. False: the stream broke off, or was to be cut. */
export async function pour(
  into: Writable,
  { id, length }: { readonly id: number; readonly length: number },
  random: Random,
  atMost = Infinity,
): Promise<boolean> {
  const closed = new AbortController();
  into.once('close', () => closed.abort());
  const until = Math.min(length, atMost);
  for (let at = 0; at < until && !closed.signal.aborted;) {
    const piece = bytesOf(id, at, Math.min(until, at + 1 + Math.floor(random() * LONGEST_PIECE)));
    at += piece.length;
    if (!into.write(piece)) await once(into, 'drain', { signal: closed.signal }).catch(() => undefined);
    if (random() < 0.02) await delay(random() * 20);
  }
  if (closed.signal.aborted || until < length) return false;
  into.end();
  return true;
}
