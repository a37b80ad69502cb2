// Sound requests that other parsers have taken for one more or one less. Exactly these arrive at the origin, framed anew.
import { get, head, post, SMUGGLED } from './form.ts';

const GARDEN = 'narfindustries/http-garden, trophies';

export interface SoundSequence {
  readonly name: string;
  /** RFC section, CVE, or public report. */
  readonly source: string;
  readonly bytes: string;
  /** What the origin gets: `METHOD target body`. */
  readonly arrives: readonly string[];
  /** Field names that the origin must not see. */
  readonly without?: readonly string[];
}

const chunked = (body: string): string => `${post('Transfer-Encoding: chunked')}${body}`;
const hidden = `POST / ${SMUGGLED}`;

export const SOUND_SEQUENCES: readonly SoundSequence[] = [
  // A body that looks like a request stays a body.
  {
    name: 'a request in a body (CL.0)',
    source: 'portswigger.net: Browser-powered desync attacks, 2022',
    bytes: `${post(`Content-Length: ${SMUGGLED.length}`)}${SMUGGLED}`,
    arrives: [hidden],
  },
  {
    name: 'a request in the body of a GET',
    source: `${GARDEN}: relayd 6`,
    bytes: `${get(`Content-Length: ${SMUGGLED.length}`)}${SMUGGLED}`,
    arrives: [`GET / ${SMUGGLED}`],
  },
  {
    name: 'a request in the body of a HEAD',
    source: 'RFC 9110 9.3.2',
    bytes: `${head('HEAD / HTTP/1.1', 'Host: a', `Content-Length: ${SMUGGLED.length}`)}${SMUGGLED}`,
    arrives: [`HEAD / ${SMUGGLED}`],
  },
  {
    name: 'a chunked DELETE',
    source: 'CVE-2026-29057: http-proxy issue 1721',
    bytes: `${head('DELETE / HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked')}${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`,
    arrives: [`DELETE / ${SMUGGLED}`],
  },
  {
    name: 'a chunked OPTIONS',
    source: 'CVE-2026-29057: http-proxy issue 1721',
    bytes: `${head('OPTIONS / HTTP/1.1', 'Host: a', 'Transfer-Encoding: chunked')}3\r\nabc\r\n0\r\n\r\n`,
    arrives: ['OPTIONS / abc'],
  },
  {
    name: 'a request in a chunk',
    source: 'litespeedtech/openlitespeed issue 392',
    bytes: chunked(`${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`),
    arrives: [hidden],
  },
  {
    name: 'a last chunk in a sized body',
    source: 'RFC 9112 6.3',
    bytes: `${post('Content-Length: 5')}0\r\n\r\n`,
    arrives: ['POST / 0\r\n\r\n'],
  },
  {
    name: 'a length with a leading zero, which is decimal',
    source: `${GARDEN}: OpenLiteSpeed 3`,
    bytes: `${post('Content-Length: 010')}0123456789`,
    arrives: ['POST / 0123456789'],
  },
  { name: 'a length of 0', source: 'RFC 9110 8.6', bytes: `${post('Content-Length: 0')}${get()}`, arrives: ['POST / ', 'GET / '] },
  // Chunks.
  {
    name: 'CHUNKED in capitals',
    source: 'RFC 9112 7',
    bytes: `${post('Transfer-Encoding: CHUNKED')}3\r\nabc\r\n0\r\n\r\n`,
    arrives: ['POST / abc'],
  },
  {
    name: 'spaces around chunked, which go no further',
    source: 'RFC 9110 5.5',
    bytes: `${post('Transfer-Encoding:  chunked ')}3\r\nabc\r\n0\r\n\r\n`,
    arrives: ['POST / abc'],
  },
  {
    name: 'chunk extensions, which go no further',
    source: 'RFC 9112 7.1.1',
    bytes: chunked('3;a=b;c="d;e\\""\r\nabc\r\n0;f\r\n\r\n'),
    arrives: ['POST / abc'],
  },
  {
    name: 'sizes in capitals and with zeros',
    source: 'RFC 9112 7.1',
    bytes: chunked('0A\r\n0123456789\r\n00\r\n\r\n'),
    arrives: ['POST / 0123456789'],
  },
  {
    name: 'a thousand chunks of one byte',
    source: 'RFC 9112 7.1',
    bytes: chunked(`${'1\r\nx\r\n'.repeat(1000)}0\r\n\r\n`),
    arrives: [`POST / ${'x'.repeat(1000)}`],
  },
  {
    name: 'a request as a trailer',
    source: `CVE-2023-40175; ${GARDEN}: Puma 2`,
    bytes: chunked('0\r\nX:POST / HTTP/1.1\r\n\r\n'),
    arrives: ['POST / '],
  },
  { name: 'a byte behind the body', source: `${GARDEN}: OpenBSD httpd 1`, bytes: chunked('0\r\n\r\n\0'), arrives: ['POST / '] },
  // One after the other.
  {
    name: 'three requests at once',
    source: 'RFC 9112 9.3.2',
    bytes: `${get()}${post('Content-Length: 3')}abc${get('X: y')}`,
    arrives: ['GET / ', 'POST / abc', 'GET / '],
  },
  { name: 'an empty line before a request', source: 'RFC 9112 2.2', bytes: `\r\n${get()}`, arrives: ['GET / '] },
  { name: 'nothing behind close', source: 'RFC 9112 9.6', bytes: `${get('Connection: close')}${SMUGGLED}`, arrives: ['GET / '] },
  {
    name: 'nothing behind close of a proxy that is none',
    source: 'RFC 9112 appendix C.2.2',
    bytes: `${get('Proxy-Connection: close')}${SMUGGLED}`,
    arrives: ['GET / '],
  },
  {
    name: 'nothing behind HTTP/1.0',
    source: 'RFC 9112 9.3',
    bytes: `${head('GET / HTTP/1.0', 'Host: a')}${SMUGGLED}`,
    arrives: ['GET / '],
  },
  {
    name: 'HTTP/1.0 with the authority in its target only',
    source: 'RFC 9112 3.2.2',
    bytes: head('GET http://a/x HTTP/1.0'),
    arrives: ['GET /x '],
  },
  { name: 'HTTP/1.0 without Host', source: 'RFC 9112 3.2', bytes: head('GET / HTTP/1.0'), arrives: ['GET / '] },
  // Fields of one hop.
  {
    name: 'Connection that names the length',
    source: 'RFC 9110 7.6.1',
    bytes: `${post('Connection: content-length', 'Content-Length: 3')}abc${get()}`,
    arrives: ['POST / abc', 'GET / '],
  },
  {
    name: 'Connection that names the coding',
    source: 'RFC 9110 7.6.1',
    bytes: `${post('Connection: transfer-encoding', 'Transfer-Encoding: chunked')}3\r\nabc\r\n0\r\n\r\n`,
    arrives: ['POST / abc'],
  },
  { name: 'Connection that names Host', source: 'RFC 9110 7.6.1', bytes: get('Connection: host'), arrives: ['GET / '] },
  {
    name: 'Connection that names a field',
    source: 'RFC 9110 7.6.1',
    bytes: get('Connection: close, X-Secret', 'X-Secret: a'),
    arrives: ['GET / '],
    without: ['x-secret'],
  },
  {
    name: 'fields of one hop',
    source: 'RFC 9110 7.6.1',
    bytes: get('Keep-Alive: timeout=5', 'Proxy-Connection: keep-alive', 'TE: gzip', 'Trailer: X'),
    arrives: ['GET / '],
    without: ['keep-alive', 'proxy-connection', 'te', 'trailer'],
  },
  // Change of protocol.
  {
    name: 'an upgrade to HTTP/2 in plain text',
    source: 'bishopfox.com: h2c smuggling, 2020',
    bytes: get('Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA'),
    arrives: ['GET / '],
    without: ['upgrade', 'http2-settings', 'connection'],
  },
  {
    name: 'an upgrade that Connection does not name',
    source: 'RFC 9110 7.8',
    bytes: get('Upgrade: websocket'),
    arrives: ['GET / '],
    without: ['upgrade'],
  },
  {
    name: 'a WebSocket by POST',
    source: 'RFC 6455 4.1',
    bytes: `${post('Connection: upgrade', 'Upgrade: websocket', 'Content-Length: 3')}abc${get()}`,
    arrives: ['POST / abc', 'GET / '],
    without: ['upgrade'],
  },
  {
    name: 'a WebSocket with a body',
    source: 'RFC 6455 4.1',
    bytes: `${get('Connection: upgrade', 'Upgrade: websocket', 'Content-Length: 3')}abc`,
    arrives: ['GET / abc'],
    without: ['upgrade'],
  },
  {
    name: 'a WebSocket of an unknown version, refused by the origin',
    source: '0ang3el/websocket-smuggle, 2019',
    bytes: `${get('Connection: upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 1337')}${get()}`,
    arrives: ['GET / ', 'GET / '],
  },
  // Expect.
  {
    name: '100-continue with the body at once',
    source: 'RFC 9110 10.1.1',
    bytes: `${post('Expect: 100-continue', 'Content-Length: 3')}abc${get()}`,
    arrives: ['POST / abc', 'GET / '],
  },
  {
    name: '100-continue in capitals',
    source: 'RFC 9110 10.1.1',
    bytes: `${post('Expect: 100-Continue', 'Content-Length: 3')}abc`,
    arrives: ['POST / abc'],
  },
  {
    name: '100-continue without a body (0.CL)',
    source: 'portswigger.net: HTTP/1.1 must die, 2025',
    bytes: `${get('Expect: 100-continue')}${get()}`,
    arrives: ['GET / ', 'GET / '],
    without: ['expect'],
  },
  {
    name: '100-continue of a GET with a body',
    source: 'portswigger.net: HTTP/1.1 must die, 2025',
    bytes: `${get('Expect: 100-continue', `Content-Length: ${SMUGGLED.length}`)}${SMUGGLED}`,
    arrives: [`GET / ${SMUGGLED}`],
  },
  // Targets.
  {
    name: 'an absolute target of the same authority',
    source: 'RFC 9112 3.2.2',
    bytes: head('GET http://A/x?y HTTP/1.1', 'Host: a'),
    arrives: ['GET /x?y '],
  },
  {
    name: 'an absolute target without path',
    source: 'RFC 9112 3.2.2',
    bytes: head('GET http://a?y HTTP/1.1', 'Host: a'),
    arrives: ['GET /?y '],
  },
  {
    name: 'a line end in the escapes of a target',
    source: 'CWE-113',
    bytes: head('GET /%0d%0aSet-Cookie:a=b?c=%0d%0aX:y HTTP/1.1', 'Host: a'),
    arrives: ['GET /%0D%0ASet-Cookie:a=b?c=%0d%0aX:y '],
  },
  { name: 'a target that climbs', source: 'RFC 3986 5.2.4', bytes: head('GET /a/%2e%2e/%2e./x HTTP/1.1', 'Host: a'), arrives: ['GET /x '] },
];
