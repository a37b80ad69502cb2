// A request with a small body is sent again where its method or its endpoint allows that: whole, in order, and from wherever the body was.
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { BodyMemory, KeptBody, MAX_KEPT_BYTES } from '../../../balancer/worker/kept-body.ts';
import { startH2Origin, type H2Exchange } from '../../support/h2-origin.ts';
import { startRawOrigin, type RawExchange, type RawOrigin } from '../../support/origin.ts';
import { reported, startProxy, type Proxy } from '../../support/proxy.ts';
import { connectRaw } from '../../support/raw-client.ts';
import { until } from '../../support/until.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const BODY = Array.from({ length: 2000 }, (_, index) => `line ${index};`).join('');

/** The body of the last request on the connection, or null while it is not complete. */
function bodyOf({ received }: RawExchange): string | null {
  const start = received.lastIndexOf('HTTP/1.1\r\n');
  const at = received.indexOf('\r\n\r\n', start);
  if (at < 0) return null;
  const head = received.slice(start, at);
  const rest = received.slice(at + 4);
  const length = /content-length: (\d+)/i.exec(head)?.[1];
  if (length !== undefined) return rest.length < Number(length) ? null : rest;
  if (!/transfer-encoding: chunked/i.test(head)) return '';
  return rest.endsWith('0\r\n\r\n') ? rest.replaceAll(/(^|\r\n)[0-9a-f]+\r\n/g, '').replace(/\r\n$/, '') : null;
}

interface Bench {
  readonly origin: RawOrigin;
  readonly proxy: Proxy;
  readonly bodies: string[];
}

/** Answers GET and, on its second connection, everything; the first is cut when `cutsAt` says so of what came after the GET. */
async function bench(t: TestContext, cutsAt: (later: string) => boolean, service: object = {}): Promise<Bench> {
  const bodies: string[] = [];
  const origin = await startRawOrigin(t, (exchange) => {
    const isFirst = exchange === origin.connections[0];
    const later = exchange.received.slice(exchange.received.indexOf('\r\n\r\n') + 4);
    if (isFirst && later === '') return void exchange.socket.write(OK);
    if (isFirst && cutsAt(later)) exchange.socket.resetAndDestroy();
    if (isFirst) return;
    const body = bodyOf(exchange);
    if (body === null) return;
    bodies.push(body);
    exchange.socket.write(OK);
  });
  const proxy = await startProxy(t, { endpoints: [origin.endpoint], service: service as Readonly<Record<string, unknown>> });
  assert.equal((await fetch(proxy.url)).status, 200, 'a connection is kept');
  return { origin, proxy, bodies };
}

const headOf = (method: string, framing: string): string => `${method} /x HTTP/1.1\r\nHost: shop.example\r\n${framing}\r\n\r\n`;
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
const status = (answer: string): string => answer.slice(9, 12);

