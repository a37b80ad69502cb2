// One fresh connection for one probe: plain or TLS as the data path makes it, closed when the attempt is over.
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';

/** Where a probe goes. */
export interface ProbeAddress {
  readonly host: string;
  readonly port: number;
  /** Null: plain. The same settings the data path uses, so that a probe sees the trouble that requests would see. */
  readonly tls: ConnectionOptions | null;
  /** It speaks HTTP/2 without TLS, where nothing is negotiated. */
  readonly h2c?: boolean;
  /** Said first on the connection, before TLS. */
  readonly preface?: Buffer | null;
}

/** Calls back once: with a connected (and, for TLS, verified) socket, or with what prevented it. Ends the socket when `signal` aborts. */
export function openConnection(
  address: ProbeAddress,
  signal: AbortSignal,
  done: (...result: [error: null, socket: Socket] | [error: Error, socket: null]) => void,
): void {
  const { tls } = address;
  const socket = connect(address);
  const abort = (): void => {
    socket.destroy(asError(signal.reason));
  };
  let settled = false;
  const fail = (error: Error): void => {
    if (settled) return;
    settled = true;
    done(error, null);
  };
  socket.on('error', fail);
  socket.once('close', () => {
    signal.removeEventListener('abort', abort);
    fail(new Error('closed before it was established'));
  });
  socket.once(tls === null ? 'connect' : 'secureConnect', () => {
    settled = true;
    done(null, socket);
  });
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
}

function connect({ host, port, tls, preface = null }: ProbeAddress): Socket {
  if (tls !== null && preface === null) return connectTls({ ...tls, host, port });
  const plain = connectPlain({ host, port });
  if (preface !== null) plain.write(preface);
  // The host is what the certificate is compared with.
  return tls === null ? plain : connectTls({ ...tls, host, socket: plain });
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
