// Reads of a socket that go to their reader past the socket's stream, which would look at a dozen things that no reader here uses.
import { Socket } from 'node:net';
import { readClock } from './read-clock.ts';
import { STREAMS } from './stream-binding.ts';

export interface DirectReader {
  /** Is told how much was read into the memory that was named last. What it returns is where the next read goes; undefined: there again. */
  onBytes(length: number): Buffer | undefined;
}

/** Who uses what a socket reads. */
export interface SocketReader {
  /** Is given memory and how much of it was read. The memory is the reader's during the call. */
  onRead(bytes: Buffer, length: number): void;
}

interface Handle {
  onread: (this: Handle, bytes: unknown) => unknown;
  useUserBuffer(buffer: Uint8Array): void;
}

/** Where a stream keeps the memory of the option `onread`. */
const BUFFER = Object.getOwnPropertySymbols(new Socket()).find(({ description }) => description === 'kBuffer') ?? null;

/** Names where the next read goes. */
export type ReadInto = (memory: Buffer) => void;

/** Reads of a connected `socket` go to `reader` from now on, into `memory` until other is named. Null: this Node has no such way. */
export function readDirectly(socket: Socket, memory: Buffer, reader: DirectReader): ReadInto | null {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (STREAMS === null || BUFFER === null || !isHandle(handle)) return null;
  const { state, readBytes } = STREAMS;
  const ofStream = handle.onread;
  // The end and errors are the stream's to tell.
  handle.onread = function onread(bytes) {
    const length = state[readBytes] ?? 0;
    if (length <= 0) return Reflect.apply(ofStream, this, [bytes]);
    readClock.begin();
    try {
      return reader.onBytes(length);
    } finally {
      readClock.end();
    }
  };
  // The stream takes it for read with the option `onread`, and so stops at once where it is paused.
  Reflect.set(socket, BUFFER, memory);
  handle.useUserBuffer(memory);
  return (other) => handle.useUserBuffer(other);
}

function isHandle(handle: unknown): handle is Handle {
  if (typeof handle !== 'object' || handle === null) return false;
  return typeof Reflect.get(handle, 'useUserBuffer') === 'function' && typeof Reflect.get(handle, 'onread') === 'function';
}
