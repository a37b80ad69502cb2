// What a worker remembers of its last requests: bounded, the uncommon ones all, the others as a sample.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RequestTrace } from '../../../balancer/ipc-recent.ts';
import { KEPT_REQUESTS, RecentRequests, SAMPLED_PER_SECOND } from '../../../balancer/worker/recent-requests.ts';
import { isNotable } from '../../../balancer/worker/tell-end.ts';

function trace(requestId: string): RequestTrace {
  const names = { route: 'r', service: 's', version: 'v', cluster: 'c', endpoint: 'e', host: 'h', path: '/', method: 'GET' };
  const figures = { status: 200, bytesIn: 0, bytesOut: 0, durationMs: 1, attempts: 1, plan: 1 };
  const texts = { at: '', listener: 'web', client: '', error: '', detail: '', chosenBy: 'split' };
  return { requestId, ...names, ...figures, ...texts, failed: [], reasons: [] };
}

test('of ordinary requests so many are taken in a second, and in the next one again', () => {
  const recent = new RecentRequests();
  const takenAt = (nowMs: number): number => Array.from({ length: 100 }, () => recent.takes(false, nowMs)).filter(Boolean).length;
  assert.deepEqual([takenAt(5000), takenAt(5999), takenAt(6000)], [SAMPLED_PER_SECOND, 0, SAMPLED_PER_SECOND]);
});

test('requests that are out of the ordinary are always taken', () => {
  const recent = new RecentRequests();
  for (let count = 0; count < 100; count += 1) assert.ok(recent.takes(true, 5000));
  assert.deepEqual(
    [isNotable(1, 200, ''), isNotable(1, 404, ''), isNotable(2, 200, ''), isNotable(0, 404, 'route_not_found'), isNotable(1, 503, '')],
    [false, false, true, true, true],
  );
});

test('the oldest of a kind gives way to the newest, and no kind drives the other out', () => {
  const recent = new RecentRequests();
  recent.keep(trace('ordinary'), false);
  for (let count = 0; count <= KEPT_REQUESTS; count += 1) recent.keep(trace(`failed-${count}`), true);
  const found = (id: string): number => recent.find(id).length;
  assert.deepEqual([found('failed-0'), found('failed-1'), found(`failed-${KEPT_REQUESTS}`), found('ordinary')], [0, 1, 1, 1]);
});

test('an id that a trusted peer brought twice is found twice', () => {
  const recent = new RecentRequests();
  recent.keep(trace('again'), false);
  recent.keep(trace('again'), true);
  assert.equal(recent.find('again').length, 2);
});
