// Kept connections that the endpoint has closed meanwhile cost a request one attempt, however many of them there are.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAppliance } from '../support/appliance.ts';
import { startRawOrigin } from '../support/origin.ts';
import { until } from '../support/until.ts';

const KEPT = 5;

test('a GET that meets a dead connection goes on a new one, not on the next dead one', async (t) => {
  const held: (() => void)[] = [];
  // Every connection answers one request, the first ones all together so that each needs its own; a second request finds it closed.
  const origin = await startRawOrigin(t, ({ socket, received }) => {
    if (received.split('\r\n\r\n').length > 2) return void socket.destroy();
    const answer = (): void => void socket.write('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ngood');
    if (held.length === KEPT) return answer();
    held.push(answer);
    if (held.length === KEPT) for (const each of held) each();
  });
  const appliance = await startAppliance(t, { yaml: config(origin.endpoint), workers: 1 });
  const first = await Promise.all(Array.from({ length: KEPT }, () => appliance.get()));
  assert.ok(first.every(({ body }) => body === 'good'));
  assert.equal(origin.connections.length, KEPT);

  const { status, body } = await appliance.get();
  assert.deepEqual([status, body], [200, 'good']);
  assert.equal(origin.connections.length, KEPT + 1);
  // What is closed while nobody uses it blames nobody.
  await until(async () => (await appliance.metricSum('weir_retries_total')) === 1, 'one retry is counted');
  assert.equal(await appliance.metricSum('weir_ejections_total'), 0);
});

function config(endpoint: string): string {
  return `clusters:
  east: { endpoints: ["${endpoint}"], health: none }
services:
  demo: { versions: { blue: { clusters: { east: {} } } } }
routes:
  - { service: demo }
`;
}
