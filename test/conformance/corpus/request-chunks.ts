// Chunked bodies whose coding is doubtful, behind a sound head: the request is understood, and never as complete.
import { SMUGGLED, type RawRequest } from './form.ts';

const GARDEN = 'narfindustries/http-garden, trophies';
const FUNKY = 'w4ke.info: Funky chunks, 2025';
const REST = 'abc\r\n0\r\n\r\n';

/** Sizes of a chunk of three bytes, as somebody reads them. */
const sizes: readonly (readonly [name: string, source: string, size: string])[] = [
  ['a chunk size with 0x', `${GARDEN}: OpenLiteSpeed 8, Pound 2, libevent 2`, '0x3'],
  ['a chunk size with an underscore', `${GARDEN}: AIOHTTP 1, H2O 3`, '0_3'],
  ['a signed chunk size', `${GARDEN}: Gunicorn 4`, '+3'],
  ['a negative chunk size', 'CVE-2002-0392', '-3'],
  ['minus nothing', `${GARDEN}: relayd 3`, '-0x0'],
  ['a chunk size beyond 64 bits', 'CVE-2013-2028', 'ffffffffffffffff'],
  ['a chunk size that is 3 modulo 2^64', 'CVE-2015-3183', '10000000000000003'],
  ['a chunk size with many zeros', 'RFC 9112 7.1', '0'.repeat(300) + '3'],
  ['no hexadecimal digit', `${GARDEN}: Akamai 2`, 'Z'],
  ['a chunk size with garbage behind', `${GARDEN}: Apache Traffic Server 5`, '3these-bytes-never-get-validated'],
  ['no chunk size', `RFC 9112 7.1; ${GARDEN}: Go 2, Hyper 1`, ''],
  ['a space before the chunk size', `${GARDEN}: relayd 9`, ' 3'],
  ['a tab before the chunk size', `${GARDEN}: Pound 3`, '\t3'],
  ['a space behind the chunk size', 'RFC 9112 7.1', '3 '],
  ['a NUL behind the chunk size', 'RFC 9112 7.1', '3\0'],
  ['a comma in the chunk size', 'RFC 9112 7.1', '3,3'],
  ['a quoted chunk size', 'RFC 9112 7.1', '"3"'],
];

const extensions: readonly (readonly [name: string, source: string, extension: string])[] = [
  ['an endless chunk extension', 'CVE-2023-39326', `;${'a'.repeat(5000)}`],
  ['an empty chunk extension', 'RFC 9112 7.1.1', ';'],
  ['two semicolons', 'RFC 9112 7.1.1', ';;a'],
  ['an extension without value behind =', 'RFC 9112 7.1.1', ';a='],
  ['an extension without name', 'RFC 9112 7.1.1', ';=b'],
  ['white space in an extension', 'RFC 9112 7.1.1', '; a = b'],
  ['a bare CR in an extension', `CVE-2023-30589; ${GARDEN}: Node.js 2`, ';a=\rb'],
  ['a bare CR before an extension', `${GARDEN}: Akamai 3, Google Cloud 2, Apache Traffic Server 4`, '\r;a'],
  ['a bare LF in an extension (EXT.TERM)', `CVE-2025-55315; CVE-2021-22960; ${FUNKY}`, ';a\nxx'],
  ['a bare LF at the end of an extension (TERM.EXT)', `CVE-2025-55315; ${FUNKY}`, ';\n'],
  ['a CRLF in a quoted extension', 'RFC 9110 5.6.4', ';a="\r\n"'],
  ['a quoted extension that is not closed', 'RFC 9110 5.6.4', ';a="b'],
  ['a NUL in an extension', 'RFC 9112 7.1.1', ';a\0'],
  ['a DEL in a quoted extension', 'RFC 9110 5.6.4', ';a="\x7f"'],
  ['a high byte in an extension', 'RFC 9112 7.1.1', ';\xff=b'],
];

