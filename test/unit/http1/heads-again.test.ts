// Heads that come again are compared with the one before and not read: what comes of them is what comes of each by itself.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RequestHeads } from '../../../balancer/http1/request-head.ts';
import { ResponseHeads, type ResponseHead1 } from '../../../balancer/http1/response-head.ts';
import { requestHeadText } from '../../../balancer/http1/serialize.ts';
import { requestBlock } from '../../../balancer/http2/request-block.ts';
import { AddressSet } from '../../../balancer/message/client-address.ts';
import type { ConnectionFacts } from '../../../balancer/message/connection.ts';
import type { OutgoingRequest } from '../../../balancer/message/exchange.ts';
import type { CanonicalRequest } from '../../../balancer/message/request.ts';
import { share } from '../../../balancer/message/shared-fields.ts';
import { aRequest } from '../../support/request.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const ROUNDS = 3000;

/** One of `values`; mostly the one before. */
function mostlySame<T>(seed: number, values: readonly T[]): () => T {
  const random = seededRandom(seed);
  let at = 0;
  return () => {
    if (random() < 0.3) at = Math.floor(random() * values.length);
    const value = values[at];
    assert.ok(value !== undefined);
    return value;
  };
}

const REQUESTS = [
  'GET /a?b=%20c HTTP/1.1\r\nHost: shop.example:8080\r\nX-Own: 1\r\n\r\n',
  'GET /a?b=%20d HTTP/1.1\r\nHost: shop.example:8080\r\nX-Own: 1\r\n\r\n',
  'GET /a?b=%20c HTTP/1.1\r\nHost: shop.example:8080\r\nX-Own: 2\r\n\r\n',
  'GET /a?b=%20c HTTP/1.0\r\nHost: shop.example:8080\r\nX-Own: 1\r\n\r\n',
  'GET /a HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-For: 198.51.100.7\r\nX-Request-Id: brought-1\r\n\r\n',
  'GET /a HTTP/1.1\r\nHost: shop.example\r\nX-Forwarded-For: 198.51.100.8\r\nX-Request-Id: brought-2\r\n\r\n',
  'GET /under HTTP/1.1\r\nHost: shop.example\r\nX_Own: 1\r\n\r\n',
  'POST /a?_method=DELETE HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 3\r\n\r\n',
  'TRACE /a HTTP/1.1\r\nHost: shop.example\r\n\r\n',
  'GET /../../a HTTP/1.1\r\nHost: shop.example\r\n\r\n',
  'GET /a HTTP/1.1\r\nHost: one\r\nHost: two\r\n\r\n',
  'GET /a HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n',
];

/** A connection that makes up the ids `made-1`, `made-2`, … */
function facts(peerTrusted: boolean): ConnectionFacts {
  let ids = 0;
  return {
    ...{ listener: 'web', scheme: 'http', peerAddress: '203.0.113.9', peerTrusted, trusted: new AddressSet([]), serverName: '' },
    ...{ clientCertificate: null, underscores: 'drop', nextRequestId: () => `made-${(ids += 1)}` },
  };
}

/** What a connection makes of a head: the error, or the request with what else was said. */
function understood(heads: RequestHeads, text: string, of: ConnectionFacts): CanonicalRequest | string {
  const head = heads.again(text) ?? heads.read(text, 0, text.length, 100);
  return typeof head === 'string' ? head : heads.request(head, of);
}

test('a request is what it would be, whatever came before it on its connection', () => {
  for (const peerTrusted of [false, true]) {
    const [heads, of, apart] = [new RequestHeads(), facts(peerTrusted), facts(peerTrusted)];
    const next = mostlySame(7, REQUESTS);
    const told = (request: CanonicalRequest | string): unknown =>
      typeof request === 'string' ? request : { ...request, fields: [...request.fields] };
    for (let round = 0; round < ROUNDS; round += 1) {
      const text = next();
      const request = understood(heads, text, of);
      assert.deepEqual(told(request), told(understood(new RequestHeads(), text, apart)));
      // What becomes of one request is no part of the next one.
      if (typeof request !== 'string')
        Object.assign(request, { path: '/else', query: 'else', requestId: 'else', identity: {}, fields: [] });
    }
  }
});

