// What operators see of each worker: memory, heap and open sockets as it last told them, added up over listeners and clusters, and gone with it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WorkerFigures } from '../../../balancer/controller/worker-figures.ts';
import { Meter, type MetricsDelta } from '../../../balancer/telemetry/meter.ts';

/** As a worker tells it: gauges by what they are. */
function told(worker: string, listeners: Readonly<Record<string, number>>, clusters: Readonly<Record<string, number>>): MetricsDelta {
  const meter = new Meter();
  for (const [listener, count] of Object.entries(listeners)) meter.gauge('weir_connections_open', [listener, worker]).set(count);
  for (const [cluster, count] of Object.entries(clusters)) meter.gauge('weir_upstream_connections_open', [cluster, worker]).set(count);
  meter.gauge('weir_process_resident_bytes', [worker]).set(90_000_000);
  meter.gauge('weir_process_heap_bytes', [worker]).set(21_000_000);
  return meter.takeDelta();
}

test('sockets are added up over listeners and clusters, for each worker, and follow what it tells next', () => {
  const figures = new WorkerFigures();
  figures.add('w1', told('w1', { web: 7, tls: 5 }, { eu: 3, us: 1 }));
  figures.add('w2', told('w2', { web: 1 }, {}));
  assert.deepEqual(figures.socketsOf('w1'), { clients: 12, endpoints: 4 });
  assert.deepEqual(figures.socketsOf('w2'), { clients: 1, endpoints: 0 });
  assert.deepEqual([figures.of('w1').heapBytes, figures.of('w1').residentBytes], [21_000_000, 90_000_000]);
  figures.add('w1', told('w1', { web: 2 }, { eu: 0 }));
  assert.deepEqual(figures.socketsOf('w1'), { clients: 7, endpoints: 1 }, 'what it did not tell anew is as it was');
});

test('a worker that is gone has none, and one of which nothing was heard neither', () => {
  const figures = new WorkerFigures();
  figures.add('w1', told('w1', { web: 7 }, { eu: 3 }));
  figures.forget('w1');
  assert.deepEqual(figures.socketsOf('w1'), { clients: 0, endpoints: 0 });
  assert.equal(figures.of('w1').heapBytes, 0);
  assert.deepEqual(figures.socketsOf('w9'), { clients: 0, endpoints: 0 });
});
