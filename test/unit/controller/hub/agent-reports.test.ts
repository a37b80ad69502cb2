// Freshness of reports by the hub's own clock, and what still counts of them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AgentReports, type Arrival } from '../../../../balancer/controller/hub/agent-reports.ts';
import { RateBound } from '../../../../balancer/controller/hub/rate-bound.ts';
import { snapshot } from '../../../support/snapshot.ts';

const at = (nowMs: number): Arrival => ({ nowMs, wallMs: snapshot().sentAtMs, roundTripMs: null });

test('an agent is fresh for less than three periods, stale up to three minutes, absent after that', () => {
  const reports = new AgentReports();
  assert.equal(reports.state('eu', 0), 'absent');
  reports.accept(snapshot({ periodMs: 1000 }), at(5000));
  const states = [0, 2999, 3000, 180_000, 180_001].map((ageMs) => reports.state('eu', 5000 + ageMs));
  assert.deepEqual(states, ['fresh', 'fresh', 'stale', 'stale', 'absent']);
});

test('the time the agent claims plays no part', () => {
  const reports = new AgentReports();
  reports.accept(snapshot({ sentAtMs: 0 }), at(5000));
  assert.equal(reports.state('eu', 5000), 'fresh');
});

test('the capacity of a stale agent still counts, that of an absent one does not', () => {
  const reports = new AgentReports();
  reports.accept(snapshot({ cluster: 'eu', capacityRps: 1200 }), at(0));
  reports.accept(snapshot({ cluster: 'us', capacityRps: null }), at(0));
  assert.deepEqual(reports.capacity(0), { eu: 1200 });
  assert.deepEqual(reports.capacity(180_000), { eu: 1200 });
  assert.deepEqual(reports.capacity(180_001), {});
});

test('a view of a cluster that never reported has no figures, one that did has its age', () => {
  const reports = new AgentReports();
  const { agentVersion, cpuUtilisation, memoryUtilisation } = snapshot();
  assert.deepEqual(reports.view('eu', 0), {
    cluster: 'eu',
    state: 'absent',
    ageMs: null,
    capacityRps: null,
    cpuUtilisation: null,
    memoryUtilisation: null,
    agentVersion: null,
  });
  reports.accept(snapshot(), at(1000));
  const view = { cluster: 'eu', state: 'stale', ageMs: 4000, capacityRps: 1200, cpuUtilisation, memoryUtilisation, agentVersion };
  const { dialogue, reported, ...seen } = reports.view('eu', 5000);
  assert.deepEqual(seen, view);
  assert.equal(dialogue?.since, '2026-11-21T09:59:00.000Z');
  assert.equal(reported?.growth, undefined);
});

test('a rate allows its burst, then what time brings, and saves up no more than a burst', () => {
  const bound = new RateBound({ perSecond: 10, burst: 20 }, 0);
  const taken = (nowMs: number): number => Array.from({ length: 100 }, () => bound.take(nowMs)).filter(Boolean).length;
  assert.equal(taken(0), 20);
  assert.equal(taken(100), 1);
  assert.equal(taken(1100), 10);
  assert.equal(taken(1_000_000), 20);
});
