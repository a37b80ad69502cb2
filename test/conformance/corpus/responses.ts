// What an origin answers and what becomes of it: refused with 502, broken off, or passed on whole. No client ever gets a broken response as a complete one.
import { head } from './form.ts';

const GARDEN = 'narfindustries/http-garden, trophies';
const FUNKY = 'w4ke.info: Funky chunks, 2025';
/** An answer to somebody else, which no client may get. */
export const STOLEN = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen';

export interface RawResponse {
  readonly name: string;
  /** RFC section, CVE, or public report. */
  readonly source: string;
  readonly bytes: string;
  /** What the origin does when it has said all; it keeps the connection open by default. */
  readonly then?: 'fin' | 'reset';
}

const ok = (...lines: readonly string[]): string => head('HTTP/1.1 200 OK', ...lines);

/** The client gets 502 and the endpoint's connection is closed. */
export const REFUSED_RESPONSES: readonly RawResponse[] = [
  { name: 'two different lengths', source: 'RFC 9112 6.3', bytes: `${ok('Content-Length: 3', 'Content-Length: 0')}abc` },
  { name: 'two equal lengths', source: 'RFC 9112 6.3', bytes: `${ok('Content-Length: 3', 'Content-Length: 3')}abc` },
  { name: 'a list of lengths', source: 'RFC 9112 6.3', bytes: `${ok('Content-Length: 3, 3')}abc` },
  { name: 'a signed length', source: 'RFC 9110 8.6', bytes: `${ok('Content-Length: +3')}abc` },
  { name: 'a negative length', source: 'RFC 9110 8.6', bytes: `${ok('Content-Length: -1')}abc` },
  { name: 'a hexadecimal length', source: 'RFC 9110 8.6', bytes: `${ok('Content-Length: 0x3')}abc` },
  { name: 'an empty length', source: 'RFC 9110 8.6', bytes: `${ok('Content-Length:')}abc` },
  { name: 'a length with a space inside', source: 'RFC 9110 8.6', bytes: `${ok('Content-Length: 3 3')}abc` },
  { name: 'a length beyond every integer', source: 'RFC 9110 8.6', bytes: `${ok('Content-Length: 99999999999999999999')}abc` },
  {
    name: 'length and coding',
    source: 'RFC 9112 6.3',
    bytes: `${ok('Content-Length: 3', 'Transfer-Encoding: chunked')}3\r\nabc\r\n0\r\n\r\n`,
  },
  {
    name: 'coding and length',
    source: 'RFC 9112 6.3',
    bytes: `${ok('Transfer-Encoding: chunked', 'Content-Length: 3')}3\r\nabc\r\n0\r\n\r\n`,
  },
  { name: 'chunked twice', source: 'RFC 9112 7', bytes: `${ok('Transfer-Encoding: chunked', 'Transfer-Encoding: chunked')}0\r\n\r\n` },
  { name: 'gzip, chunked, which nobody asked for', source: 'RFC 9112 6.1', bytes: `${ok('Transfer-Encoding: gzip, chunked')}0\r\n\r\n` },
  { name: 'chunked, then something else', source: 'RFC 9112 6.3', bytes: ok('Transfer-Encoding: chunked, gzip'), then: 'fin' },
  { name: 'identity', source: 'RFC 9112 appendix C.2.1', bytes: `${ok('Transfer-Encoding: identity')}abc`, then: 'fin' },
  { name: 'a vertical tab before chunked', source: 'CVE-2019-18277', bytes: `${ok('Transfer-Encoding: \x0bchunked')}0\r\n\r\n` },
  { name: 'a coding in HTTP/1.0', source: 'RFC 9112 6.1', bytes: `${head('HTTP/1.0 200 OK', 'Transfer-Encoding: chunked')}0\r\n\r\n` },
  { name: 'a space before the colon', source: 'RFC 9112 5.1', bytes: `${ok('Content-Length : 3')}abc` },
  { name: 'a folded field', source: 'RFC 9112 5.2', bytes: ok('X: y', ' z', 'Content-Length: 0') },
  { name: 'a bare LF behind a field', source: 'RFC 9112 2.2', bytes: 'HTTP/1.1 200 OK\r\nX: y\nContent-Length: 0\r\n\r\n' },
  { name: 'bare LF everywhere', source: 'RFC 9112 2.2', bytes: 'HTTP/1.1 200 OK\nContent-Length: 0\n\n', then: 'fin' },
  {
    name: 'a bare CR in a value',
    source: `RFC 9110 5.5; ${GARDEN}: Google Cloud 1`,
    bytes: ok('Location: /a\rSet-Cookie: a=b', 'Content-Length: 0'),
  },
  { name: 'a NUL in a value', source: 'RFC 9110 5.5', bytes: ok('X: a\0b', 'Content-Length: 0') },
  { name: 'a field without colon', source: 'RFC 9112 5', bytes: ok('Nonsense', 'Content-Length: 0') },
  { name: 'an empty field name', source: 'RFC 9112 5', bytes: ok(': y', 'Content-Length: 0') },
  { name: 'a control character in the reason', source: 'RFC 9112 4', bytes: head('HTTP/1.1 200 O\x08K', 'Content-Length: 0') },
  { name: 'a bare CR in the reason', source: 'RFC 9112 4', bytes: head('HTTP/1.1 200 OK\rSet-Cookie: a=b', 'Content-Length: 0') },
  { name: 'another major version', source: 'RFC 9112 2.3', bytes: head('HTTP/2.0 200 OK', 'Content-Length: 0') },
  { name: 'another minor version', source: 'RFC 9112 2.3', bytes: head('HTTP/1.2 200 OK', 'Content-Length: 0') },
  { name: 'http in lower case', source: 'RFC 9112 2.3', bytes: head('http/1.1 200 OK', 'Content-Length: 0') },
  { name: 'another protocol', source: 'RFC 9112 4', bytes: head('ICY 200 OK', 'Content-Length: 0') },
  { name: 'a greeting of another protocol', source: 'RFC 4253 4.2', bytes: 'SSH-2.0-OpenSSH_9.9\r\n', then: 'fin' },
  { name: 'HTTP/0.9', source: 'RFC 9112 2.3', bytes: '<html>hello</html>', then: 'fin' },
  { name: 'a status of two digits', source: 'RFC 9110 15', bytes: head('HTTP/1.1 20 OK', 'Content-Length: 0') },
  { name: 'a status of four digits', source: 'RFC 9110 15', bytes: head('HTTP/1.1 2000 OK', 'Content-Length: 0') },
  { name: 'a status beyond 599', source: 'RFC 9110 15', bytes: head('HTTP/1.1 600 OK', 'Content-Length: 0') },
  { name: 'a status below 100', source: 'RFC 9110 15', bytes: head('HTTP/1.1 099 OK', 'Content-Length: 0') },
  { name: 'a tab behind the version', source: 'RFC 9112 4', bytes: head('HTTP/1.1\t200 OK', 'Content-Length: 0') },
  { name: 'an empty line before the response', source: 'RFC 9112 4', bytes: `\r\n${ok('Content-Length: 0')}` },
  { name: 'a head of more than 64 KiB', source: 'RFC 9112 9.5', bytes: ok(`X: ${'y'.repeat(70_000)}`, 'Content-Length: 0') },
  {
    name: 'a head of a thousand fields',
    source: 'RFC 9112 9.5',
    bytes: ok(...Array.from({ length: 1000 }, (_, i) => `X-${i}: y`), 'Content-Length: 0'),
  },
  {
    name: 'a change of protocol that nobody asked for',
    source: 'RFC 9110 15.2.2',
    bytes: head('HTTP/1.1 101 Switching Protocols', 'Upgrade: h2c', 'Connection: upgrade'),
  },
  { name: '101 without upgrade', source: 'RFC 9110 15.2.2', bytes: head('HTTP/1.1 101 Switching Protocols') },
  { name: 'interim responses without end', source: 'RFC 9110 15.2', bytes: head('HTTP/1.1 103 Early Hints').repeat(1000) },
  { name: 'an interim response and then nonsense', source: 'RFC 9110 15.2', bytes: `${head('HTTP/1.1 103 Early Hints')}nonsense\r\n\r\n` },
  { name: 'half of a head', source: 'RFC 9112 8', bytes: 'HTTP/1.1 200 OK\r\nContent-', then: 'fin' },
  { name: 'half of a head and a reset', source: 'RFC 9112 8', bytes: 'HTTP/1.1 200 OK\r\nContent-', then: 'reset' },
  { name: 'nothing', source: 'RFC 9112 8', bytes: '', then: 'fin' },
];

