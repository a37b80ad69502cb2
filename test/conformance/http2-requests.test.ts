// Requests over HTTP/2 that are malformed by RFC 9113 section 8: answered 400 and reset, never understood, and no harm to the streams beside them.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Http2Error } from '../../balancer/http2/frame.ts';
import type { Fields } from '../../balancer/message/fields.ts';
import { startEngine } from '../support/engine.ts';
import { connectH2, data, GET, head, POST } from '../support/h2-client.ts';

const without = (name: string): Fields => GET.filter((_, i) => GET[i - (i % 2)] !== name);
const with_ = (name: string, value: string): Fields => GET.map((text, i) => (i % 2 === 1 && GET[i - 1] === name ? value : text));

interface Malformed {
  readonly what: string;
  readonly section: string;
  readonly fields: Fields;
  /** 400 unless it is not the grammar that is at fault. */
  readonly status?: string;
}

const requests: readonly Malformed[] = [
  { what: 'no :method', section: '8.3.1', fields: without(':method') },
  { what: 'no :scheme', section: '8.3.1', fields: without(':scheme') },
  { what: 'no :path', section: '8.3.1', fields: without(':path') },
  { what: 'neither :authority nor host', section: '8.3.1', fields: without(':authority') },
  { what: 'an empty :method', section: '8.3.1', fields: with_(':method', '') },
  { what: 'an empty :scheme', section: '8.3.1', fields: with_(':scheme', '') },
  { what: 'an empty :path', section: '8.3.1', fields: with_(':path', '') },
  { what: 'an empty :authority', section: '8.3.1', fields: with_(':authority', '') },
  { what: ':method twice', section: '8.3.1', fields: [':method', 'GET', ...GET] },
  { what: ':path twice', section: '8.3.1', fields: [...GET, ':path', '/other'] },
  { what: ':authority twice', section: '8.3.1', fields: [':authority', 'a', ...GET] },
  { what: 'a pseudo-header field nobody knows', section: '8.3', fields: [':own', 'x', ...GET] },
  { what: ':status in a request', section: '8.3', fields: [':status', '200', ...GET] },
  { what: 'a pseudo-header field behind another field', section: '8.3', fields: [...without(':path'), 'x-a', 'b', ':path', '/'] },
  { what: 'a :method that is no token', section: 'RFC 9110 9.1', fields: with_(':method', 'GE T') },
  { what: 'a line end in :method', section: '8.2.1', fields: with_(':method', 'GET / HTTP/1.1\r\nx: y') },
  { what: 'a line end in :path', section: '8.2.1', fields: with_(':path', '/\r\nx: y') },
  { what: 'a line end in :authority', section: '8.2.1', fields: with_(':authority', 'a\r\nx: y') },
  { what: 'a :path that does not begin with a slash', section: '8.3.1', fields: with_(':path', 'a') },
  { what: 'an absolute URI as :path', section: '8.3.1', fields: with_(':path', 'http://a/') },
  { what: 'an asterisk as :path of GET', section: '8.3.1', fields: with_(':path', '*') },
  { what: 'a space in :path', section: 'RFC 3986 3.3', fields: with_(':path', '/a b') },
  { what: 'a fragment in :path', section: 'RFC 3986 3.5', fields: with_(':path', '/a#b') },
  { what: 'a broken escape in :path', section: 'RFC 3986 2.1', fields: with_(':path', '/%zz') },
  { what: 'a :scheme that is not ours', section: '8.3.1', fields: with_(':scheme', 'ftp') },
  { what: 'user information in :authority', section: '8.3.1', fields: with_(':authority', 'admin@a') },
  { what: 'a path in :authority', section: '8.3.1', fields: with_(':authority', 'a/b') },
  { what: 'a host that is not :authority', section: '8.3.1', fields: [...GET, 'host', 'b'] },
  { what: 'two hosts', section: '8.3.1', fields: [...without(':authority'), 'host', 'a', 'host', 'a'] },
  { what: 'an empty host', section: '8.3.1', fields: [...without(':authority'), 'host', ''] },
  { what: 'a field name in upper case', section: '8.2.1', fields: [...GET, 'X-Own', 'b'] },
  { what: 'an empty field name', section: '8.2.1', fields: [...GET, '', 'b'] },
  { what: 'a space in a field name', section: '8.2.1', fields: [...GET, 'x own', 'b'] },
  { what: 'a colon in a field name', section: '8.2.1', fields: [...GET, 'x:own', 'b'] },
  { what: 'a NUL in a field name', section: '8.2.1', fields: [...GET, 'x\0own', 'b'] },
  { what: 'a line end in a field name', section: '8.2.1', fields: [...GET, 'x\r\ny', 'b'] },
  { what: 'obs-text in a field name', section: '8.2.1', fields: [...GET, 'x\xff', 'b'] },
  { what: 'a NUL in a value', section: '8.2.1', fields: [...GET, 'x', 'a\0b'] },
  { what: 'a CR in a value', section: '8.2.1', fields: [...GET, 'x', 'a\rb'] },
  { what: 'a LF in a value', section: '8.2.1', fields: [...GET, 'x', 'a\nb'] },
  { what: 'a control character in a value', section: 'RFC 9110 5.5', fields: [...GET, 'x', 'a\x01b'] },
  { what: 'a DEL in a value', section: 'RFC 9110 5.5', fields: [...GET, 'x', 'a\x7fb'] },
  { what: 'a space before a value', section: '8.2.1', fields: [...GET, 'x', ' a'] },
  { what: 'a tab behind a value', section: '8.2.1', fields: [...GET, 'x', 'a\t'] },
  { what: 'connection', section: '8.2.2', fields: [...GET, 'connection', 'close'] },
  { what: 'keep-alive', section: '8.2.2', fields: [...GET, 'keep-alive', 'timeout=1'] },
  { what: 'proxy-connection', section: '8.2.2', fields: [...GET, 'proxy-connection', 'keep-alive'] },
  { what: 'transfer-encoding', section: '8.2.2', fields: [...GET, 'transfer-encoding', 'chunked'] },
  { what: 'upgrade', section: '8.2.2', fields: [...GET, 'upgrade', 'websocket'] },
  { what: 'te other than trailers', section: '8.2.2', fields: [...GET, 'te', 'trailers, deflate'] },
  { what: 'a length that is no number', section: '8.1.1', fields: [...GET, 'content-length', '+1'] },
  { what: 'two lengths', section: '8.1.1', fields: [...GET, 'content-length', '0', 'content-length', '0'] },
  { what: 'a length without a body', section: '8.1.1', fields: [...GET, 'content-length', '3'] },
  { what: 'CONNECT with :scheme and :path', section: '8.5', fields: with_(':method', 'CONNECT') },
  { what: 'CONNECT without :authority', section: '8.5', fields: [':method', 'CONNECT'] },
  { what: ':protocol without CONNECT', section: 'RFC 8441 4', fields: [...GET, ':protocol', 'websocket'] },
  {
    what: 'extended CONNECT without :path',
    section: 'RFC 8441 4',
    fields: [':method', 'CONNECT', ':protocol', 'websocket', ':scheme', 'http', ':authority', 'a'],
  },
  {
    what: 'extended CONNECT that is half-closed at once',
    section: 'RFC 8441 5',
    fields: [...with_(':method', 'CONNECT'), ':protocol', 'websocket'],
  },
  { what: 'CONNECT', section: '8.5', fields: [':method', 'CONNECT', ':authority', 'a:443'], status: '501' },
  { what: 'TRACE', section: 'RFC 9110 9.3.8', fields: with_(':method', 'TRACE'), status: '501' },
  {
    what: 'extended CONNECT to a protocol we do not know',
    section: 'RFC 8441 4',
    fields: [...with_(':method', 'CONNECT'), ':protocol', 'other'],
    status: '501',
  },
  { what: 'an expectation we do not know', section: 'RFC 9110 10.1.1', fields: [...GET, 'expect', 'more'], status: '417' },
  { what: 'more fields than allowed', section: '10.5.1', fields: [...GET, ...Array.from({ length: 202 }, () => 'x')], status: '431' },
  { what: 'a field list larger than allowed', section: '10.5.1', fields: [...GET, 'x', 'y'.repeat(33_000)], status: '431' },
  { what: 'a :path longer than allowed', section: 'RFC 9110 15.5.15', fields: with_(':path', `/${'a'.repeat(17_000)}`), status: '414' },
];

