// Requests whose length two parsers read differently: content-length and transfer-encoding. Each is refused, and nothing of it is understood.
import { get, head, post, SMUGGLED, type RawRequest } from './form.ts';

const GARDEN = 'narfindustries/http-garden, trophies';
const LAST = '0\r\n\r\n';

const lengths: readonly (readonly [name: string, source: string, ...lines: readonly string[]])[] = [
  ['two equal lengths', 'RFC 9112 6.3', 'Content-Length: 3', 'Content-Length: 3'],
  ['a list of lengths', 'RFC 9110 8.6', 'Content-Length: 3, 3'],
  ['a list of different lengths', 'RFC 9110 8.6', 'Content-Length: 3, 4'],
  ['a signed length', `${GARDEN}: OpenLiteSpeed 7, CPython 1`, 'Content-Length: +3'],
  ['a negative length', `CVE-2023-34188; ${GARDEN}: Mongoose 1`, 'Content-Length: -1'],
  ['minus zero', `${GARDEN}: relayd 4`, 'Content-Length: -0'],
  ['a hexadecimal length', `${GARDEN}: Akamai 1, OpenLiteSpeed 3`, 'Content-Length: 0x3'],
  ['an empty length', `CVE-2023-40175; ${GARDEN}: Puma 1, Apache Traffic Server 2`, 'Content-Length:'],
  ['a length of blanks', `${GARDEN}: lighttpd 1`, 'Content-Length: \t '],
  ['an empty length before a good one', `CVE-2023-40225; ${GARDEN}: HAProxy 1`, 'Content-Length:', 'Content-Length: 3'],
  ['a length with an underscore', `${GARDEN}: AIOHTTP 1, Gunicorn 1`, 'Content-Length: 1_0'],
  ['a length with a unit behind', `${GARDEN}: Mongoose 5, OpenLiteSpeed 2`, 'Content-Length: 3Z'],
  ['a length with a fraction', 'RFC 9110 8.6', 'Content-Length: 3.0'],
  ['a length with an exponent', 'RFC 9110 8.6', 'Content-Length: 3e0'],
  ['a quoted length', 'RFC 9110 8.6', 'Content-Length: "3"'],
  ['a length beyond every integer', 'RFC 9110 8.6', 'Content-Length: 99999999999999999999'],
  ['a length that is 3 modulo 2^64', 'RFC 9110 8.6', 'Content-Length: 18446744073709551619'],
  ['a length with a space inside', 'CVE-2018-7159', 'Content-Length: 1 0'],
  ['a length behind a vertical tab', 'RFC 9110 8.6', 'Content-Length: \x0b3'],
  ['a length with a NUL behind', `${GARDEN}: HAProxy 2`, 'Content-Length: 3\0'],
  ['a length in other digits', 'RFC 9110 8.6', 'Content-Length: \xb3'],
  ['no colon behind content-length', `${GARDEN}: Mongoose 4`, 'Content-Length 3'],
  ['a space before the colon of a length', 'RFC 9112 5.1; CVE-2023-40518; CVE-2021-22959', 'Content-Length : 3'],
  ['a high byte at the end of the name', `${GARDEN}: Gunicorn 3`, 'Content-Length\x85: 3'],
  ['a length behind a fold', 'RFC 9112 5.2', 'X: y', '\tContent-Length: 3'],
];

