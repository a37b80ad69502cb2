// gRPC-Web clients, over HTTP/1.1 and HTTP/2, call a gRPC service over h2c through the data plane: messages, status and errors arrive in their forms.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { startH2Origin, type H2Exchange, type H2Origin } from '../../support/h2-origin.ts';
import { ask, connectNodeHttp2 } from '../../support/node-http2.ts';
import { startProxy, type Proxy, type ProxyOptions } from '../../support/proxy.ts';
import { until } from '../../support/until.ts';

const BINARY = 'application/grpc-web+proto';
const TEXT = 'application/grpc-web-text';
const PATH = '/shop.Cart/Add';

/** A frame: flags, length, bytes. */
function frame(flags: number, text: string): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flags;
  head.writeUInt32BE(Buffer.byteLength(text), 1);
  return Buffer.concat([head, Buffer.from(text)]);
}
const message = (text: string): Buffer => frame(0, text);
const base64 = (bytes: Buffer): string => bytes.toString('base64');
const DONE = frame(0x80, 'grpc-status:0\r\ngrpc-message:done\r\n');

/** Answers with these messages and an OK behind them, once the whole request is there. */
function answering(...texts: readonly string[]): (exchange: H2Exchange) => void {
  return ({ stream }) => {
    stream.resume().on('end', () => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'grpc-message': 'done' }));
      for (const text of texts) stream.write(message(text));
      stream.end();
    });
  };
}

interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

type Fields = Readonly<Record<string, string>>;
/** Sends a call with a body and reads the whole answer. */
type Call = (proxy: Proxy, fields: Fields, body: Buffer | string) => Promise<Answered>;

const overHttp1 =
  (): Call =>
  async ({ port }, fields, body) => {
    const outgoing = httpRequest({ port, host: '127.0.0.1', path: PATH, method: 'POST', headers: fields, agent: false });
    // Of a response that is broken off the reader hears.
    outgoing.on('error', () => undefined).end(body);
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    return { status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) };
  };

const overHttp2 =
  (t: TestContext): Call =>
  async ({ url }, fields, body) => {
    const session = await connectNodeHttp2(t, url);
    return ask(session, { ':method': 'POST', ':path': PATH, ...fields }, Buffer.from(body));
  };

async function start(
  t: TestContext,
  answer: (exchange: H2Exchange) => void,
  options: Partial<ProxyOptions> = {},
): Promise<{ readonly origin: H2Origin; readonly proxy: Proxy }> {
  const origin = await startH2Origin(t, answer);
  const proxy = await startProxy(t, { endpoints: [origin.endpoint], route: { filters: [{ grpcWeb: {} }] }, ...options });
  return { origin, proxy };
}

