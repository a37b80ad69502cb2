// The socket to an endpoint, plain or TLS, reading into memory of the connection's own.
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import type { ReadBuffer } from './read-buffer.ts';

/** How a connection is secured. */
export interface EndpointTls extends ConnectionOptions {
  /** Takes the session that the next connection may resume. */
  readonly keepSession?: (session: Buffer) => void;
}

/** Where and how to connect. `tls` null: plain. */
export interface UpstreamAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: EndpointTls | null;
}

/** Begins to connect. `onRead` is given what was read, in `buffer`; false stops the reading. */
export function openUpstreamSocket(
  { host, port, tls }: UpstreamAddress,
  buffer: ReadBuffer,
  onRead: (length: number, bytes: Uint8Array) => boolean,
): Socket {
  const onread = { buffer: () => buffer.next(), callback: onRead };
  const where = { host, port, noDelay: true, allowHalfOpen: true, onread };
  const socket = tls === null ? connectPlain(where) : connectSecured(tls, where);
  socket.setNoDelay(true);
  return socket;
}

function connectSecured(tls: EndpointTls, where: ConnectionOptions): Socket {
  const socket = connectTls({ ...tls, ...where });
  // Only told once the certificate and its name were found right: a resumption does not look at them again.
  if (tls.keepSession !== undefined) socket.on('session', tls.keepSession);
  return socket;
}

export function isTlsTrouble(error: NodeJS.ErrnoException): boolean {
  const code = error.code ?? '';
  return code.startsWith('ERR_TLS') || code.startsWith('ERR_SSL') || /CERT|SELF_SIGNED|UNABLE_TO_/.test(code);
}
