// Memory that large bodies have left is that of later ones, unless somebody still writes from it.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ReadBuffer } from '../../../balancer/socket/read-buffer.ts';

/** Plain, and told that a read has filled its memory. */
function flowing(): { readonly buffer: ReadBuffer; readonly memory: Buffer } {
  const buffer = new ReadBuffer(false);
  buffer.next();
  buffer.filled();
  return { buffer, memory: buffer.next() };
}

it('what was given back is had by the next one, and by nobody else', () => {
  const { buffer, memory } = flowing();
  buffer.giveBack();
  const [next, another] = [flowing(), flowing()];
  assert.ok(next.memory === memory && another.memory !== memory);
  assert.ok(buffer.next() !== memory);
});

it("what is lent is nobody else's", () => {
  const { buffer, memory } = flowing();
  buffer.lend();
  buffer.giveBack();
  assert.ok(flowing().memory !== memory);
});

it('a piece is kept where the next read goes, unless it is lent', () => {
  const { buffer } = flowing();
  const [first, second] = [buffer.keep(Buffer.alloc(60_000, 'a')), buffer.next()];
  assert.equal(first.buffer, second.buffer);
  buffer.lend();
  assert.notEqual(buffer.next().buffer, first.buffer);
});

it('a TLS socket has none of it', () => {
  const { memory } = flowing();
  const secure = new ReadBuffer(true);
  secure.next();
  secure.filled();
  assert.equal(secure.next().length, 16_384);
  assert.notEqual(secure.keep(Buffer.alloc(60_000)).buffer, memory.buffer);
});

it('eight are kept and no more', () => {
  const all = Array.from({ length: 20 }, flowing);
  for (const { buffer } of all) buffer.giveBack();
  const before = new Set(all.map(({ memory }) => memory));
  const again = Array.from({ length: 20 }, flowing).filter(({ memory }) => before.has(memory));
  assert.equal(again.length, 8);
});
