// Events: numbered, one line each, the newest kept; and changes that wait for each other.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventLog } from '../../../balancer/controller/events.ts';
import { explainProblem } from '../../../balancer/controller/generation-problem.ts';
import { OneAtATime } from '../../../balancer/controller/one-at-a-time.ts';
import { silentLog } from '../../../balancer/log.ts';
import { loaded, SMALL_CONFIG } from '../../support/config-text.ts';
import { ManualClock } from '../../support/manual-clock.ts';

test('events come newest first, and their numbers have no gap', () => {
  const events = new EventLog(new ManualClock(), silentLog);
  for (let count = 1; count <= 2500; count += 1) events.add('health.endpoint', `event ${count}`);
  const newest = events.newest(3);
  assert.deepEqual(
    newest.map(({ sequence, text }) => [sequence, text]),
    [
      [2500, 'event 2500'],
      [2499, 'event 2499'],
      [2498, 'event 2498'],
    ],
  );
  assert.equal(events.newest(100_000).length, 1000);
});

test('an event is one line, whatever it quotes', () => {
  const events = new EventLog(new ManualClock(), silentLog);
  events.add('config.note', 'first\nsecond\u001b[31m');
  assert.equal(events.newest(1)[0]?.text, 'first second [31m');
});

test('a subscriber hears of events until it leaves', () => {
  const events = new EventLog(new ManualClock(), silentLog);
  const heard: string[] = [];
  const leave = events.subscribe(({ text }) => void heard.push(text));
  events.add('worker.ready', 'one');
  leave();
  events.add('worker.ready', 'two');
  assert.deepEqual(heard, ['one']);
});

test('a task begins when the one before is over, also when that one failed', async () => {
  const queue = new OneAtATime();
  const order: string[] = [];
  const { promise: gate, resolve: open } = Promise.withResolvers<undefined>();
  const first = queue.run(async () => {
    order.push('first begins');
    await gate;
    order.push('first fails');
    throw new Error('no');
  });
  const second = queue.run(() => {
    order.push('second begins');
    return Promise.resolve(2);
  });
  open(undefined);
  await assert.rejects(first, /no/);
  assert.equal(await second, 2);
  assert.deepEqual(order, ['first begins', 'first fails', 'second begins']);
});

test('an address that is taken is named as the listener that wanted it', () => {
  const config = loaded(SMALL_CONFIG);
  assert.match(
    explainProblem(config, 'bind EADDRINUSE 127.0.0.1:8080'),
    /^listeners\.web\.bind 127\.0\.0\.1:8080 is taken by another process/,
  );
  assert.match(explainProblem(config, 'listen EACCES: permission denied 127.0.0.1:8080'), /may not be used by this user/);
  assert.equal(explainProblem(config, 'bind EADDRINUSE 127.0.0.1:9999'), 'bind EADDRINUSE 127.0.0.1:9999');
  assert.equal(explainProblem(config, 'no certificate'), 'no certificate');
});