export const REQUEST_CHUNKS: readonly RawRequest[] = [
  ...sizes.map(([name, source, size]) => ({ name, source, bytes: `${size}\r\n${REST}` })),
  ...extensions.map(([name, source, extension]) => ({ name, source, bytes: `3${extension}\r\n${REST}` })),
  { name: 'a bare LF behind the chunk size', source: 'CVE-2025-22871', bytes: `3\n${REST}` },
  { name: 'a bare CR behind the chunk size', source: `CVE-2023-30589; ${GARDEN}: Node.js 2`, bytes: `3\rX${REST}` },
  { name: 'data longer than its chunk', source: 'RFC 9112 7.1', bytes: '3\r\nabcd\r\n0\r\n\r\n' },
  { name: 'data shorter than its chunk', source: 'RFC 9112 7.1', bytes: '3\r\nab\r\n0\r\n\r\n' },
  { name: 'a bare LF behind the data (TERM.SPILL)', source: FUNKY, bytes: '3\r\nabc\n0\r\n\r\n' },
  { name: 'any two bytes behind the data (SPILL.TERM)', source: `CVE-2025-43859; ${FUNKY}`, bytes: '3\r\nabcXX0\r\n\r\n' },
  { name: 'one byte too many behind the data', source: FUNKY, bytes: '3\r\nabc\n50\r\n\r\n' },
  { name: 'no line end behind the data', source: FUNKY, bytes: '3\r\nabc0\r\n\r\n' },
  { name: 'an empty line between chunks', source: `${GARDEN}: OpenLiteSpeed 15`, bytes: '3\r\nabc\r\n\r\n0\r\n\r\n' },
  { name: 'the end by an empty line', source: `${GARDEN}: Mongoose 6`, bytes: '3\r\nabc\r\n\r\n\r\n' },
  { name: 'a bare LF behind the last chunk', source: 'narfindustries/http-garden', bytes: '0\n\r\n' },
  { name: 'a bare LF as the end (TRAIL.TERM)', source: `${FUNKY}, addendum`, bytes: '3\r\nabc\r\n0\r\n\n' },
  { name: 'a bare CR as the end', source: FUNKY, bytes: '0\r\n\rX' },
  { name: 'any two bytes as the end', source: `CVE-2023-40175; ${GARDEN}: Puma 2`, bytes: '0\r\nXX' },
  { name: 'a bare LF in the trailers', source: `RFC 9112 7.1.2; ${FUNKY}, addendum`, bytes: '0\r\nX: y\n\r\n\r\n' },
  { name: 'a folded trailer', source: 'RFC 9112 5.2', bytes: '0\r\nX: y\r\n z\r\n\r\n' },
  { name: 'a space before the colon of a trailer', source: 'RFC 9112 5.1', bytes: '0\r\nX : y\r\n\r\n' },
  { name: 'a NUL in a trailer', source: 'RFC 9110 5.5', bytes: '0\r\nX: \0\r\n\r\n' },
  { name: 'a trailer without colon', source: 'RFC 9112 5', bytes: '0\r\nX\r\n\r\n' },
  { name: 'Content-Length as a trailer', source: 'RFC 9110 6.5.1', bytes: '0\r\nContent-Length: 5\r\n\r\n' },
  { name: 'Transfer-Encoding as a trailer', source: 'RFC 9110 6.5.1', bytes: '0\r\nTransfer-Encoding: chunked\r\n\r\n' },
  { name: 'Host as a trailer', source: 'RFC 9110 6.5.1', bytes: '0\r\nHost: b\r\n\r\n' },
  { name: 'endless trailers', source: 'RFC 9112 7.1.2', bytes: `0\r\n${'X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n'.repeat(400)}\r\n` },
  { name: 'many trailers', source: 'RFC 9112 7.1.2', bytes: `0\r\n${'X: y\r\n'.repeat(100)}\r\n` },
].map((body) => ({ ...body, bytes: `${body.bytes}${SMUGGLED}` }));
