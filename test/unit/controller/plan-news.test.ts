// That requests have no place is told once when it begins and once when it is over, however a share moves between.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventLog } from '../../../balancer/controller/events.ts';
import { PlanNews } from '../../../balancer/controller/plan-news.ts';
import { silentLog } from '../../../balancer/log.ts';
import { ManualClock } from '../../support/manual-clock.ts';

test('a share that comes and goes each second is one event, and its end another, ten seconds later', () => {
  const [news, events] = [new PlanNews(), new EventLog(new ManualClock(), silentLog)];
  const look = (second: number, lostShare: number): void =>
    news.look(
      [
        { name: 'shop', lostShare, shedShare: lostShare },
        { name: 'cart', lostShare: 0, shedShare: 0 },
      ],
      second * 1000,
      events,
    );
  const told = (): readonly string[] => events.newest(10).map(({ code }) => code);
  look(0, 0);
  assert.deepEqual(told(), []);
  for (let second = 1; second < 20; second += 1) look(second, second % 2 === 0 ? 0 : 0.125);
  assert.deepEqual(told(), ['plan.requests_lost']);
  assert.match(events.newest(1)[0]?.text ?? '', /service shop answers 12\.5 % of its requests with 503: for want of capacity/);
  look(28, 0);
  assert.deepEqual(told(), ['plan.requests_lost']);
  look(29, 0);
  look(40, 0);
  assert.deepEqual(told(), ['plan.requests_placed', 'plan.requests_lost']);
});

test('a service that has nowhere to send its requests says so', () => {
  const [news, events] = [new PlanNews(), new EventLog(new ManualClock(), silentLog)];
  news.look([{ name: 'shop', lostShare: 1, shedShare: 0 }], 0, events);
  const [event] = events.newest(1);
  assert.deepEqual([event?.kind, event?.severity], ['plan', 'critical']);
  assert.match(event?.text ?? '', /answers 100 % of its requests with 503: no place can take them/);
});
