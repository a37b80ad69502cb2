// Times of day in ISO 8601 are those that JavaScript writes, whatever time comes after which.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isoTime } from '../../../balancer/telemetry/iso-time.ts';
import { seededRandom } from '../../support/seeded-random.ts';

test('every time is written as by Date', () => {
  const random = seededRandom(7);
  const start = Date.parse('2026-12-31T23:59:58.000Z');
  const times = Array.from({ length: 5000 }, () => start + Math.floor(random() * 4000));
  for (const wallMs of [0, 999, 1000, ...times]) assert.equal(isoTime(wallMs), new Date(wallMs).toISOString());
});
