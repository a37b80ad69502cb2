// The socket to an endpoint, plain or TLS, reading into memory of the connection's own.
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { ReadBuffer } from './read-buffer.ts';

/** Where and how to connect. `tls` null: plain. */
export interface UpstreamAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: ConnectionOptions | null;
}

/** Begins to connect. `onRead` is given what was read, in `buffer`; false stops the reading. */
export function openUpstreamSocket(
  { host, port, tls }: UpstreamAddress,
  buffer: ReadBuffer,
  onRead: (length: number, bytes: Uint8Array) => boolean,
): Socket {
  const onread = { buffer: () => buffer.next(), callback: onRead };
  const where = { host, port, noDelay: true, allowHalfOpen: true, onread };
  const socket = tls === null ? connectPlain(where) : connectTls({ ...tls, ...where });
  socket.setNoDelay(true);
  return socket;
}

export function isTlsTrouble(error: NodeJS.ErrnoException): boolean {
  const code = error.code ?? '';
  return code.startsWith('ERR_TLS') || code.startsWith('ERR_SSL') || /CERT|SELF_SIGNED|UNABLE_TO_/.test(code);
}
