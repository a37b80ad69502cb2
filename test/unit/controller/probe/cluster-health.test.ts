// From endpoints to clusters, and what operators are told of a change.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterHealth, healthEvents } from '../../../../balancer/controller/probe/cluster-health.ts';
import type { Condition } from '../../../../balancer/controller/probe/watch.ts';

const of = (...conditions: readonly Condition[]) => clusterHealth(conditions.map((condition, index) => ({ id: `e${index}`, condition })));
const texts = (before: ReturnType<typeof of> | undefined, after: ReturnType<typeof of>): readonly string[] =>
  healthEvents('eu', before, after, (endpoint) => `${endpoint} refused`).map(({ text }) => text);

test('the state of a cluster follows from its endpoints', () => {
  const table: readonly (readonly [readonly Condition[], string])[] = [
    [['up', 'up'], 'up'],
    [['up', 'down'], 'degraded'],
    [['up', 'unknown'], 'degraded'],
    [['down', 'down'], 'down'],
    [['down', 'unknown'], 'down'],
    [['unknown', 'unknown'], 'unknown'],
    [['unknown'], 'unknown'],
    [['up'], 'up'],
    [['down'], 'down'],
    [[], 'unknown'],
  ];
  for (const [conditions, expected] of table) assert.equal(of(...conditions).state, expected, conditions.join());
});

test('a held endpoint stays away only where another one is up', () => {
  assert.deepEqual(
    of('up', 'held').endpoints.map(({ state }) => state),
    ['up', 'down'],
  );
  assert.equal(of('held').state, 'up');
  assert.equal(of('held', 'held').state, 'up');
  assert.equal(of('held', 'down').state, 'degraded');
});

test('events name the endpoint, the cluster, the reason and the count', () => {
  assert.deepEqual(texts(of('up', 'up'), of('up', 'down')), [
    'endpoint e1 of eu is down: e1 refused',
    'cluster eu is degraded: 1 of 2 endpoints up',
  ]);
  assert.deepEqual(texts(of('down', 'up'), of('up', 'up')), ['endpoint e0 of eu is up', 'cluster eu is up: 2 of 2 endpoints up']);
});

test('the only endpoint of a cluster speaks for the cluster', () => {
  assert.deepEqual(texts(of('up'), of('down')), ['cluster eu is down: e0 refused']);
  assert.deepEqual(texts(undefined, of('up')), ['cluster eu is up']);
});

test('what did not change is not told', () => {
  assert.deepEqual(texts(of('up', 'down'), of('up', 'down')), []);
  assert.deepEqual(texts(undefined, of('unknown')), []);
});