/** The head was good and has been passed on; the client must see that what follows is not whole. */
export const BROKEN_OFF_RESPONSES: readonly RawResponse[] = [
  { name: 'less than its length', source: 'RFC 9112 8', bytes: `${ok('Content-Length: 10')}abc`, then: 'fin' },
  { name: 'less than its length, and a reset', source: 'RFC 9112 8', bytes: `${ok('Content-Length: 10')}abc`, then: 'reset' },
  { name: 'a reset where the end is the end', source: 'RFC 9112 8', bytes: `${ok('Connection: close')}abc`, then: 'reset' },
  { name: 'an end in a chunk size', source: 'RFC 9112 8', bytes: `${ok('Transfer-Encoding: chunked')}3\r\nabc\r\n1`, then: 'fin' },
  { name: 'an end in a chunk', source: 'RFC 9112 8', bytes: `${ok('Transfer-Encoding: chunked')}8\r\nabc`, then: 'fin' },
  { name: 'an end before the last chunk', source: 'RFC 9112 8', bytes: `${ok('Transfer-Encoding: chunked')}3\r\nabc\r\n`, then: 'fin' },
  {
    name: 'an end behind the last chunk',
    source: 'RFC 9112 8',
    bytes: `${ok('Transfer-Encoding: chunked')}3\r\nabc\r\n0\r\n`,
    then: 'fin',
  },
  {
    name: 'an end in the trailers',
    source: 'RFC 9112 8',
    bytes: `${ok('Transfer-Encoding: chunked')}3\r\nabc\r\n0\r\nX: y\r\n`,
    then: 'fin',
  },
  ...(
    [
      ['a chunk size beyond 64 bits', 'CVE-2013-2028', '10000000000000003\r\nabc\r\n0\r\n\r\n'],
      ['a chunk size with 0x', `${GARDEN}: Pound 2`, '0x3\r\nabc\r\n0\r\n\r\n'],
      ['a negative chunk size', 'CVE-2002-0392', '-3\r\nabc\r\n0\r\n\r\n'],
      ['a chunk size with an underscore', `${GARDEN}: AIOHTTP 1`, '0_3\r\nabc\r\n0\r\n\r\n'],
      ['a bare LF behind the chunk size', 'CVE-2025-22871', '3\nabc\r\n0\r\n\r\n'],
      ['a bare LF in a chunk extension', `CVE-2025-55315; ${FUNKY}`, '3;\nabc\r\n0\r\n\r\n'],
      ['any two bytes behind the data', `CVE-2025-43859; ${FUNKY}`, '3\r\nabcXX0\r\n\r\n'],
      ['data longer than its chunk', 'RFC 9112 7.1', '3\r\nabcdef\r\n0\r\n\r\n'],
      ['a length as a trailer', 'RFC 9110 6.5.1', '3\r\nabc\r\n0\r\nContent-Length: 3\r\n\r\n'],
      ['a bare LF in the trailers', 'RFC 9112 7.1.2', '3\r\nabc\r\n0\r\nX: y\n\r\n'],
      ['endless trailers', 'RFC 9112 7.1.2', `3\r\nabc\r\n0\r\n${'X: yyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n'.repeat(500)}\r\n`],
    ] as const
  ).map(([name, source, body]) => ({ name, source, bytes: `${ok('Transfer-Encoding: chunked')}${body}` })),
];

