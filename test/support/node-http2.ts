// Node's own HTTP/2 client, with what tests ask of it.
import { connect, type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2';
import type { SecureClientSessionOptions } from 'node:http2';
import type { TestContext } from 'node:test';

export interface NodeResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly trailers: IncomingHttpHeaders;
}

/** A session that ends with the test. */
export async function connectNodeHttp2(t: TestContext, url: string, options: SecureClientSessionOptions = {}): Promise<ClientHttp2Session> {
  // Megabytes. Bodies of tests are written at once, and Node would end their streams itself.
  const session = connect(url, { maxSessionMemory: 1000, ...options });
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  session.once('connect', () => resolve(undefined));
  session.once('error', reject);
  t.after(() => session.destroy());
  await promise;
  session.on('error', () => undefined);
  return session;
}

/** The whole response to a request that was begun. */
export function responseTo(stream: ClientHttp2Stream): Promise<NodeResponse> {
  const { promise, resolve, reject } = Promise.withResolvers<NodeResponse>();
  const chunks: Buffer[] = [];
  let headers: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders = {};
  stream.on('response', (got) => (headers = got));
  stream.on('trailers', (got) => (trailers = got));
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  stream.on('end', () => resolve({ status: Number(Reflect.get(headers, ':status')), headers, body: Buffer.concat(chunks), trailers }));
  stream.on('error', reject);
  return promise;
}

/** Sends a whole request. */
export function ask(session: ClientHttp2Session, headers: OutgoingHttpHeaders, body?: Buffer): Promise<NodeResponse> {
  const stream = session.request(headers, { endStream: body === undefined });
  const response = responseTo(stream);
  if (body !== undefined) stream.end(body);
  return response;
}
