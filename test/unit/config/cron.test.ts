// Times that repeat: which minutes a schedule names, by the clock of a time zone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isTimeZone, isWithin, parseCron } from '../../../balancer/config/cron.ts';

const at = (text: string): number => Date.parse(text);

test('a schedule names minutes by the clock of its time zone, summer and winter', () => {
  const evening = '* 18-23 * * fri';
  assert.equal(isWithin(evening, 'Europe/Berlin', at('2026-01-02T16:59:59Z')), false);
  assert.equal(isWithin(evening, 'Europe/Berlin', at('2026-01-02T17:00:00Z')), true);
  assert.equal(isWithin(evening, 'Europe/Berlin', at('2026-07-03T16:00:00Z')), true);
  assert.equal(isWithin(evening, 'Europe/Berlin', at('2026-07-03T22:00:00Z')), false);
  assert.equal(isWithin('0 0 * * 7', 'UTC', at('2026-01-04T00:00:30Z')), true, '7 is Sunday too');
});

test('lists, ranges, steps and names are read; of two restricted days either fits', () => {
  assert.equal(isWithin('*/20,5 * * jan *', 'UTC', at('2026-01-01T00:40:00Z')), true);
  assert.equal(isWithin('*/20,5 * * jan *', 'UTC', at('2026-01-01T00:41:00Z')), false);
  assert.equal(isWithin('*/20,5 * * jan *', 'UTC', at('2026-02-01T00:40:00Z')), false);
  const either = '* * 24 * mon';
  assert.deepEqual(
    ['2026-12-24', '2026-12-21', '2026-12-22'].map((day) => isWithin(either, 'UTC', at(`${day}T10:00:00Z`))),
    [true, true, false],
  );
});

test('what is no schedule and no time zone is told', () => {
  for (const text of ['', '* * * *', '* * * * * *', '60 * * * *', '* 5-2 * * *', '*/0 * * * *', '* * 0 * *', '* * * * *-5', 'a * * * *'])
    assert.equal(parseCron(text), null, text);
  assert.deepEqual([isTimeZone('Europe/Berlin'), isTimeZone('Mars/Olympus')], [true, false]);
});
