// Memory accounting of the bench, from the kernel's lines.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kibibytesOf, peakKiB, proportionalKiB } from '../../../bench/memory.ts';

test('a number is found by the whole name of its line', () => {
  const text = 'Rss:              900 kB\nPss:              123 kB\nPss_Dirty:         77 kB\n';
  assert.equal(kibibytesOf('Pss', text), 123);
  assert.equal(kibibytesOf('Pss_Dirty', text), 77);
  assert.equal(kibibytesOf('VmHWM', text), null);
});

test('this process holds memory and at most its peak; one that does not exist holds none', () => {
  const now = proportionalKiB([process.pid]);
  assert.ok(now > 0 && now <= peakKiB([process.pid]));
  assert.equal(proportionalKiB([2 ** 22 + 1]), 0);
});
