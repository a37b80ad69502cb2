// CPU accounting of the bench: from the kernel's line to microseconds between two readings.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { cpuBetween, parseStat, processTimes, withDescendants } from '../../../bench/cpu.ts';

const STAT = '4711 (a) b (c)) S 12 4711 4711 0 -1 4194560 100 200 0 0 250 30 7 8 20 0 1 0 12345 1000 100';

test('a stat line gives parent and CPU time, whatever the name of the process holds', () => {
  assert.deepEqual(parseStat(STAT), { parent: 12, cpuMicroseconds: (250 + 30) * 10_000 });
});

test('what is no stat line gives nothing', () => {
  for (const text of ['', 'no parentheses', '1 (cut) S 12', '1 (x) S a b c d e f g h i j k l m']) assert.equal(parseStat(text), null, text);
});

test('a process that came between two readings counts from its start, one that went is reported', () => {
  const before = new Map([
    [1, 1000],
    [2, 5000],
  ]);
  const after = new Map([
    [1, 1700],
    [3, 40],
  ]);
  assert.deepEqual(cpuBetween(before, after), { microseconds: 740, lost: 1 });
});

test('a child of a child is found below this process, and is gone from the list when it ended', async () => {
  const child = spawn(process.execPath, [
    '-e',
    "require('node:child_process').spawn('sleep', ['60'],{stdio:'ignore'}).on('spawn', function () { console.log(this.pid) })",
  ]);
  const line = await new Promise<string>((resolve) => child.stdout.once('data', (chunk) => resolve(String(chunk))));
  const grandchild = Number(line);
  assert.ok(child.pid !== undefined);
  const found = withDescendants(process.pid);
  assert.ok(found.includes(child.pid) && found.includes(grandchild), `${child.pid} and ${grandchild} in ${found.join(' ')}`);
  process.kill(grandchild);
  child.kill();
  await once(child, 'exit');
  assert.equal(withDescendants(process.pid).includes(child.pid), false);
});

test('this process has used CPU time, a process that does not exist has no times', () => {
  assert.ok((processTimes(process.pid)?.cpuMicroseconds ?? 0) > 0);
  assert.equal(processTimes(2 ** 22 + 1), null);
});
