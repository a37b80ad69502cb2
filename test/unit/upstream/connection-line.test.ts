// The line for connections against a plain list, over random comings and goings, on a clock that the test moves.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deadlines } from '../../../health/deadlines.ts';
import { ConnectionLine, type ConnectionWaiter } from '../../../balancer/upstream/connection-line.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { seededRandom } from '../../support/seeded-random.ts';

interface Waiter extends ConnectionWaiter {
  readonly name: number;
  readonly untilMs: number;
}

const aWaiter = (name: number, untilMs: number): Waiter => ({
  name,
  untilMs,
  onConnection: () => undefined,
  onConnectionFailed: () => undefined,
});

test('who came first is called first, who left is not, and who waited too long is told', () => {
  const random = seededRandom(3);
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  const expired: ConnectionWaiter[] = [];
  const counts: Record<string, number> = { admitted: 0, left: 0, expired: 0 };
  const line = new ConnectionLine(
    deadlines,
    (waiter) => expired.push(waiter),
    (outcome) => (counts[outcome] = (counts[outcome] ?? 0) + 1),
  );
  let list: Waiter[] = [];
  const expected = { admitted: 0, left: 0, expired: 0 };
  const bounded = ({ untilMs }: Waiter): number => (untilMs === Infinity ? 0 : 1);
  for (let step = 0; step < 20_000; step += 1) {
    const lot = random();
    if (lot < 0.5) {
      const waiter = aWaiter(step, random() < 0.3 ? Infinity : clock.nowMs() + 1000);
      line.add(waiter, waiter.untilMs);
      list.push(waiter);
    } else if (lot < 0.65) {
      const first = list.shift();
      assert.equal(line.shift(), first);
      expected.admitted += first === undefined ? 0 : bounded(first);
    } else if (lot < 0.8) {
      const [gone = aWaiter(-1, 0)] = list.splice(Math.floor(random() * list.length), 1);
      line.remove(gone);
      expected.left += gone.name < 0 ? 0 : bounded(gone);
    } else {
      clock.advance(20);
      deadlines.sweep();
      const late = list.filter(({ untilMs }) => untilMs <= clock.nowMs());
      assert.deepEqual(expired.splice(0), late);
      list = list.filter((waiter) => !late.includes(waiter));
      expected.expired += late.length;
    }
    assert.equal(line.length, list.length);
  }
  assert.ok(expected.admitted > 1000 && expected.left > 1000 && expected.expired > 100, JSON.stringify(expected));
  assert.deepEqual(counts, expected);
  assert.deepEqual(line.takeBehind(2), list.slice(2));
  assert.equal(line.length, Math.min(2, list.length));
});
