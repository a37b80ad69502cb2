// An origin that speaks HTTP/2, plain or TLS: Node's own server, as the peer our engine is held against.
import {
  createSecureServer,
  createServer,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type Settings,
} from 'node:http2';
import type { IncomingHttpHeaders } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';

export interface H2Exchange {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
}

export interface H2Origin {
  readonly port: number;
  /** `h2c://127.0.0.1:port`, or `https://…`, as an endpoint in a config. */
  readonly endpoint: string;
  readonly exchanges: readonly H2Exchange[];
  readonly sessions: ReadonlySet<ServerHttp2Session>;
}

export interface H2OriginOptions {
  /** PEM texts; plain without. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer };
  readonly settings?: Settings;
}

export async function startH2Origin(
  t: TestContext,
  answer: (exchange: H2Exchange) => void,
  options: H2OriginOptions = {},
): Promise<H2Origin> {
  const exchanges: H2Exchange[] = [];
  const sessions = new Set<ServerHttp2Session>();
  const { tls, settings } = options;
  const common = settings === undefined ? {} : { settings };
  const server: Http2Server | ReturnType<typeof createSecureServer> =
    tls === undefined ? createServer(common) : createSecureServer({ ...tls, ...common });
  server.on('session', (session: ServerHttp2Session) => {
    sessions.add(session);
    session.on('error', () => undefined);
    session.once('close', () => sessions.delete(session));
  });
  server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    stream.on('error', () => undefined);
    const exchange = { stream, headers };
    exchanges.push(exchange);
    answer(exchange);
  });
  const { promise, resolve } = Promise.withResolvers<undefined>();
  server.listen(0, '127.0.0.1', () => resolve(undefined));
  await promise;
  t.after(() => {
    server.close();
    for (const session of sessions) session.destroy();
  });
  const { port } = server.address() as AddressInfo;
  return { port, endpoint: `${tls === undefined ? 'h2c' : 'https'}://127.0.0.1:${port}`, exchanges, sessions };
}

/** Answers with 200 and a text. */
export function h2Text(text: string): (exchange: H2Exchange) => void {
  return ({ stream }) => {
    stream.respond({ ':status': 200, 'content-type': 'text/plain' });
    stream.end(text);
  };
}
