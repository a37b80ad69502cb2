// Copies of requests take only what is to spare: room within limits that no request needs, and capacity that the plan has left.
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { named, startOrigin, startRawOrigin } from '../../support/origin.ts';
import { startPipelineBench, type PipelineBench } from '../../support/pipeline-bench.ts';
import { until } from '../../support/until.ts';

interface Fleet {
  readonly bench: PipelineBench;
  readonly copies: () => number;
}

/** Blue and green on the same cluster, which copies hang in. */
async function fleet(t: TestContext, cluster: object, mirror: object = {}): Promise<Fleet> {
  const seen: string[] = [];
  const origin = await startRawOrigin(t, ({ socket, received }) => {
    if (!received.endsWith('\r\n\r\n')) return;
    if (received.includes('x-weir-mirror: 1')) return void seen.push(received);
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nblue');
  });
  const other = await startOrigin(t, named('blue'));
  const bench = startPipelineBench(t, {
    clusters: { east: { endpoints: [other.endpoint], health: 'none' }, west: { endpoints: [origin.endpoint], health: 'none', ...cluster } },
    services: {
      shop: {
        versions: { blue: { clusters: { east: {}, west: {} } }, green: { clusters: { west: {} } } },
        split: { blue: 100, green: 0 },
        mirror: { to: 'green', percent: '100%', timeout: '2s', ...mirror },
      },
    },
  });
  return { bench, copies: () => seen.length };
}

/** With whatever answer. */
async function ask(bench: PipelineBench, count: number): Promise<readonly number[]> {
  const told = Array.from({ length: count }, () => bench.ask());
  await until(() => told.every(({ ended }) => ended), 'all are answered');
  return told.map(({ status }) => status);
}

test('a copy that hangs ends in its time, and another one may come', async (t) => {
  const { bench, copies } = await fleet(t, {}, { concurrency: 1 });
  bench.serveAll();
  await ask(bench, 4);
  await until(() => copies() === 1, 'one copy has come');
  assert.equal(bench.count('weir_mirror_dropped_total', 'concurrency'), 3);
  bench.clock.advance(3000);
  assert.equal(bench.count('weir_mirror_requests_total', 'late'), 1);
  await ask(bench, 1);
  await until(() => copies() === 2, 'another copy has come');
});

/** The bench has four workers by its config, so a worker may have two in work. */
test('within the limits of a cluster a request takes the room of a copy', async (t) => {
  const { bench, copies } = await fleet(t, { limits: { requests: 8 } });
  bench.serveAll();
  assert.deepEqual(new Set(await ask(bench, 2)), new Set([200]));
  await until(() => copies() > 0, 'a copy hangs there');
  for (let round = 0; round < 6; round += 1) assert.deepEqual(new Set(await ask(bench, 2)), new Set([200]));
  assert.ok(bench.count('weir_mirror_requests_total', 'gave_way') + bench.count('weir_mirror_dropped_total', 'no_room') > 0);
  assert.equal(bench.count('weir_upstream_queue_total'), 0, 'no request has waited');
});

test('above the spare capacity of the plan nothing is copied', async (t) => {
  const { bench, copies } = await fleet(t, { capacity: { rps: 20 } });
  bench.serveAll({ shop: 40 });
  await ask(bench, 20);
  assert.ok(bench.count('weir_mirror_dropped_total', 'no_capacity') >= 19);
  assert.ok(copies() <= 1);
});
