// Heads and trailers of HTTP/2 responses: what RFC 9113 section 8 forbids is no response, whatever its bytes.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UNKNOWN_LENGTH } from '../../balancer/message/exchange.ts';
import type { Fields } from '../../balancer/message/fields.ts';
import { FieldEncoder } from '../../balancer/http2/hpack-encoder.ts';
import { ResponseHeads, type BlockHead } from '../../balancer/http2/response-head.ts';

const read = (fields: Fields): BlockHead | null | number => new ResponseHeads(65_536).read(new FieldEncoder(false).block(fields));
/** Without what is remembered in the list. */
const told = (head: BlockHead | null | number): unknown =>
  typeof head === 'object' && head !== null ? { ...head, fields: [...head.fields] } : head;
const OK = [':status', '200'];

const REFUSED: readonly { readonly what: string; readonly section: string; readonly fields: Fields }[] = [
  ...['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade', 'te'].map((name) => ({
    what: `a field of a connection: ${name}`,
    section: '8.2.2',
    fields: [...OK, name, name === 'te' ? 'trailers' : 'x'],
  })),
  { what: 'a name in upper case', section: '8.2.1', fields: [...OK, 'X-Own', '1'] },
  { what: 'an empty name', section: '8.2.1', fields: [...OK, '', '1'] },
  { what: 'a name with a blank', section: '8.2.1', fields: [...OK, 'x own', '1'] },
  { what: 'a value that ends its line', section: '8.2.1', fields: [...OK, 'x', 'a\r\nset-cookie: b=1'] },
  { what: 'NUL in a value', section: '8.2.1', fields: [...OK, 'x', 'a\0'] },
  { what: 'a blank before a value', section: '8.2.1', fields: [...OK, 'x', ' a'] },
  { what: 'a tab behind a value', section: '8.2.1', fields: [...OK, 'x', 'a\t'] },
  { what: 'two statuses', section: '8.3', fields: [...OK, ...OK] },
  { what: 'a status behind a field', section: '8.3', fields: ['x', '1', ...OK] },
  { what: 'a pseudo-header field of requests', section: '8.3', fields: [...OK, ':path', '/'] },
  { what: 'a status of two digits', section: '8.3.2', fields: [':status', '20'] },
  { what: 'a status beyond 599', section: '8.3.2', fields: [':status', '600'] },
  { what: 'a length that is no number', section: '8.1.1', fields: [...OK, 'content-length', '+1'] },
  { what: 'two lengths', section: '8.1.1', fields: [...OK, 'content-length', '1', 'content-length', '1'] },
];

describe('the head of a response', () => {
  for (const { what, section, fields } of REFUSED)
    it(`is none with ${what} (RFC 9113 section ${section})`, () => assert.equal(read(fields), null));

  it('keeps its fields, and its length apart', () => {
    const fields = ['content-type', 'text/plain', 'x-empty', '', 'set-cookie', 'a=1', 'set-cookie', 'b=2', 'trailer', 'x-sum'];
    assert.deepEqual(told(read([...OK, ...fields, 'content-length', '5'])), { status: 200, fields, contentLength: 5 });
  });

  it('of trailers has no status', () => {
    const fields = ['grpc-status', '0', 'grpc-message', ''];
    assert.deepEqual(told(read(fields)), { status: 0, fields, contentLength: UNKNOWN_LENGTH });
  });
});
