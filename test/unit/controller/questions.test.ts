// What each cluster has of all requests, and which changes are asked about before they are made.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clusterShares, shareChanges } from '../../../balancer/controller/cluster-shares.ts';
import { questionBefore } from '../../../balancer/controller/confirm.ts';
import { applyChange, type DirectChange } from '../../../balancer/intent/apply-change.ts';
import { seedIntent } from '../../../balancer/intent/seed.ts';
import type { Intent, PurgeChange } from '../../../balancer/intent/intent.ts';
import type { DemandView, Plan } from '../../../balancer/steer/plan-shape.ts';
import { plan } from '../../../balancer/steer/plan.ts';
import { fleetConfig, healthView, type FleetSketch } from '../../support/fleet-config.ts';

const THREE: FleetSketch = { services: { shop: { versions: { blue: { one: 70, two: 20, three: 10 } } } } };

function planOf(sketch: FleetSketch, intent: Intent): Plan {
  return plan({ ...fleetConfig(sketch), intent, health: healthView({}), capacity: {}, demand: {}, previous: null, nowMs: 0 }).plan;
}

/** The question that a change of a fresh fleet raises. */
function question(sketch: FleetSketch, changes: readonly DirectChange[], demand: DemandView = {}): string | null {
  const config = fleetConfig(sketch);
  let before = seedIntent(config, null).intent;
  let after = before;
  for (const change of changes) {
    const outcome = applyChange(after, change, config);
    assert.ok(outcome.ok);
    before = after;
    after = outcome.intent;
  }
  const shares = (intent: Intent) => clusterShares(planOf(sketch, intent), demand);
  return questionBefore({ before, after, sharesBefore: shares(before), sharesAfter: shares(after) });
}

const drain = (cluster: string): DirectChange => ({ kind: 'admin', cluster, state: 'drain' });

test('shares of clusters are those of the services, weighted by their demand', () => {
  const sketch: FleetSketch = { services: { shop: { versions: { blue: { one: 1 } } }, mail: { versions: { v1: { one: 1, two: 1 } } } } };
  const made = planOf(sketch, seedIntent(fleetConfig(sketch), null).intent);
  const rounded = (demand: DemandView) =>
    Object.fromEntries([...clusterShares(made, demand)].map(([name, { effective }]) => [name, Math.round(effective * 1000) / 1000]));
  assert.deepEqual(rounded({}), { one: 0.75, two: 0.25 });
  assert.deepEqual(rounded({ shop: 300, mail: 100 }), { one: 0.875, two: 0.125 });
  assert.deepEqual(rounded({ mail: 100 }), { one: 0.5, two: 0.5 });
});

test('taking more than half of all requests from one cluster is asked about', () => {
  assert.match(question(THREE, [drain('one')]) ?? '', /^one takes 70 % of all requests now and would take 0 %/);
  assert.match(question(THREE, [{ kind: 'dial', cluster: 'one', percent: 0 }]) ?? '', /would take 0 %/);
  assert.equal(question(THREE, [drain('two')]), null);
  assert.equal(question(THREE, [{ kind: 'dial', cluster: 'one', percent: 60 }]), null);
});

test('what counts is the part of all requests, not of one service', () => {
  const sketch: FleetSketch = {
    services: { small: { versions: { v1: { one: 1, two: 0 } } }, large: { versions: { v1: { two: 1, three: 1 } } } },
  };
  const shift: DirectChange = { kind: 'shift_clusters', service: 'small', percents: { one: 0, two: 100 } };
  assert.equal(question(sketch, [shift], { small: 10, large: 90 }), null);
  assert.match(question(sketch, [shift], { small: 90, large: 10 }) ?? '', /^one takes 90 %/);
});

test('leaving one cluster of several is asked about, adding to what is left is not', () => {
  const even: FleetSketch = { services: { shop: { versions: { blue: { one: 1, two: 1, three: 1 } } } } };
  assert.equal(question(even, [drain('one')]), null);
  assert.match(question(even, [drain('one'), drain('two')]) ?? '', /^only three would be left/);
  assert.equal(question(even, [drain('one'), drain('two'), { kind: 'admin', cluster: 'one', state: 'active' }]), null);
});

test('a purge of everything is asked about, one of something or a soft one is not', () => {
  const asked = (more: Omit<PurgeChange, 'kind'>): string | null => question(THREE, [{ kind: 'purge', ...more }]);
  assert.match(
    asked({ all: true }) ?? '',
    /^everything that all routes have stored would be dropped, and is asked of the service again\. Go on\?$/,
  );
  assert.equal(asked({ all: true, soft: true }), null);
  for (const some of [{ tags: ['a'] }, { urls: ['http://a/'] }, { prefixes: ['/a'] }]) assert.equal(asked(some), null);
});

test('a preview names the targets that change and leaves out the others', () => {
  const sketch: FleetSketch = {
    services: {
      shop: { versions: { blue: { one: 1 }, green: { two: 1 } }, split: { blue: 90, green: 10 } },
      mail: { versions: { v1: { one: 1 } } },
    },
  };
  const config = fleetConfig(sketch);
  const before = seedIntent(config, null).intent;
  const outcome = applyChange(before, { kind: 'shift', service: 'shop', percents: { green: 25 } }, config);
  assert.ok(outcome.ok);
  assert.deepEqual(shareChanges(planOf(sketch, before), planOf(sketch, outcome.intent)), [
    {
      service: 'shop',
      version: 'blue',
      cluster: 'one',
      before: { desired: 0.9, effective: 0.9 },
      after: { desired: 0.75, effective: 0.75 },
      reasons: ['intent'],
    },
    {
      service: 'shop',
      version: 'green',
      cluster: 'two',
      before: { desired: 0.1, effective: 0.1 },
      after: { desired: 0.25, effective: 0.25 },
      reasons: ['intent'],
    },
  ]);
  assert.deepEqual(shareChanges(planOf(sketch, before), planOf(sketch, before)), []);
});