/** What a gRPC service got as the body of its first call. */
async function received({ exchanges }: H2Origin): Promise<Buffer> {
  const stream = exchanges[0]?.stream;
  assert.ok(stream !== undefined);
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

for (const [version, callOf] of [
  ['HTTP/1.1', overHttp1],
  ['HTTP/2', overHttp2],
] as const) {
  describe(`a gRPC-Web call over ${version}`, () => {
    it('in the binary form is a gRPC call upstream, and brings the trailers back as its last frame', async (t) => {
      const { origin, proxy } = await start(t, answering('one', 'two'));
      const fields = { 'content-type': BINARY, accept: BINARY, 'x-grpc-web': '1', 'grpc-timeout': '2S' };
      const { status, headers, body } = await callOf(t)(proxy, fields, message('shoes'));
      assert.deepEqual([status, headers['content-type'], headers['content-length']], [200, BINARY, undefined]);
      assert.deepEqual(body, Buffer.concat([message('one'), message('two'), DONE]));
      const sent = origin.exchanges[0]?.headers;
      assert.equal(sent?.['content-type'], 'application/grpc+proto');
      assert.equal(sent['te'], 'trailers');
      assert.equal(sent['grpc-timeout'], '2S');
      assert.equal(sent['accept'], undefined);
    });

    it('in base64 is decoded for the service, and answered in base64', async (t) => {
      const bodies: Promise<Buffer>[] = [];
      const { origin, proxy } = await start(t, (exchange) => {
        bodies.push(received(origin));
        exchange.stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
        exchange.stream.on('wantTrailers', () => exchange.stream.sendTrailers({ 'grpc-status': '0', 'grpc-message': 'done' }));
        exchange.stream.end(message('one'));
      });
      // Padding in the middle: the client has flushed there.
      const text = base64(message('sho')) + base64(Buffer.from('e')) + base64(Buffer.from('s, size 42'));
      const { headers, body } = await callOf(t)(proxy, { 'content-type': TEXT, 'content-length': `${text.length}` }, text);
      assert.equal(headers['content-type'], TEXT);
      assert.deepEqual(decodedText(body.toString()), Buffer.concat([message('one'), DONE]));
      assert.deepEqual(await bodies[0], Buffer.concat([message('sho'), Buffer.from('es, size 42')]));
      assert.equal(origin.exchanges[0]?.headers['content-length'], undefined);
    });

    it('gets the form it accepts, whatever the one it sends', async (t) => {
      const { proxy } = await start(t, answering('one'));
      const text = await callOf(t)(proxy, { 'content-type': BINARY, accept: `${TEXT}+proto` }, message('x'));
      assert.equal(text.headers['content-type'], `${TEXT}+proto`);
      assert.deepEqual(decodedText(text.body.toString()), Buffer.concat([message('one'), DONE]));
      const binary = await callOf(t)(proxy, { 'content-type': TEXT, accept: BINARY }, base64(message('x')));
      assert.deepEqual([binary.headers['content-type'], binary.body], [BINARY, Buffer.concat([message('one'), DONE])]);
    });

    it('that the service answers with a status alone gets it in the head', async (t) => {
      const { proxy } = await start(t, ({ stream }) =>
        stream.respond(
          { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '5', 'grpc-message': 'none' },
          { endStream: true },
        ),
      );
      const { status, headers, body } = await callOf(t)(proxy, { 'content-type': TEXT }, base64(message('x')));
      assert.deepEqual([status, headers['grpc-status'], headers['grpc-message'], body.length], [200, '5', 'none', 0]);
      assert.equal(headers['content-type'], TEXT);
    });

    it('that the service ends without a status is told so', async (t) => {
      const { proxy } = await start(t, ({ stream }) => {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
        stream.end(message('one'));
      });
      const { body } = await callOf(t)(proxy, { 'content-type': BINARY }, message('x'));
      assert.deepEqual(body, Buffer.concat([message('one'), frame(0x80, 'grpc-status:2\r\ngrpc-message:the service sent no status\r\n')]));
    });

    it('is told weir’s own errors as a status of gRPC', async (t) => {
      const { proxy } = await start(t, () => undefined, { endpoints: ['h2c://127.0.0.1:1'] });
      const fields = { 'content-type': BINARY, origin: 'https://shop.example' };
      const { status, headers, body } = await callOf(t)(proxy, fields, message('x'));
      assert.deepEqual([status, headers['content-type'], headers['grpc-status'], body.length], [200, BINARY, '14', 0]);
      assert.equal(headers['grpc-message'], 'The service cannot be reached');
      assert.match(String(headers['access-control-expose-headers']), /grpc-status, grpc-message/);
    });

    it('whose text is not base64 is told so, and broken off for the service', async (t) => {
      const { origin, proxy } = await start(t, ({ stream }) => void stream.resume());
      for (const [at, text] of ['AAAA*AAA', 'AAAA=AAA', 'A===', '====', 'AAAAA'].entries()) {
        const { headers } = await callOf(t)(proxy, { 'content-type': TEXT }, text);
        assert.deepEqual([headers['content-type'], headers['grpc-status']], [TEXT, '13'], text);
        await until(() => origin.exchanges.length <= at || origin.exchanges.every(({ stream }) => stream.closed), 'the end at the service');
      }
    });

    it('that the service breaks off is broken off', async (t) => {
      const { proxy } = await start(t, ({ stream }) => {
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
        stream.write(message('half'));
        setImmediate(() => stream.destroy(new Error('broken')));
      });
      await assert.rejects(callOf(t)(proxy, { 'content-type': BINARY }, message('x')));
    });
  });
}

describe('a stream of messages', () => {
  it('arrives message by message over HTTP/1.1, each whole in its base64', async (t) => {
    const { origin, proxy } = await start(t, ({ stream }) =>
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true }),
    );
    const outgoing = httpRequest({ port: proxy.port, path: PATH, method: 'POST', headers: { 'content-type': TEXT }, agent: false });
    t.after(() => outgoing.destroy());
    outgoing.end(base64(message('shoes')));
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    const stream = origin.exchanges[0]?.stream;
    for (const text of ['one', 'four', 'three']) {
      stream?.write(message(text));
      const [chunk] = (await once(response, 'data')) as [Buffer];
      assert.equal(chunk.toString(), base64(message(text)));
    }
    const ended = once(response, 'end');
    stream?.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'grpc-message': 'done' }));
    stream?.end();
    const [last] = (await once(response, 'data')) as [Buffer];
    assert.equal(last.toString(), base64(DONE));
    await ended;
  });

  it('arrives message by message over HTTP/2, in both directions', async (t) => {
    const { proxy } = await start(t, ({ stream }) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
      stream.on('data', (piece: Buffer) => stream.write(piece));
      stream.on('end', () => stream.end());
    });
    const session = await connectNodeHttp2(t, proxy.url);
    const stream = session.request({ ':method': 'POST', ':path': PATH, 'content-type': TEXT });
    for (const text of ['one', 'four', 'three']) {
      stream.write(base64(message(text)));
      const [piece] = (await once(stream, 'data')) as [Buffer];
      assert.equal(piece.toString(), base64(message(text)));
    }
    stream.end();
    await once(stream.resume(), 'end');
  });

  it('of a client that does not read is held back at the service', async (t) => {
    let written = 0;
    const { proxy } = await start(t, ({ stream }) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
      const more = (): void => {
        while (written < 64 * MEGABYTE && stream.write(Buffer.alloc(65_536))) written += 65_536;
      };
      stream.on('drain', more);
      more();
    });
    const outgoing = httpRequest({ port: proxy.port, path: PATH, method: 'POST', headers: { 'content-type': TEXT }, agent: false });
    t.after(() => outgoing.destroy());
    outgoing.end(base64(message('x')));
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    response.pause();
    let before = -1;
    await until(() => {
      const stuck = written === before;
      before = written;
      return stuck;
    }, 'the service to be held back');
    assert.ok(written < 32 * MEGABYTE, `the service could send ${written} bytes`);
  });
});

