// A server behind a pass-through listener: a bare port that hands each connection to the test, half-open and with its end recorded.
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

export interface TcpServer {
  readonly port: number;
  /** `tcp://127.0.0.1:port`, as an endpoint in a config. */
  readonly endpoint: string;
  /** Accepted so far. */
  readonly connections: readonly Socket[];
  /** Connections that were cut off by a reset. */
  readonly resets: number;
  /** Cuts every connection and accepts no more, as a killed process does. */
  kill(): Promise<void>;
  /** Listens on the same port again. */
  revive(): Promise<void>;
}

export async function startTcpServer(t: TestContext, onConnection: (socket: Socket) => void): Promise<TcpServer> {
  const connections: Socket[] = [];
  let resets = 0;
  const create = (): Server =>
    createServer({ allowHalfOpen: true }, (socket) => {
      connections.push(socket);
      socket.on('error', (error: NodeJS.ErrnoException) => (resets += error.code === 'ECONNRESET' ? 1 : 0));
      onConnection(socket);
    });
  let server = create();
  const listen = async (port: number): Promise<number> => {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1', backlog: 4096 }, () => resolve(undefined));
    await promise;
    return (server.address() as AddressInfo).port;
  };
  const port = await listen(0);
  const kill = async (): Promise<void> => {
    if (!server.listening) return;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    server.close(() => resolve(undefined));
    for (const socket of connections) socket.destroy();
    await promise;
  };
  t.after(kill);
  return {
    port,
    endpoint: `tcp://127.0.0.1:${port}`,
    connections,
    get resets() {
      return resets;
    },
    kill,
    revive: async () => {
      server = create();
      await listen(port);
    },
  };
}

/** Says its name to whoever connects, and hangs up when the other side does. */
export function saying(name: string): (socket: Socket) => void {
  return (socket) => {
    socket.write(name);
    socket.on('end', () => socket.end());
    socket.resume();
  };
}

/** Sends back what comes, until it ends. */
export function echo(socket: Socket): void {
  socket.pipe(socket);
}