describe('a body whose connection is cut before the answer', { concurrency: true }, () => {
  it('goes again whole, whether its length was told or not', async (t) => {
    for (const chunked of [false, true]) {
      const { proxy, bodies, origin } = await bench(t, (later) => later.includes('line 1999;'));
      const client = await connectRaw(t, proxy.port);
      client.send(
        chunked
          ? `${headOf('PUT', 'Transfer-Encoding: chunked')}${chunk(BODY.slice(0, 5000))}${chunk(BODY.slice(5000))}0\r\n\r\n`
          : `${headOf('PUT', `Content-Length: ${BODY.length}`)}${BODY}`,
      );
      assert.equal(status(await client.untilText('ok')), '200');
      assert.deepEqual(bodies, [BODY]);
      assert.equal(origin.connections.length, 2);
      await until(() => reported(proxy, 'weir_retries_total', /retried/) === 1, 'one retry is counted');
    }
  });

  it('goes on with what the client sends later, after what had come', async (t) => {
    for (const chunked of [false, true]) {
      const { proxy, bodies, origin } = await bench(t, (later) => later.includes('line 300;'));
      const client = await connectRaw(t, proxy.port);
      const [first, second] = [BODY.slice(0, 9000), BODY.slice(9000)];
      client.send(
        headOf('PUT', chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${BODY.length}`) + (chunked ? chunk(first) : first),
      );
      await until(() => origin.connections[1]?.received.includes('line 300;') === true, 'the first part came again');
      client.send(chunked ? `${chunk(second)}0\r\n\r\n` : second);
      assert.equal(status(await client.untilText('ok')), '200');
      assert.deepEqual(bodies, [BODY]);
    }
  });

  it('is not sent again when the request may not be, or the body is too large to keep', async (t) => {
    const large = 'x'.repeat(MAX_KEPT_BYTES + 1);
    const cases: readonly (readonly [method: string, framing: string, body: string])[] = [
      ['POST', `Content-Length: ${BODY.length}`, BODY],
      ['PUT', `Content-Length: ${large.length}`, large],
      ['PUT', 'Transfer-Encoding: chunked', `${chunk(large)}0\r\n\r\n`],
    ];
    for (const [method, framing, body] of cases) {
      const { proxy, bodies } = await bench(t, (later) => later.length > body.length);
      const client = await connectRaw(t, proxy.port);
      client.send(headOf(method, framing) + body);
      assert.equal(status(await client.untilText('"code":')), '502');
      assert.deepEqual(bodies, []);
    }
    const { proxy } = await bench(t, () => true, { retries: { attempts: 0 } });
    const client = await connectRaw(t, proxy.port);
    client.send(headOf('PUT', `Content-Length: ${BODY.length}`) + BODY);
    assert.equal(status(await client.untilText('"code":')), '502', 'no attempts are allowed');
  });

  it('goes again without waiting for another 100 (Continue)', async (t) => {
    const { proxy, bodies, origin } = await bench(t, (later) => later.includes('line 1999;'));
    const client = await connectRaw(t, proxy.port);
    client.send(headOf('PUT', `Content-Length: ${BODY.length}\r\nExpect: 100-continue`));
    await client.untilText('100 Continue');
    client.send(BODY);
    assert.match(await client.untilText('ok'), /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
    assert.deepEqual(bodies, [BODY]);
    assert.doesNotMatch(origin.connections[1]?.received ?? '', /expect/i);
  });
});

describe('a body whose stream an HTTP/2 endpoint refused', { concurrency: true }, () => {
  const REFUSED_STREAM = 7;
  const POST = `${headOf('POST', `Content-Length: ${BODY.length}`)}${BODY}`;

  /** Reads the body; `refuse` is called once, when the first of it has come to the first request. */
  async function refusing(
    t: TestContext,
    refuse: (exchange: H2Exchange) => void,
  ): Promise<{ readonly proxy: Proxy; readonly bodies: string[] }> {
    const bodies: string[] = [];
    let refused = false;
    const origin = await startH2Origin(t, (exchange) => {
      const { stream } = exchange;
      let body = '';
      stream.on('data', (bytes: Buffer) => {
        body += bytes.toString('latin1');
        if (!refused) refuse(exchange);
        refused = true;
      });
      stream.on('end', () => {
        if (stream.destroyed || stream.closed) return;
        if (body !== '') bodies.push(body);
        stream.respond({ ':status': 200 });
        stream.end('ok');
      });
    });
    return { proxy: await startProxy(t, { endpoints: [origin.endpoint] }), bodies };
  }

  it('goes again whatever the method', async (t) => {
    const { proxy, bodies } = await refusing(t, ({ stream }) => stream.close(REFUSED_STREAM));
    const client = await connectRaw(t, proxy.port);
    client.send(POST);
    assert.equal(status(await client.untilText('ok')), '200');
    assert.deepEqual(bodies, [BODY]);
  });

  it('goes on another connection when the endpoint says goodbye to this one', async (t) => {
    const { proxy, bodies } = await refusing(t, ({ stream }) => {
      // Of what came after the first request, stream 1, it has seen nothing.
      stream.session?.goaway(0, 1);
      stream.close();
    });
    const client = await connectRaw(t, proxy.port);
    assert.equal((await fetch(proxy.url)).status, 200);
    client.send(POST);
    assert.equal(status(await client.untilText('ok')), '200');
    assert.deepEqual(bodies, [BODY]);
  });
});

it('the bodies that a worker keeps are bounded together, and leave nothing behind', () => {
  const memory = new BodyMemory();
  const bodies = Array.from({ length: 128 }, () => new KeptBody(memory));
  const full = Buffer.alloc(MAX_KEPT_BYTES);
  for (const body of bodies) {
    assert.equal(body.isTooLarge, false);
    assert.notEqual(body.add(full), full, 'a copy');
  }
  assert.ok(bodies.every(({ isTooLarge }) => !isTooLarge));
  const more = new KeptBody(memory);
  more.add(Buffer.alloc(1));
  assert.equal(more.isTooLarge, true, 'with all memory in use nothing more is kept');
  for (const body of [...bodies, more]) body.release();
  assert.equal(memory.used, 0);
});
