// What Node's own sockets read and write with, past their streams. It is not documented: everything here is looked for, and missed without harm.
import type { Socket } from 'node:net';
import { getSystemErrorName } from 'node:util';

/** Belongs to one write, from when the system did not take all of it at once. */
export interface WriteRequest {
  oncomplete?: ((status: number) => void) | null;
  /** Below 0: it belongs to no write (any more). */
  getAsyncId(): number;
}

/** The part of a socket's `_handle` that writes. */
export interface TextHandle {
  /** Latin1. A number below 0 is an error of the system; otherwise `StreamBinding.writeGoesOn` tells the rest. */
  writeLatin1String(request: WriteRequest, text: string): number;
  /** Bytes of the present write that the system has not taken. */
  readonly writeQueueSize?: number;
}

/** The part of the handle below TLS that tells how much the system has not taken. */
export interface SystemHandle {
  readonly writeQueueSize: number;
}

/** The numbers Node tells of the last read and the last write, in the order of its own. */
export type StreamState = Readonly<Record<number, number>>;

export interface StreamBinding {
  readonly WriteRequest: new () => WriteRequest;
  readonly state: StreamState;
  /** Where `state` has the bytes of the last read, or an error below 0. */
  readonly readBytes: number;
  /** Where it says whether the last write still goes on. */
  readonly writeGoesOn: number;
}

/** As Node names them. */
interface Found {
  readonly WriteWrap: new () => WriteRequest;
  readonly streamBaseState: StreamState;
  readonly kReadBytesOrError: number;
  readonly kLastWriteWasAsync: number;
}

/** Null: this Node has no such thing, and all goes through the streams. */
export const STREAMS = find();

/** Null: the socket has none that takes text. */
export function textHandleOf(socket: Socket): TextHandle | null {
  const handle: unknown = Reflect.get(socket, '_handle');
  return takesText(handle) ? handle : null;
}

/** What `handle` of TLS writes to. Null: it tells nothing. */
export function parentHandleOf(handle: TextHandle): SystemHandle | null {
  const parent: unknown = Reflect.get(handle, '_parent');
  return tellsQueue(parent) ? parent : null;
}

/** As Node words the failure of a write; `status` is the number of the system, below 0. */
export function writeError(status: number): NodeJS.ErrnoException {
  const code = getSystemErrorName(status);
  return Object.assign(new Error(`write ${code}`), { code, errno: status, syscall: 'write' });
}

function takesText(handle: unknown): handle is TextHandle {
  return typeof handle === 'object' && handle !== null && typeof Reflect.get(handle, 'writeLatin1String') === 'function';
}

function tellsQueue(handle: unknown): handle is SystemHandle {
  return typeof handle === 'object' && handle !== null && typeof Reflect.get(handle, 'writeQueueSize') === 'number';
}

function find(): StreamBinding | null {
  const binding: unknown = Reflect.get(process, 'binding');
  if (typeof binding !== 'function') return null;
  try {
    const found = Reflect.apply(binding, process, ['stream_wrap']) as Partial<Found>;
    const { WriteWrap: WriteRequest, streamBaseState: state, kReadBytesOrError: readBytes, kLastWriteWasAsync: writeGoesOn } = found;
    if (typeof WriteRequest !== 'function' || state === undefined) return null;
    if (!Reflect.has(new WriteRequest(), 'getAsyncId')) return null;
    if (typeof readBytes !== 'number' || typeof state[readBytes] !== 'number') return null;
    if (typeof writeGoesOn !== 'number' || typeof state[writeGoesOn] !== 'number') return null;
    return { WriteRequest, state, readBytes, writeGoesOn };
  } catch {
    return null;
  }
}
