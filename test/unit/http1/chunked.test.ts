// The chunked coding: the same body however it was cut into chunks and reads, in few pieces, and without a copy of what is large.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ChunkedDecoder } from '../../../balancer/http1/chunked.ts';

interface Decoded {
  readonly pieces: readonly Buffer[];
  readonly body: string;
  readonly trailers: readonly string[] | null;
  /** What was behind the body in the read that ended it. */
  readonly rest: string;
  readonly malformed: boolean;
}

function decode(reads: readonly Buffer[]): Decoded {
  const decoder = new ChunkedDecoder();
  const pieces: Buffer[] = [];
  let body = '';
  let trailers: readonly string[] | null = null;
  const sink = {
    onBody: (chunk: Buffer) => {
      pieces.push(chunk);
      body += chunk.toString('latin1');
    },
    onBodyEnd: (found: readonly string[]) => (trailers = found),
  };
  for (const read of reads) {
    const used = decoder.feed(read, 0, sink);
    if (used < 0) return { pieces, body, trailers, rest: '', malformed: true };
    if (decoder.done) return { pieces, body, trailers, rest: read.toString('latin1', used), malformed: false };
  }
  return { pieces, body, trailers, rest: '', malformed: false };
}

test('thousands of tiny chunks are handed on as one piece of a read', () => {
  const { pieces, body } = decode([Buffer.from(`${'1\r\nx\r\n'.repeat(5000)}0\r\n\r\n`)]);
  assert.equal(body, 'x'.repeat(5000));
  assert.equal(pieces.length, 1);
});

test('a large chunk is handed on where it lies', () => {
  const read = Buffer.from(`2\r\nab\r\n1000\r\n${'x'.repeat(4096)}\r\n0\r\n\r\n`);
  const { pieces } = decode([read]);
  assert.deepEqual(
    pieces.map(({ length }) => length),
    [2, 4096],
  );
  assert.equal(pieces[1]?.buffer, read.buffer);
});

test('the body is the same however it is cut into chunks and reads', () => {
  const chunk = fc
    .oneof(fc.string({ minLength: 1, maxLength: 5 }), fc.string({ minLength: 1000, maxLength: 1100 }))
    .map((text) => Buffer.from(text));
  const property = fc.property(fc.array(chunk, { maxLength: 12 }), fc.array(fc.nat({ max: 400 }), { maxLength: 8 }), (chunks, cuts) => {
    const coded = Buffer.concat([
      ...chunks.flatMap((data) => [Buffer.from(`${data.length.toString(16)};a="b"\r\n`), data, Buffer.from('\r\n')]),
      Buffer.from('0\r\nx: y\r\n\r\nGET'),
    ]);
    const reads: Buffer[] = [];
    let at = 0;
    for (const cut of cuts) {
      reads.push(Buffer.from(coded.subarray(at, at + cut)));
      at += cut;
    }
    reads.push(Buffer.from(coded.subarray(at)));
    const decoded = decode(reads.filter(({ length }) => length > 0));
    assert.equal(decoded.body, Buffer.concat(chunks).toString('latin1'));
    assert.deepEqual(decoded.trailers, ['x', 'y']);
    assert.ok('GET'.endsWith(decoded.rest));
  });
  fc.assert(property, { seed: 3, numRuns: 500 });
});

test('trailers that speak of the client are dropped in every spelling', () => {
  const trailers = 'X-Forwarded-For: 6.6.6.6\r\nX_Forwarded_For: 6.6.6.6\r\nX-Ok: y\r\n';
  assert.deepEqual(decode([Buffer.from(`0\r\n${trailers}\r\n`)]).trailers, ['x-ok', 'y']);
});
