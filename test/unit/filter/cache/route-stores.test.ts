// Stores of routes over reloads: what a route has stored stays its own for as long as the route is the same.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Meter } from '../../../../balancer/telemetry/meter.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { RouteStores } from '../../../../balancer/filter/cache/route-stores.ts';

const ROUTE = { name: 'shop', service: 'shop', filters: [{ name: 'cache', options: { objectBytes: 1 } }] };

const ENVIRONMENT = { clock: new ManualClock(), meter: new Meter() };

function nextOf(before: RouteStores): RouteStores {
  return new RouteStores(before, ENVIRONMENT);
}

test('a route that is the same keeps what it has stored', () => {
  const first = new RouteStores(null, ENVIRONMENT);
  const store = first.of(ROUTE, 1000);
  assert.equal(first.of(ROUTE, 1000), store);
  assert.equal(nextOf(first).of({ ...ROUTE, filters: ROUTE.filters.map((one) => ({ ...one })) }, 1000), store);
});

test('with another service, other filters or another size it begins with nothing', () => {
  const first = new RouteStores(null, ENVIRONMENT);
  const store = first.of(ROUTE, 1000);
  const others = [
    nextOf(first).of({ ...ROUTE, service: 'other' }, 1000),
    nextOf(first).of({ ...ROUTE, filters: [...ROUTE.filters, { name: 'authenticate', options: {} }] }, 1000),
    nextOf(first).of({ ...ROUTE, name: 'other' }, 1000),
    nextOf(first).of(ROUTE, 2000),
  ];
  for (const other of others) assert.notEqual(other, store);
});

test('a config that has settled holds nothing of routes that are gone', () => {
  const first = new RouteStores(null, ENVIRONMENT);
  const store = first.of(ROUTE, 1000);
  const second = nextOf(first);
  second.settle();
  assert.notEqual(second.of(ROUTE, 1000), store);
});
