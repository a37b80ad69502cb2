// Marks of ended sessions: what is remembered of them, for how long, and how many; and that they stand on disk.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { SessionEnds } from '../../balancer/controller/session-ends.ts';
import type { EndedMark, SessionEndKeptMessage } from '../../balancer/ipc-session-ends.ts';
import { EndMarks } from '../../balancer/session-marks.ts';
import { openSqliteStore } from '../../balancer/store/sqlite.ts';
import { ManualClock } from '../support/manual-clock.ts';

const mark = (key: string, atMs: number, untilMs = 1000): EndedMark => ({ key, atMs, untilMs });

test('the later of two ends of the same counts, and what says nothing new is not told on', () => {
  const marks = new EndMarks();
  assert.equal(marks.atMs('a'), -Infinity);
  assert.equal(marks.add([mark('a', 10), mark('a', 10), mark('a', 5)], 0).fresh.length, 1);
  assert.equal(marks.add([mark('a', 20, 500)], 0).fresh.length, 1);
  assert.deepEqual(marks.all(), [mark('a', 20, 1000)]);
});

test('what could end nothing any more is not taken, and is forgotten', () => {
  const marks = new EndMarks();
  marks.add([mark('a', 1), mark('b', 2, 3000)], 0);
  assert.equal(marks.add([mark('c', 3, 999)], 1000).fresh.length, 0);
  marks.add([mark('d', 4, 3000)], 1000);
  assert.deepEqual(
    marks.all().map(({ key }) => key),
    ['b', 'd'],
  );
});

test('there are never more than there is room for: the oldest go', () => {
  const marks = new EndMarks(3);
  const { forgotten } = marks.add(
    ['a', 'b', 'c', 'd', 'e'].map((key, index) => mark(key, index)),
    0,
  );
  assert.deepEqual(forgotten, ['a', 'b']);
  assert.deepEqual([marks.has('b'), marks.has('c'), marks.has('e')], [false, true, true]);
});

test('a controller knows what the one before it knew, and what it could not store goes to disk with what comes next', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-marks-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const clock = new ManualClock();
  const untilMs = clock.wallMs() + 1000;
  const store = openSqliteStore(directory);
  let isFull = false;
  const put: typeof store.putSessionMarks = (...marks) => {
    if (isFull) throw new Error('the disk is full');
    store.putSessionMarks(...marks);
  };
  const outcomes: SessionEndKeptMessage['outcome'][] = [];
  const told: string[] = [];
  const options = { clock, send: () => undefined, tell: (text: string) => void told.push(text), fleet: null };
  const ends = new SessionEnds({ ...options, store: { sessionMarks: (afterMs) => store.sessionMarks(afterMs), putSessionMarks: put } });
  const end = (key: string): void => {
    const once = `token of ${key}`;
    const marks = [key, once].map((one) => ({ key: one, untilMs }));
    ends.hear({ type: 'session_end', number: 1, marks, once }, ({ outcome }) => void outcomes.push(outcome));
  };
  end('a');
  isFull = true;
  end('b');
  end('b');
  assert.deepEqual(outcomes.splice(0), ['ended', 'away', 'away']);
  assert.deepEqual(told, ['that sessions were ended cannot be stored: the disk is full']);
  isFull = false;
  end('b');
  end('a');
  assert.deepEqual(outcomes.splice(0), ['repeated', 'repeated']);
  store.close();

  const again = openSqliteStore(directory);
  const known = new SessionEnds({ ...options, store: again });
  assert.deepEqual(new Set(known.all().map(({ key }) => key)), new Set(['a', 'token of a', 'b', 'token of b']));
  clock.advance(1000);
  assert.deepEqual(new SessionEnds({ ...options, store: again }).all(), []);
  again.close();
});
