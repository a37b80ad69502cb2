// The table of open streams against a plain map, over random lives of streams.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StreamTable } from '../../../balancer/http2/stream-table.ts';
import { seededRandom } from '../../support/seeded-random.ts';

interface Stream {
  readonly id: number;
}

/** Opens and closes streams in random order, of which `lasting` of a thousand stay for long. */
function live(seed: number, steps: number, lasting: number): { readonly table: StreamTable<Stream>; readonly map: Map<number, Stream> } {
  const random = seededRandom(seed);
  const table = new StreamTable<Stream>();
  const map = new Map<number, Stream>();
  const short: Stream[] = [];
  for (let step = 0, id = 1; step < steps; step += 1) {
    if (random() < 0.5 + 0.3 * Math.sin(step / 500)) {
      const stream = { id };
      id += 2;
      table.add(stream);
      map.set(stream.id, stream);
      if (random() * 1000 >= lasting) short.push(stream);
    } else {
      const [gone = { id: 1_000_001 }] = short.splice(Math.floor(random() * short.length), 1);
      assert.equal(table.delete(gone.id), map.delete(gone.id));
    }
    assert.equal(table.size, map.size);
  }
  return { table, map };
}

test('who was opened and not closed is found, and nobody else', () => {
  for (const lasting of [0, 5, 100]) {
    const { table, map } = live(lasting + 1, 20_000, lasting);
    for (let id = 0; id < 30_000; id += 1) {
      assert.equal(table.get(id), map.get(id), `${id}`);
      assert.equal(table.has(id), map.has(id));
    }
    assert.deepEqual(table.all(), [...map.values()], 'the oldest first');
  }
});

test('who is closed while others are gone through has no turn any more', () => {
  const { table } = live(3, 2000, 100);
  const [first, second, third] = table.all();
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  const seen: Stream[] = [];
  for (const stream of table.open()) {
    seen.push(stream);
    if (stream === first) table.delete(second.id);
  }
  assert.deepEqual(seen.slice(0, 2), [first, third]);
  assert.equal(seen.length, table.size);
});

test('an empty table is as one that was never used', () => {
  const { table } = live(4, 20_000, 100);
  table.clear();
  assert.equal(table.size, 0);
  assert.deepEqual(table.all(), []);
  assert.equal(table.delete(1), false);
  table.add({ id: 1 });
  assert.equal(table.size, 1);
});
