// What caches have stored and answered, added up over the workers of a host.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CacheFigures } from '../../../balancer/controller/cache-figures.ts';
import { Meter } from '../../../balancer/telemetry/meter.ts';

const NOTHING = { hits: 0, misses: 0, stale: 0, bypassed: 0, servedStale: 0, evicted: 0, purged: 0 };

/** What a worker tells that has so much stored for the route `shop`. */
function told(objects: number, counted: (meter: Meter) => void = () => undefined): ReturnType<Meter['takeDelta']> {
  const meter = new Meter();
  meter.gauge('weir_cache_objects', ['shop', 'w1']).set(objects);
  meter.gauge('weir_cache_bytes', ['shop', 'w1']).set(objects * 1000);
  counted(meter);
  return meter.takeDelta();
}

test('what is stored is that of all workers that are there, and what was counted stays', () => {
  const figures = new CacheFigures();
  figures.add(
    'w1',
    told(5, (meter) => meter.counter('weir_cache_requests_total', ['shop', 'hit']).add(3)),
  );
  figures.add(
    'w2',
    told(7, (meter) => meter.counter('weir_cache_requests_total', ['shop', 'bypass']).add(2)),
  );
  figures.add(
    'w1',
    told(6, (meter) => meter.counter('weir_cache_stale_total', ['shop', 'error']).add(1)),
  );
  assert.deepEqual(figures.of('shop'), { ...NOTHING, objects: 13, bytes: 13_000, hits: 3, bypassed: 2, servedStale: 1 });
  figures.forget('w2');
  const purged = told(0, (meter) => meter.counter('weir_cache_purged_total', ['shop']).add(6));
  figures.add('w1', purged);
  assert.deepEqual(figures.of('shop'), { ...NOTHING, objects: 0, bytes: 0, hits: 3, bypassed: 2, servedStale: 1, purged: 6 });
  assert.deepEqual(figures.of('other'), { ...NOTHING, objects: 0, bytes: 0 });
});