export interface SoundResponse extends RawResponse {
  readonly method?: 'GET' | 'HEAD';
  readonly status: number;
  readonly body: string;
  /** The connection carries the next request too. */
  readonly reused: boolean;
}

const sound = { method: 'GET', status: 200, body: 'abc', reused: true } as const;

/** The client gets all of it and nothing else; bytes behind it end the connection and reach nobody. */
export const SOUND_RESPONSES: readonly SoundResponse[] = [
  { ...sound, name: 'a length', source: 'RFC 9112 6.2', bytes: `${ok('Content-Length: 3')}abc` },
  { ...sound, name: 'chunks', source: 'RFC 9112 7.1', bytes: `${ok('Transfer-Encoding: chunked')}1\r\na\r\n2\r\nbc\r\n0\r\n\r\n` },
  {
    ...sound,
    name: 'chunks with extensions',
    source: 'RFC 9112 7.1.1',
    bytes: `${ok('Transfer-Encoding: chunked')}3;a=b;c="d e"\r\nabc\r\n0;x\r\n\r\n`,
  },
  {
    ...sound,
    name: 'chunks and trailers',
    source: 'RFC 9112 7.1.2',
    bytes: `${ok('Transfer-Encoding: chunked')}3\r\nabc\r\n0\r\nX: y\r\n\r\n`,
  },
  { ...sound, name: 'all until the end', source: 'RFC 9112 6.3', bytes: `${ok('Connection: close')}abc`, then: 'fin', reused: false },
  {
    ...sound,
    name: 'HTTP/1.0 with a length',
    source: 'RFC 9112 9.3',
    bytes: `${head('HTTP/1.0 200 OK', 'Content-Length: 3')}abc`,
    reused: false,
  },
  {
    ...sound,
    name: 'HTTP/1.0 kept alive',
    source: 'RFC 9112 appendix C.2.2',
    bytes: `${head('HTTP/1.0 200 OK', 'Connection: keep-alive', 'Content-Length: 3')}abc`,
  },
  { ...sound, name: 'no reason', source: 'RFC 9112 4', bytes: `${head('HTTP/1.1 200 ', 'Content-Length: 3')}abc` },
  { ...sound, name: 'close', source: 'RFC 9112 9.6', bytes: `${ok('Connection: close', 'Content-Length: 3')}abc`, reused: false },
  {
    ...sound,
    name: 'an interim response before it',
    source: 'RFC 9110 15.2',
    bytes: `${head('HTTP/1.1 103 Early Hints', 'Link: </a>')}${ok('Content-Length: 3')}abc`,
  },
  {
    ...sound,
    name: '100 that nobody waits for',
    source: 'RFC 9110 15.2.1',
    bytes: `${head('HTTP/1.1 100 Continue')}${ok('Content-Length: 3')}abc`,
  },
  {
    ...sound,
    name: 'an interim response that claims a length',
    source: 'RFC 9110 8.6',
    bytes: `${head('HTTP/1.1 103 Early Hints', 'Content-Length: 50')}${ok('Content-Length: 3')}abc`,
  },
  { ...sound, name: '204', source: 'RFC 9110 15.3.5', bytes: head('HTTP/1.1 204 No Content'), status: 204, body: '' },
  {
    ...sound,
    name: '304 that tells a length',
    source: 'RFC 9112 6.3',
    bytes: head('HTTP/1.1 304 Not Modified', 'Content-Length: 3'),
    status: 304,
    body: '',
  },
  { ...sound, name: 'HEAD', source: 'RFC 9112 6.3', bytes: ok('Content-Length: 3'), method: 'HEAD', body: '' },
  {
    ...sound,
    name: 'HEAD of something chunked',
    source: 'RFC 9112 6.3',
    bytes: ok('Transfer-Encoding: chunked'),
    method: 'HEAD',
    body: '',
  },
  {
    ...sound,
    name: 'a body behind 204',
    source: 'RFC 9110 15.3.5',
    bytes: `${head('HTTP/1.1 204 No Content', 'Content-Length: 46')}${STOLEN}`,
    status: 204,
    body: '',
    reused: false,
  },
  {
    ...sound,
    name: 'a body behind 304',
    source: 'RFC 9112 6.3',
    bytes: `${head('HTTP/1.1 304 Not Modified', 'Content-Length: 46')}${STOLEN}`,
    status: 304,
    body: '',
    reused: false,
  },
  {
    ...sound,
    name: 'a body behind the answer to HEAD',
    source: 'portswigger.net: HTTP/2, the sequel is always worse, 2021',
    bytes: `${ok('Content-Length: 46')}${STOLEN}`,
    method: 'HEAD',
    body: '',
    reused: false,
  },
  {
    ...sound,
    name: 'a second response behind it',
    source: 'portswigger.net: response queue poisoning, 2021',
    bytes: `${ok('Content-Length: 3')}abc${STOLEN}`,
    reused: false,
  },
  {
    ...sound,
    name: 'a second response behind chunks',
    source: 'portswigger.net: response queue poisoning, 2021',
    bytes: `${ok('Transfer-Encoding: chunked')}3\r\nabc\r\n0\r\n\r\n${STOLEN}`,
    reused: false,
  },
  { ...sound, name: 'one byte too many', source: 'RFC 9112 6.3', bytes: `${ok('Content-Length: 3')}abcd`, reused: false },
];
