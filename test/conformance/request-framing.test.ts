// Raw bytes that have made two parsers disagree somewhere: each must be refused with the connection closed, and nothing of it understood.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connectRaw } from '../support/raw-client.ts';
import { startEngine } from '../support/engine.ts';

interface Attack {
  readonly name: string;
  /** Where the form is described. */
  readonly source: string;
  readonly bytes: string;
  readonly status?: number;
}

const head = (...lines: readonly string[]): string => `${lines.join('\r\n')}\r\n\r\n`;
const post = (...lines: readonly string[]): string => head('POST / HTTP/1.1', 'Host: a', ...lines);
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n';

const attacks: readonly Attack[] = [
  {
    name: 'Content-Length with Transfer-Encoding',
    source: 'RFC 9112 6.1',
    bytes: `${post('Content-Length: 4', 'Transfer-Encoding: chunked')}0\r\n\r\n${SMUGGLED}`,
  },
  {
    name: 'Transfer-Encoding before Content-Length',
    source: 'RFC 9112 6.1',
    bytes: `${post('Transfer-Encoding: chunked', 'Content-Length: 4')}0\r\n\r\n`,
  },
  { name: 'two different lengths', source: 'RFC 9112 6.3', bytes: `${post('Content-Length: 0', 'Content-Length: 36')}${SMUGGLED}` },
  { name: 'two equal lengths', source: 'RFC 9112 6.3', bytes: `${post('Content-Length: 3', 'Content-Length: 3')}abc` },
  { name: 'a list of lengths', source: 'RFC 9110 8.6', bytes: `${post('Content-Length: 3, 3')}abc` },
  { name: 'a signed length', source: 'RFC 9110 8.6', bytes: `${post('Content-Length: +3')}abc` },
  { name: 'a negative length', source: 'RFC 9110 8.6', bytes: post('Content-Length: -1') },
  { name: 'a hexadecimal length', source: 'RFC 9110 8.6', bytes: `${post('Content-Length: 0x3')}abc` },
  { name: 'an empty length', source: 'RFC 9110 8.6', bytes: post('Content-Length:') },
  { name: 'a length with an underscore', source: 'http-garden', bytes: `${post('Content-Length: 1_0')}0123456789` },
  { name: 'a length beyond every integer', source: 'RFC 9110 8.6', bytes: post('Content-Length: 99999999999999999999') },
  { name: 'a length with a space inside', source: 'http-garden', bytes: `${post('Content-Length: 1 0')}0123456789` },
  { name: 'xchunked', source: 'CVE-2019-18277 family', bytes: `${post('Transfer-Encoding: xchunked')}0\r\n\r\n` },
  { name: 'chunked twice', source: 'RFC 9112 7', bytes: `${post('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked')}0\r\n\r\n` },
  { name: 'chunked, identity', source: 'RFC 9112 6.1', bytes: `${post('Transfer-Encoding: chunked, identity')}0\r\n\r\n` },
  { name: 'gzip, chunked', source: 'RFC 9112 6.1', bytes: `${post('Transfer-Encoding: gzip, chunked')}0\r\n\r\n` },
  { name: 'identity', source: 'RFC 9112 appendix C.2.1', bytes: post('Transfer-Encoding: identity') },
  { name: 'a vertical tab before chunked', source: 'CVE-2019-18277', bytes: `${post('Transfer-Encoding: \x0bchunked')}0\r\n\r\n` },
  { name: 'a quoted chunked', source: 'http-garden', bytes: `${post('Transfer-Encoding: "chunked"')}0\r\n\r\n` },
  {
    name: 'Transfer-Encoding in HTTP/1.0',
    source: 'RFC 9112 6.1',
    bytes: `${head('POST / HTTP/1.0', 'Host: a', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
  },
  { name: 'a space before the colon', source: 'RFC 9112 5.1', bytes: `${post('Content-Length : 3')}abc` },
  { name: 'a tab before the colon', source: 'RFC 9112 5.1', bytes: `${post('Transfer-Encoding\t: chunked')}0\r\n\r\n` },
  { name: 'a folded field', source: 'RFC 9112 5.2', bytes: post('X-A: 1', ' folded: 2') },
  { name: 'a fold of the first field', source: 'RFC 9112 5.2', bytes: head('GET / HTTP/1.1', ' Host: a') },
  { name: 'a bare LF behind a field', source: 'RFC 9112 2.2', bytes: 'GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n' },
  { name: 'bare LF everywhere', source: 'RFC 9112 2.2', bytes: 'GET / HTTP/1.1\nHost: a\n\n' },
  { name: 'a bare CR in a value', source: 'RFC 9110 5.5', bytes: 'GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n' },
  { name: 'a NUL in a value', source: 'RFC 9110 5.5', bytes: 'GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n' },
  { name: 'a NUL in a name', source: 'RFC 9110 5.1', bytes: 'GET / HTTP/1.1\r\nHost: a\r\nX\0: b\r\n\r\n' },
  { name: 'a field without colon', source: 'RFC 9112 5', bytes: post('Nonsense') },
  { name: 'an empty field name', source: 'RFC 9112 5', bytes: post(': value') },
  { name: 'no Host', source: 'RFC 9112 3.2', bytes: head('GET / HTTP/1.1', 'X: y') },
  { name: 'two Hosts', source: 'RFC 9112 3.2', bytes: head('GET / HTTP/1.1', 'Host: a', 'Host: a') },
  { name: 'a Host with a path', source: 'RFC 9112 3.2', bytes: head('GET / HTTP/1.1', 'Host: a/b') },
  { name: 'a Host with user information', source: 'RFC 9110 4.2.4', bytes: head('GET / HTTP/1.1', 'Host: admin@a') },
  { name: 'an absolute target of another authority', source: 'RFC 9112 3.2.2', bytes: head('GET http://b/ HTTP/1.1', 'Host: a') },
  { name: 'CONNECT', source: 'RFC 9110 9.3.6', bytes: head('CONNECT a:443 HTTP/1.1', 'Host: a'), status: 501 },
  { name: 'TRACE', source: 'RFC 9110 9.3.8', bytes: head('TRACE / HTTP/1.1', 'Host: a'), status: 501 },
  { name: 'two spaces in the request line', source: 'RFC 9112 3', bytes: head('GET  / HTTP/1.1', 'Host: a') },
  { name: 'a tab in the request line', source: 'RFC 9112 3', bytes: head('GET\t/ HTTP/1.1', 'Host: a') },
  { name: 'a space in the target', source: 'RFC 9112 3.2', bytes: head('GET /a b HTTP/1.1', 'Host: a') },
  { name: 'a fragment in the target', source: 'RFC 9112 3.2', bytes: head('GET /a#b HTTP/1.1', 'Host: a') },
  { name: 'a backslash in the target', source: 'RFC 3986 3.3', bytes: head('GET /a\\b HTTP/1.1', 'Host: a') },
  { name: 'an encoded NUL in the target', source: 'RFC 3986 7.3', bytes: head('GET /a%00b HTTP/1.1', 'Host: a') },
  { name: 'a broken escape in the target', source: 'RFC 3986 2.1', bytes: head('GET /a%zz HTTP/1.1', 'Host: a') },
  { name: 'bytes above ASCII in the target', source: 'RFC 3986 2', bytes: head('GET /\xc3\xa9 HTTP/1.1', 'Host: a') },
  { name: 'no target', source: 'RFC 9112 3', bytes: head('GET HTTP/1.1', 'Host: a') },
  { name: 'HTTP/0.9', source: 'RFC 9112 2.3', bytes: 'GET /\r\n\r\n' },
  { name: 'HTTP/2.0 in words', source: 'RFC 9112 2.3', bytes: head('GET / HTTP/2.0', 'Host: a'), status: 505 },
  { name: 'HTTP/1.10', source: 'RFC 9112 2.3', bytes: head('GET / HTTP/1.10', 'Host: a') },
  { name: 'http in lower case', source: 'RFC 9112 2.3', bytes: head('GET / http/1.1', 'Host: a') },
  { name: 'a method that is no token', source: 'RFC 9110 9.1', bytes: head('GE(T / HTTP/1.1', 'Host: a') },
  { name: 'TLS on a plain port', source: 'RFC 8446 5.1', bytes: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' },
  {
    name: 'an expectation nobody knows',
    source: 'RFC 9110 10.1.1',
    bytes: `${post('Content-Length: 3', 'Expect: 200-ok')}abc`,
    status: 417,
  },
];

/** The head is sound; the body is not. The request was understood, but never as complete. */
const bodyAttacks: readonly Attack[] = [
  { name: 'a chunk size with 0x', source: 'http-garden', bytes: '0x3\r\nabc\r\n0\r\n\r\n' },
  { name: 'a chunk size with an underscore', source: 'http-garden', bytes: '1_0\r\n' },
  { name: 'a signed chunk size', source: 'http-garden', bytes: '+3\r\nabc\r\n0\r\n\r\n' },
  { name: 'a negative chunk size', source: 'http-garden', bytes: '-1\r\n' },
  { name: 'a chunk size beyond every integer', source: 'CVE-2013-2028', bytes: 'ffffffffffffffff\r\n' },
  { name: 'no chunk size', source: 'RFC 9112 7.1', bytes: '\r\nabc' },
  { name: 'a space before the chunk size', source: 'http-garden', bytes: ' 3\r\nabc\r\n0\r\n\r\n' },
  { name: 'a space behind the chunk size', source: 'http-garden', bytes: '3 \r\nabc\r\n0\r\n\r\n' },
  { name: 'a bare LF behind the chunk size', source: 'CVE-2024-47220 family', bytes: '3\nabc\r\n0\r\n\r\n' },
  { name: 'a bare CR in a chunk extension', source: 'CVE-2023-30589 family', bytes: '3;a=\rb\r\nabc\r\n0\r\n\r\n' },
  { name: 'a bare LF in a chunk extension', source: 'CVE-2022-32213 family', bytes: '3;a=\nb\r\nabc\r\n0\r\n\r\n' },
  { name: 'an endless chunk extension', source: 'CVE-2023-39326', bytes: `3;${'a'.repeat(5000)}\r\nabc\r\n0\r\n\r\n` },
  { name: 'data longer than its chunk', source: 'RFC 9112 7.1', bytes: '3\r\nabcd\r\n0\r\n\r\n' },
  { name: 'a bare LF behind the data', source: 'RFC 9112 7.1', bytes: '3\r\nabc\n0\r\n\r\n' },
  { name: 'a bare LF in the trailers', source: 'RFC 9112 7.1.2', bytes: '0\r\nX: y\n\r\n\r\n' },
  { name: 'Content-Length as a trailer', source: 'RFC 9110 6.5.1', bytes: '0\r\nContent-Length: 5\r\n\r\n' },
  { name: 'Transfer-Encoding as a trailer', source: 'RFC 9110 6.5.1', bytes: '0\r\nTransfer-Encoding: chunked\r\n\r\n' },
  { name: 'Host as a trailer', source: 'RFC 9110 6.5.1', bytes: '0\r\nHost: b\r\n\r\n' },
  { name: 'endless trailers', source: 'RFC 9112 7.1.2', bytes: `0\r\n${'X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n'.repeat(400)}\r\n` },
];

/** Sent whole and byte by byte: what is refused must not depend on how it was cut. */
const cuts: readonly { readonly name: string; readonly cut: (bytes: string) => readonly string[] }[] = [
  { name: 'at once', cut: (bytes) => [bytes] },
  { name: 'in two pieces', cut: (bytes) => [bytes.slice(0, Math.ceil(bytes.length / 2)), bytes.slice(Math.ceil(bytes.length / 2))] },
];

describe('a request whose framing is doubtful', () => {
  for (const attack of attacks) {
    for (const { name, cut } of cuts) {
      it(`is refused: ${attack.name} (${attack.source}), sent ${name}`, async (t) => {
        const engine = await startEngine(t);
        const client = await connectRaw(t, engine.port);
        for (const piece of cut(attack.bytes)) client.send(piece);
        const received = await client.untilClosed();
        assert.match(received, new RegExp(`^HTTP/1\\.1 ${attack.status ?? 400} `));
        assert.match(received, /\r\nconnection: close\r\n/);
        assert.equal(engine.understood.length, 0);
        assert.equal(engine.refused.length, 1);
      });
    }
  }
});

describe('a chunked body whose coding is doubtful', () => {
  for (const attack of bodyAttacks) {
    it(`is refused: ${attack.name} (${attack.source})`, async (t) => {
      const engine = await startEngine(t);
      const client = await connectRaw(t, engine.port);
      client.send(`${post('Transfer-Encoding: chunked')}${attack.bytes}${SMUGGLED}`);
      const received = await client.untilClosed();
      assert.match(received, /^HTTP\/1\.1 400 /);
      assert.deepEqual(
        engine.understood.map(({ path, complete, failed }) => ({ path, complete, failed })),
        [{ path: '/', complete: false, failed: 'bad_framing' }],
      );
    });
  }
});