describe('what is no gRPC-Web call', () => {
  it('passes through the filter as it is', async (t) => {
    const { origin, proxy } = await start(t, ({ stream, headers }) => {
      stream.respond({ ':status': 200, 'content-type': headers['content-type'] ?? 'text/plain', 'grpc-status': '0' });
      stream.pipe(stream);
    });
    for (const type of ['application/grpc', 'application/json', 'application/grpc-webx', 'application/grpc-web-textual']) {
      const { headers, body } = await overHttp1()(proxy, { 'content-type': type, 'content-length': '4', accept: 'a/b' }, 'as=1');
      assert.deepEqual([headers['content-type'], body.toString()], [type, 'as=1']);
    }
    const sent = origin.exchanges.map(({ headers }) => [headers['content-length'], headers['accept'], headers['te']]);
    assert.deepEqual(
      sent,
      sent.map(() => ['4', 'a/b', undefined]),
    );
  });

  it('but stands in its way comes back as it is, and its fields are named to scripts', async (t) => {
    const { proxy } = await start(t, ({ stream }) => {
      stream.respond({ ':status': 502, 'content-type': 'text/html', 'access-control-expose-headers': 'X-Own,Grpc-Status' });
      stream.end('<h1>gateway</h1>');
    });
    const { status, headers, body } = await overHttp1()(proxy, { 'content-type': BINARY, origin: 'https://shop.example' }, message('x'));
    assert.deepEqual([status, headers['content-type'], body.toString()], [502, 'text/html', '<h1>gateway</h1>']);
    assert.equal(headers['access-control-expose-headers'], 'X-Own, Grpc-Status, grpc-message, grpc-status-details-bin');
  });
});

const MEGABYTE = 1_048_576;

/** As a client does it: groups of four, of which any may be padded. */
const decodedText = (text: string): Buffer =>
  Buffer.concat((text.match(/[^=]{4}|[^=]{1,3}={1,2}/g) ?? []).map((group) => Buffer.from(group, 'base64')));