/** Forms of "Transfer-Encoding: chunked" of which one parser thinks that they are, and the next that they are not. */
const codings: readonly (readonly [name: string, source: string, ...lines: readonly string[]])[] = [
  ['xchunked', 'CVE-2024-1135; portswigger.net: HTTP desync attacks, 2019', 'Transfer-Encoding: xchunked'],
  ['chunked twice', `RFC 9112 7; CVE-2020-8287; ${GARDEN}: Pound 1`, 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'],
  ['chunked, chunked', 'CVE-2026-54387: tinyproxy issue 616', 'Transfer-Encoding: chunked, chunked'],
  ['chunked, then cow', 'CVE-2020-8287', 'Transfer-Encoding: chunked', 'Transfer-Encoding: cow'],
  ['chunked, identity', 'RFC 9112 6.1', 'Transfer-Encoding: chunked, identity'],
  ['identity, chunked', 'RFC 9112 appendix C.2.1', 'Transfer-Encoding: identity, chunked'],
  ['chunked, gzip', 'tinyproxy issue 616', 'Transfer-Encoding: chunked, gzip'],
  ['chunked  ,  gzip', 'tinyproxy issue 616', 'Transfer-Encoding: chunked  ,  gzip'],
  ['gzip, chunked', 'RFC 9112 6.1', 'Transfer-Encoding: gzip, chunked'],
  ['chunked and a comma', 'tinyproxy issue 616', 'Transfer-Encoding: chunked,'],
  ['a comma and chunked', `${GARDEN}: Azure CDN 1, nghttpx 1, relayd 2, Gunicorn 6`, 'Transfer-Encoding: ,chunked'],
  ['identity', 'RFC 9112 appendix C.2.1', 'Transfer-Encoding: identity'],
  ['an empty coding', 'RFC 9112 6.1', 'Transfer-Encoding:'],
  ['chunked with a parameter', 'RFC 9112 7', 'Transfer-Encoding: chunked;q=1'],
  ['a tab behind chunked', 'sozu-proxy/sozu issue 726', 'Transfer-Encoding: chunked\t'],
  ['a tab before chunked', 'RFC 9112 6.1', 'Transfer-Encoding:\tchunked'],
  ['a vertical tab before chunked', 'CVE-2019-18277', 'Transfer-Encoding: \x0bchunked'],
  ['a form feed behind chunked', 'RFC 9112 6.1', 'Transfer-Encoding: chunked\x0c'],
  ['a NUL behind chunked', `${GARDEN}: OpenLiteSpeed 9`, 'Transfer-Encoding: chunked\0'],
  ['a CR behind chunked', `${GARDEN}: Google Cloud 1`, 'Transfer-Encoding: chunked\rX: y'],
  ['a quoted chunked', 'portswigger.net: HTTP desync attacks, 2019', 'Transfer-Encoding: "chunked"'],
  ['a Kelvin sign in chunked', 'RFC 9112 7', 'Transfer-Encoding: chun\xe2\x84\xaaed'],
  ['a tab before the colon', 'RFC 9112 5.1; CVE-2019-16869', 'Transfer-Encoding\t: chunked'],
  ['a space before the name', 'RFC 9112 5.2', ' Transfer-Encoding: chunked'],
  ['a coding folded in', 'RFC 9112 5.2; CVE-2022-32215', 'Transfer-Encoding:', ' chunked'],
  ['a coding behind a fold', 'portswigger.net: HTTP desync attacks, 2019', 'X: y', ' Transfer-Encoding: chunked'],
  ['a name in two lines', `${GARDEN}: Passenger 2`, 'Transfer-', 'Encoding: chunked'],
  ['a coding behind a bare LF', 'portswigger.net: HTTP desync attacks, 2019', 'X: y\nTransfer-Encoding: chunked'],
  ['a coding behind a bare CR', `${GARDEN}: Mongoose 3, CPython 2`, 'X: y\rTransfer-Encoding: chunked'],
  ['a NUL in the name', `${GARDEN}: OpenLiteSpeed 5`, 'Transfer\0Encoding: chunked'],
  ['a space in the name', `${GARDEN}: Apache Traffic Server 3`, 'Transfer Encoding: chunked'],
];

/** The oldest trick there is, in both orders and with values only one side believes. */
const both: readonly (readonly [name: string, source: string, ...lines: readonly string[]])[] = [
  ['CL.TE', 'RFC 9112 6.1; CVE-2005-2088; CVE-2024-47220', 'Content-Length: 4', 'Transfer-Encoding: chunked'],
  ['TE.CL', 'RFC 9112 6.1', 'Transfer-Encoding: chunked', 'Content-Length: 4'],
  ['CL.TE with a length of 0', 'litespeedtech/openlitespeed issue 392', 'Content-Length: 0', 'Transfer-Encoding: chunked'],
  ['CL.TE with a length of nonsense', `${GARDEN}: Go 4, Squid 1, H2O 5`, 'Content-Length: blah', 'Transfer-Encoding: chunked'],
  ['CL.TE with a tab behind chunked', 'sozu-proxy/sozu issue 726', 'Transfer-Encoding: chunked\t', 'Content-Length: 60'],
  ['CL.TE with a space behind chunked', 'CVE-2026-54387: tinyproxy issue 616', 'Transfer-Encoding: chunked ', 'Content-Length: 4'],
  ['CL.TE with a comma before chunked', `${GARDEN}: OpenLiteSpeed 13`, 'Transfer-Encoding: ,chunked', 'Content-Length: 5'],
  ['a coding between two lengths', 'tinyproxy issue 609', 'Content-Length: 4', 'Transfer-Encoding: chunked', 'Content-Length: 4'],
];

const named = (
  cases: readonly (readonly [name: string, source: string, ...lines: readonly string[]])[],
  body: string,
): readonly RawRequest[] => cases.map(([name, source, ...lines]) => ({ name, source, bytes: `${post(...lines)}${body}${SMUGGLED}` }));

export const REQUEST_LENGTHS: readonly RawRequest[] = [
  ...named(lengths, 'abc'),
  ...named(codings, LAST),
  ...named(both, LAST),
  {
    name: 'two different lengths',
    source: `RFC 9112 6.3; ${GARDEN}: relayd 7, H2O 4`,
    bytes: `${post('Content-Length: 0', 'Content-Length: 36')}${SMUGGLED}`,
  },
  {
    name: 'Transfer-Encoding in HTTP/1.0',
    source: 'RFC 9112 6.1',
    bytes: `${head('POST / HTTP/1.0', 'Host: a', 'Transfer-Encoding: chunked')}${LAST}`,
  },
  {
    name: 'Transfer-Encoding in HTTP/1.0 kept alive',
    source: 'RFC 9112 6.1',
    bytes: `${head('POST / HTTP/1.0', 'Host: a', 'Connection: keep-alive', 'Transfer-Encoding: chunked')}${LAST}`,
  },
  {
    name: 'a GET with length and coding',
    source: `${GARDEN}: Gunicorn 6`,
    bytes: `${get('Transfer-Encoding: chunked', 'Content-Length: 5')}${LAST}${SMUGGLED}`,
  },
];