describe('HTTP/2 requests that are not allowed', () => {
  for (const { what, section, fields, status = '400' } of requests)
    it(`${what} is answered ${status} (${section.startsWith('RFC') ? section : `RFC 9113 ${section}`})`, async (t) => {
      const engine = await startEngine(t, { http2: {} });
      const client = await connectH2(t, engine.port);
      client.send(head(1, fields), head(3, GET));
      await client.untilAnswered(3);
      assert.equal(client.status(1), status);
      assert.equal(client.response(1).reset, status === '400' ? Http2Error.ProtocolError : -1);
      assert.deepEqual(
        engine.understood.map(({ path }) => path),
        ['/'],
      );
      assert.equal(engine.refused.length, 1);
      assert.deepEqual(client.goAways, []);
    });

  for (const [what, section, parts] of [
    ['a body longer than its length', '8.1.1', [head(1, [...POST, 'content-length', '3'], false), data(1, 'four', true)]],
    ['a body shorter than its length', '8.1.1', [head(1, [...POST, 'content-length', '5'], false), data(1, 'four', true)]],
    ['trailers before the length is reached', '8.1.1', [head(1, [...POST, 'content-length', '5'], false), head(1, ['x', 'y'])]],
    ['a body behind a length of 0', '8.1.1', [head(1, [...POST, 'content-length', '0', 'x-slow', '1'], false), data(1, 'x', true)]],
    ['a pseudo-header field in trailers', '8.1', [head(1, POST, false), head(1, [':path', '/'])]],
    ['upper case in trailers', '8.2.1', [head(1, POST, false), head(1, ['X-Sum', '1'])]],
    ['a line end in trailers', '8.2.1', [head(1, POST, false), head(1, ['x-sum', '1\r\n2'])]],
    ['transfer-encoding in trailers', '8.2.2', [head(1, POST, false), head(1, ['transfer-encoding', 'chunked'])]],
    ['content-length in trailers', 'RFC 9110 6.5.1', [head(1, POST, false), head(1, ['content-length', '1'])]],
    ['host in trailers', 'RFC 9110 6.5.1', [head(1, POST, false), head(1, ['host', 'b'])]],
  ] as const)
    it(`${what} is never a complete request (${section.startsWith('RFC') ? section : `RFC 9113 ${section}`})`, async (t) => {
      const engine = await startEngine(t, {
        http2: {},
        answer: (exchange, { fields }) => {
          if (fields.includes('x-slow')) return;
          exchange.sendHead(200, [], 0);
          exchange.sendEnd([]);
        },
      });
      const client = await connectH2(t, engine.port);
      client.send(...parts, head(3, GET));
      await client.untilAnswered(3);
      assert.equal(await client.untilReset(1), Http2Error.ProtocolError);
      assert.equal(client.status(1), '400');
      assert.equal(engine.understood[0]?.failed, 'bad_framing');
      assert.equal(engine.understood[0].body, '');
      assert.deepEqual(client.goAways, []);
    });

  for (const [what, section, fields, understood] of [
    ['a host that is :authority', '8.3.1', [...GET, 'host', 'A'], []],
    ['te: trailers', '8.2.2', [...GET, 'te', 'trailers'], []],
    [
      'cookies in crumbs',
      '8.2.3',
      [...GET, 'cookie', 'a=1', 'x', 'y', 'cookie', 'b=2', 'cookie', 'c=3'],
      ['cookie', 'a=1; b=2; c=3', 'x', 'y'],
    ],
    ['obs-text in a value', 'RFC 9110 5.5', [...GET, 'x', 'caf\xe9'], ['x', 'caf\xe9']],
    ['an empty value', 'RFC 9110 5.5', [...GET, 'x', ''], ['x', '']],
    ['only host', '8.3.1', [...without(':authority'), 'host', 'a'], []],
    ['https on a plain connection, as behind a terminator', '8.3.1', with_(':scheme', 'https'), []],
  ] as const)
    it(`${what} is understood (${section.startsWith('RFC') ? section : `RFC 9113 ${section}`})`, async (t) => {
      const engine = await startEngine(t, { http2: {} });
      const client = await connectH2(t, engine.port);
      client.send(head(1, [...fields]));
      assert.equal((await client.untilAnswered(1)).body, 'GET /');
      assert.deepEqual([engine.understood[0]?.fields, engine.understood[0]?.host], [understood, 'a']);
    });
});