test('a request in which only its last byte is another is not the same', () => {
  const heads = new RequestHeads();
  for (const own of ['1', '1', '1', '2', '2', '2', '1']) {
    const request = understood(heads, `GET / HTTP/1.1\r\nHost: a\r\nX-Own: ${own}\r\n\r\n`, facts(false));
    assert.deepEqual(typeof request === 'string' ? request : [...request.fields], ['x-own', own]);
  }
});

const RESPONSES = [
  'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-Own: 1\r\n\r\nabc',
  'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-Own: 1\r\n\r\nHTTP/1.1 500 Oh\r\n\r\n',
  'HTTP/1.1 201 OK\r\nContent-Length: 3\r\nX-Own: 1\r\n\r\nabc',
  'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-Own: 2\r\n\r\nabc',
  'HTTP/1.0 200 OK\r\nContent-Length: 3\r\nX-Own: 1\r\n\r\nabc',
  'HTTP/1.1 204 None\r\nX-Own: 1\r\n\r\n',
  'HTTP/1.1 103 Early\r\nLink: a\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n',
  'HTTP/1.1 20 OK\r\n\r\n',
];

/** What an endpoint said in `bytes`, with the length of the head; null: malformed. */
function answered(heads: ResponseHeads, bytes: Buffer): { readonly head: ResponseHead1; readonly length: number } | null {
  const again = heads.again(bytes, 0, bytes.length);
  if (again !== null) return { head: again, length: heads.keptBytes };
  const text = bytes.toString('latin1');
  const length = text.indexOf('\r\n\r\n') + 4;
  const head = heads.read(text, length);
  return head === null ? null : { head, length };
}

test('a response is what it would be, whatever came before it from its endpoint', () => {
  const heads = new ResponseHeads();
  const next = mostlySame(5, RESPONSES);
  let kept = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const bytes = Buffer.from(next(), 'latin1');
    if (heads.again(bytes, 0, bytes.length) !== null) kept += 1;
    const told = (answer: ReturnType<typeof answered>): unknown =>
      answer === null
        ? null
        : { ...answer, head: { ...answer.head, block: { ...answer.head.block, fields: [...answer.head.block.fields] } } };
    assert.deepEqual(told(answered(heads, bytes)), told(answered(new ResponseHeads(), bytes)));
  }
  assert.ok(kept > ROUNDS / 4, `${kept} heads were found again`);
});

test('a head of which not all has come yet is not the one before', () => {
  const heads = new ResponseHeads();
  const bytes = Buffer.from(RESPONSES[0] ?? '', 'latin1');
  for (let round = 0; round < 3; round += 1) answered(heads, bytes);
  const { keptBytes } = heads;
  assert.ok(heads.again(bytes, 0, bytes.length) !== null && keptBytes > 0);
  for (let until = 0; until < keptBytes; until += 1) assert.equal(heads.again(bytes, 0, until), null);
  assert.ok(heads.again(bytes, 0, keptBytes) !== null);
});

test('a request goes upstream as it would with fields of its own, whatever repeats of it', () => {
  const fields = ['accept', 'text/html', 'cookie', 'a=1'];
  const shared = share(fields.slice());
  const [method, path, host] = [
    mostlySame(1, ['GET', 'POST', 'HEAD']),
    mostlySame(2, ['/a', '/b']),
    mostlySame(3, ['shop.example', 'other.example']),
  ];
  const rewritten = mostlySame(4, [null, null, { target: '/a', host: '' }, { target: '/elsewhere?x', host: '' }]);
  const way = mostlySame(6, ['http1', 'http2', 'http2-secure']);
  for (let round = 0; round < ROUNDS; round += 1) {
    const request = aRequest({ method: method(), path: path(), requestId: `id-${round}`, rewritten: rewritten() });
    const outgoing: OutgoingRequest = {
      ...{ request, fields: shared, host: host(), bodyLength: 0, expectsContinue: false, upgrade: '', tryMs: 0, traceparent: '' },
      timeouts: { firstByteMs: 0, betweenBytesMs: 0 },
    };
    const apart = { ...outgoing, fields };
    const form = way();
    if (form === 'http1') assert.equal(requestHeadText(outgoing), requestHeadText(apart));
    else assert.equal(requestBlock(outgoing, form === 'http2-secure'), requestBlock(apart, form === 'http2-secure'));
  }
});
