// Guards the path of every request against steps backwards that are larger than any noise.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getHeapStatistics } from 'node:v8';
import { frames } from '../../../bench/micro/frames.ts';
import type { MicroCase } from '../../../bench/micro/harness.ts';
import { hpack } from '../../../bench/micro/hpack.ts';
import { split } from '../../../bench/micro/split.ts';
import { steer } from '../../../bench/micro/steer.ts';

const ITERATIONS = 200_000;
/** The first batches are compiled while they run; of the others the best counts, because what disturbs only ever adds. */
const BATCHES = 6;

function best(one: MicroCase): { readonly bytes: number; readonly ms: number } {
  let [bytes, ms] = [Infinity, Infinity];
  for (let batch = 0; batch < BATCHES; batch += 1) {
    const before = getHeapStatistics().total_allocated_bytes;
    const startMs = performance.now();
    one.run(ITERATIONS);
    ms = Math.min(ms, performance.now() - startMs);
    bytes = Math.min(bytes, (getHeapStatistics().total_allocated_bytes - before) / ITERATIONS);
  }
  return { bytes, ms };
}

const caseOf = (cases: readonly MicroCase[], name: string): MicroCase => cases.find((one) => one.name === name) ?? assert.fail(name);

test('choosing version and cluster of a request allocates nothing', () => {
  // A boxed number takes 12 bytes, any object more.
  for (const one of steer.cases()) assert.ok(best(one).bytes < 6, one.name);
});

test('choosing among 24 targets takes a few times what a random number against their sums takes', () => {
  const chosen = best(caseOf(steer.cases(), '2 versions in 12 clusters')).ms;
  const random = best(caseOf(split.cases(), 'random, 24 targets')).ms;
  // About 4; a search, a sort or a new list for each choice is far beyond 20.
  assert.ok(chosen < 20 * random, `${(chosen / random).toFixed(1)} times`);
});

test('reading DATA costs by the frame, not by its bytes', () => {
  const small = best(caseOf(frames.cases(), 'DATA of 100 bytes')).ms;
  const large = best(caseOf(frames.cases(), 'DATA of 16 KiB')).ms;
  // About 1.5; a copy of the bytes alone takes 10 times what the frame does.
  assert.ok(large < 6 * small, `${(large / small).toFixed(1)} times`);
});

test('a header block of lines that were sent before costs no more to write than one from the tables to read', () => {
  const written = best(caseOf(hpack.cases(), 'encode, remembered lines')).ms;
  const read = best(caseOf(hpack.cases(), 'decode, from the tables')).ms;
  // About a third; encoding the lines anew takes tens of times as long.
  assert.ok(written < 3 * read, `${(written / read).toFixed(1)} times`);
});
