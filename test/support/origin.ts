// Origins behind the balancer: a real HTTP server with a name, and one on a bare socket that says exactly what a test wants.
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createNetServer, type AddressInfo, type Server as NetServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { TlsOptions } from 'node:tls';

export interface Origin {
  readonly port: number;
  /** `http://127.0.0.1:port`, as an endpoint in a config. */
  readonly endpoint: string;
  /** Requests other than probes to /healthz. */
  readonly requests: readonly IncomingMessage[];
  /** What came on its connections and was no HTTP to a strict parser, by the parser's code. */
  readonly misread: readonly string[];
  /** Answers /healthz with 200 while true, else 503. */
  healthy: boolean;
  /** Cuts every connection and accepts no more, as a killed process does. */
  kill(): Promise<void>;
  /** Listens on the same port again. */
  revive(): Promise<void>;
}

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * `health` of a cluster whose health is not what the test is about: its origins share a process with the test and its load, and on a busy
 * machine answer late.
 */
export const PATIENT_PROBES = '{ http: { path: /healthz }, interval: 1s, timeout: 10s }';

/** Answers with its name. */
export function named(name: string): Answer {
  return (_request, response) => response.end(name);
}

export interface OriginOptions {
  /** PEM texts; plain without. */
  readonly tls?: TlsOptions;
}

export async function startOrigin(t: TestContext, answer: Answer, options: OriginOptions = {}): Promise<Origin> {
  const requests: IncomingMessage[] = [];
  const misread: string[] = [];
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    if (request.url === '/healthz') return void response.writeHead(origin.healthy ? 200 : 503).end();
    requests.push(request);
    answer(request, response);
  };
  const create = (): Server => (options.tls === undefined ? createHttpServer(listener) : createHttpsServer(options.tls, listener));
  let server = create();
  let port = 0;
  const open = async (): Promise<void> => {
    // Kept connections outlast every test, so that only what a test does ends one.
    server.keepAliveTimeout = 120_000;
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      // A request that was broken off is not misread.
      if (error.code?.startsWith('HPE_') === true && error.code !== 'HPE_INVALID_EOF_STATE') misread.push(error.code);
      socket.destroy();
    });
    port = await listening(server, port);
  };
  const kill = async (): Promise<void> => {
    if (!server.listening) return;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    server.close(() => resolve(undefined));
    server.closeAllConnections();
    await promise;
  };
  await open();
  const origin: Origin = {
    port,
    endpoint: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    requests,
    misread,
    healthy: true,
    kill,
    revive: async () => {
      server = create();
      await open();
    },
  };
  t.after(kill);
  return origin;
}

export interface RawOrigin {
  readonly port: number;
  readonly endpoint: string;
  /** Connections so far, probes included. */
  readonly connections: readonly RawExchange[];
  /** New connections are refused from then on; those that are open stay. */
  stopListening(): void;
}

export interface RawExchange {
  readonly socket: Socket;
  /** All that came on the connection. */
  received: string;
}

/** Calls `onData` whenever bytes come, with all that came on that connection so far. Probes should be switched off in the config. */
export async function startRawOrigin(t: Pick<TestContext, 'after'>, onData: (exchange: RawExchange) => void): Promise<RawOrigin> {
  const connections: RawExchange[] = [];
  const server = createNetServer({ allowHalfOpen: true }, (socket) => {
    const exchange: RawExchange = { socket, received: '' };
    connections.push(exchange);
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      exchange.received += chunk.toString('latin1');
      onData(exchange);
    });
  });
  const port = await listening(server, 0);
  t.after(() => {
    server.close();
    for (const { socket } of connections) socket.destroy();
  });
  return { port, endpoint: `http://127.0.0.1:${port}`, connections, stopListening: () => void server.close() };
}

async function listening(server: NetServer, port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  server.once('error', reject);
  server.listen(port, '127.0.0.1', () => resolve(undefined));
  await promise;
  return (server.address() as AddressInfo).port;
}
