// A TLS client of one connection and one request, which can bring the session of an earlier one.
import { once } from 'node:events';
import { connect, type ConnectionOptions } from 'node:tls';
import { RawClient } from './raw-client.ts';

export interface TlsVisit {
  /** Resumed from the session that was brought. */
  readonly reused: boolean;
  /** To bring the next time. */
  readonly session: Buffer;
  readonly protocol: string;
  readonly suite: string;
  /** Of the certificate that was shown; empty when it was a resumption. */
  readonly name: string;
  /** All that was answered. */
  readonly answer: string;
  readonly status: number;
  /** Behind the head of the answer. */
  readonly body: string;
}

export interface VisitOptions extends ConnectionOptions {
  readonly port: number;
  readonly path?: string;
  /** Host field; default: the server name, or `localhost`. */
  readonly host?: string;
  /** More lines of the head, each with its line end. */
  readonly lines?: string;
}

/** Connects to this machine, asks once, and reads to the end of the connection. Rejects when there is no handshake. */
export async function visit({ port, path = '/', host, lines = '', ...options }: VisitOptions): Promise<TlsVisit> {
  const socket = connect({ rejectUnauthorized: false, ...options, host: '127.0.0.1', port });
  let session = Buffer.alloc(0);
  socket.on('session', (latest: Buffer) => (session = Buffer.from(latest)));
  try {
    await once(socket, 'secureConnect');
    const client = new RawClient(socket);
    const { name: suite } = socket.getCipher();
    const facts = { reused: socket.isSessionReused(), protocol: socket.getProtocol() ?? '', suite };
    const certificate = socket.getPeerX509Certificate();
    client.send(`GET ${path} HTTP/1.1\r\nHost: ${host ?? options.servername ?? 'localhost'}\r\n${lines}Connection: close\r\n\r\n`);
    const answer = await client.untilClosed();
    return {
      ...facts,
      session,
      name: /CN=([^\n]*)/.exec(certificate?.subject ?? '')?.[1] ?? '',
      answer,
      status: Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0),
      body: answer.slice(answer.indexOf('\r\n\r\n') + 4),
    };
  } finally {
    socket.destroy();
  }
}
