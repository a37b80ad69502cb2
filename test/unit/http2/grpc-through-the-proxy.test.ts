// gRPC, HTTP/2 on both sides: what its clients and servers need of a balancer between them, with Node's own HTTP/2 as both.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, constants, type ClientHttp2Session, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2';
import { test, type TestContext } from 'node:test';
import { startH2Origin, type H2Exchange } from '../../support/h2-origin.ts';
import { startProxy } from '../../support/proxy.ts';

const CALL = { ':method': 'POST', ':path': '/shop.Cart/Add', 'content-type': 'application/grpc', te: 'trailers' };
/** A message behind its five bytes: not compressed, and its length. */
const message = (text: string): Buffer => Buffer.concat([Buffer.from([0, 0, 0, 0, text.length]), Buffer.from(text)]);

test('a unary call brings message and trailers back', async (t) => {
  const { client, exchanges } = await startGrpc(t, ({ stream }) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'grpc-message': 'done' }));
    stream.end(message('added'));
  });
  const { headers, body, trailers } = await call(client, { 'grpc-timeout': '2S' }, message('shoes'));
  assert.equal(headers['content-type'], 'application/grpc');
  assert.deepEqual(body, message('added'));
  assert.equal(trailers['grpc-status'], '0');
  assert.equal(trailers['grpc-message'], 'done');
  const [exchange] = exchanges;
  assert.equal(exchange?.headers['te'], 'trailers');
  assert.equal(exchange.headers['grpc-timeout'], '2S');
  assert.equal(exchange.headers[':path'], '/shop.Cart/Add');
});

test('an answer of trailers only stays one', async (t) => {
  const { client } = await startGrpc(t, ({ stream }) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '5' }, { endStream: true });
  });
  const { headers, body } = await call(client, {}, message('shoes'));
  assert.equal(headers['grpc-status'], '5');
  assert.equal(body.length, 0);
});

test('each message of a stream arrives when it is sent, both ways', async (t) => {
  const { client } = await startGrpc(t, ({ stream }) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    stream.on('data', (piece: Buffer) => stream.write(piece));
    stream.on('end', () => stream.end());
  });
  const stream = client.request(CALL);
  for (const text of ['one', 'two', 'three']) {
    stream.write(message(text));
    const [piece] = (await once(stream, 'data')) as [Buffer];
    assert.deepEqual(piece, message(text));
  }
  stream.end();
  await once(stream, 'end');
});

test('a call that its client cancels is cancelled at the server', async (t) => {
  const { promise: cancelled, resolve } = Promise.withResolvers<number>();
  const { client } = await startGrpc(t, ({ stream }) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    stream.on('close', () => resolve(stream.rstCode));
  });
  const stream = client.request(CALL);
  stream.on('error', () => undefined);
  await once(stream, 'response');
  stream.close(constants.NGHTTP2_CANCEL);
  assert.equal(await cancelled, constants.NGHTTP2_CANCEL);
});

test('a reset by the server reaches the client as one, not as an end', async (t) => {
  const { client } = await startGrpc(t, ({ stream }) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    stream.write(message('half'));
    setImmediate(() => stream.destroy(new Error('broken')));
  });
  await assert.rejects(call(client, {}, message('shoes')));
});

interface Answered {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly trailers: IncomingHttpHeaders;
}

async function startGrpc(
  t: TestContext,
  answer: (exchange: H2Exchange) => void,
): Promise<{ readonly client: ClientHttp2Session; readonly exchanges: readonly H2Exchange[] }> {
  const origin = await startH2Origin(t, answer);
  const proxy = await startProxy(t, { endpoints: [origin.endpoint] });
  const client = connect(proxy.url);
  client.on('error', () => undefined);
  t.after(() => client.destroy());
  return { client, exchanges: origin.exchanges };
}

function call(client: ClientHttp2Session, fields: OutgoingHttpHeaders, body: Buffer): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const stream = client.request({ ...CALL, ...fields });
    const pieces: Buffer[] = [];
    let headers: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    stream.on('response', (received) => (headers = received));
    stream.on('trailers', (received) => (trailers = received));
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('error', reject);
    stream.on('end', () => {
      if (stream.rstCode !== 0) reject(new Error(`reset with ${stream.rstCode}`));
      else resolve({ headers, body: Buffer.concat(pieces), trailers });
    });
    stream.end(body);
  });
}
