// The socket to an endpoint, plain or TLS, reading into memory of its own; whoever speaks on it says what becomes of the bytes.
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls, TLSSocket, type ConnectionOptions } from 'node:tls';
import { ReadBuffer } from './read-buffer.ts';

/** Where and how to connect. `tls` null: plain. */
export interface UpstreamAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: ConnectionOptions | null;
}

export class UpstreamSocket {
  readonly socket: Socket;
  readonly buffer: ReadBuffer;
  readonly secure: boolean;
  /**
   * Is given what was read, in memory that the next read overwrites; false stops the reading. Until somebody speaks on the connection nothing
   * is read.
   */
  onRead: (length: number, bytes: Uint8Array) => boolean = () => false;

  /** Begins to connect. */
  constructor({ host, port, tls }: UpstreamAddress) {
    this.secure = tls !== null;
    this.buffer = new ReadBuffer(this.secure);
    const onread = {
      buffer: () => this.buffer.next(),
      callback: (length: number, bytes: Uint8Array) => this.onRead(length, bytes),
    };
    const where = { host, port, noDelay: true, allowHalfOpen: true, onread };
    this.socket = tls === null ? connectPlain(where) : connectTls({ ...tls, ...where });
    this.socket.setNoDelay(true);
  }

  /** What ALPN agreed on; empty: nothing, or no TLS. */
  get protocol(): string {
    return this.socket instanceof TLSSocket && typeof this.socket.alpnProtocol === 'string' ? this.socket.alpnProtocol : '';
  }
}

export function isTlsTrouble(error: NodeJS.ErrnoException): boolean {
  const code = error.code ?? '';
  return code.startsWith('ERR_TLS') || code.startsWith('ERR_SSL') || /CERT|SELF_SIGNED|UNABLE_TO_/.test(code);
}
