// Endpoints that an agent tells of: they come, drain and go as it says, but it can neither empty a list nor send requests where the config does not allow.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { ReportedEndpoint } from '../../../../agent/protocol.ts';
import type { DiscoveryConfig } from '../../../../balancer/config/discovery-config.ts';
import {
  followReport,
  HOLD_MS,
  NOTHING_DISCOVERED,
  rediscovered,
  siftKnown,
  type Discovered,
  type DiscoveryStep,
} from '../../../../balancer/controller/probe/discovered.ts';

const ANY: DiscoveryConfig = { scheme: 'https', within: [], names: [] };

class Cluster {
  known: Discovered = NOTHING_DISCOVERED;
  nowMs = 0;
  discovery = ANY;
  readonly up = new Set<string>();

  report(list: readonly (string | ReportedEndpoint)[], fresh = true): DiscoveryStep {
    const endpoints = list.map((one) => (typeof one === 'string' ? { host: one, port: 443 } : one));
    const { discovery, nowMs } = this;
    const step = followReport(this.known, { fresh, list: endpoints }, { cluster: 'eu', discovery, isUp: (id) => this.up.has(id), nowMs });
    this.known = step.discovered;
    return step;
  }

  get list(): readonly string[] {
    return this.known.list.map(({ config: { id }, draining }) => (draining ? `${id} draining` : id));
  }
}

test('endpoints come, drain and go as the agent says, while another one is up', () => {
  const cluster = new Cluster();
  cluster.report(['10.0.0.1', '10.0.0.2']);
  assert.deepEqual(cluster.list, ['10.0.0.1:443', '10.0.0.2:443']);
  cluster.up.add('10.0.0.1:443');
  cluster.report(['10.0.0.1', { host: '10.0.0.2', port: 443, draining: true }]);
  assert.deepEqual(cluster.list, ['10.0.0.1:443', '10.0.0.2:443 draining']);
  assert.deepEqual(cluster.report(['10.0.0.1', '2001:db8::7']).told, []);
  assert.deepEqual(cluster.list, ['10.0.0.1:443', '[2001:db8::7]:443']);
});

describe('a report without any endpoint', () => {
  test('is held and told once, for as long as one of those known is up', () => {
    const cluster = new Cluster();
    cluster.report(['10.0.0.1', '10.0.0.2']);
    cluster.up.add('10.0.0.2:443');
    assert.deepEqual(cluster.report([]).told, [
      'the agent of eu names no endpoint any more; the 2 that are known are held, and probes decide',
    ]);
    cluster.nowMs += 100 * HOLD_MS;
    assert.deepEqual(cluster.report([]).told, []);
    assert.deepEqual(cluster.list, ['10.0.0.1:443', '10.0.0.2:443']);
    assert.deepEqual(cluster.report(['10.0.0.3', '10.0.0.2']).told, ['the agent of eu names endpoints again: 2']);
    assert.deepEqual(cluster.list, ['10.0.0.2:443', '10.0.0.3:443']);
  });

  test('is obeyed after five minutes, when probes say the same', () => {
    const cluster = new Cluster();
    cluster.report(['10.0.0.1']);
    cluster.report([]);
    cluster.nowMs += HOLD_MS;
    cluster.report([]);
    assert.deepEqual(cluster.list, ['10.0.0.1:443']);
    cluster.nowMs += 1;
    assert.match(cluster.report([]).told.join(), /given up/);
    assert.deepEqual(cluster.list, []);
  });

  test('is one also where all that it names is draining', () => {
    const cluster = new Cluster();
    cluster.report(['10.0.0.1']);
    assert.match(cluster.report([{ host: '10.0.0.1', port: 443, draining: true }]).told.join(), /held/);
    assert.deepEqual(cluster.list, ['10.0.0.1:443']);
  });
});

test('a list is not exchanged for one of which no endpoint is up', () => {
  const cluster = new Cluster();
  cluster.report(['10.0.0.1']);
  cluster.up.add('10.0.0.1:443');
  cluster.report(['10.0.0.9']);
  assert.deepEqual(cluster.list, ['10.0.0.1:443', '10.0.0.9:443']);
  cluster.nowMs += 10 * HOLD_MS;
  cluster.report(['10.0.0.9']);
  assert.deepEqual(cluster.list, ['10.0.0.1:443', '10.0.0.9:443'], 'the one that works is kept however long');
  cluster.up.add('10.0.0.9:443');
  cluster.report(['10.0.0.9']);
  assert.deepEqual(cluster.list, ['10.0.0.9:443']);
});

test('what is not fresh changes nothing', () => {
  const cluster = new Cluster();
  cluster.report(['10.0.0.1']);
  assert.deepEqual(cluster.report(['10.0.0.2'], false).told, []);
  assert.deepEqual(cluster.list, ['10.0.0.1:443']);
});

describe('what is not believed', () => {
  test('addresses of this machine, its link and groups, unless the config names them', () => {
    const cluster = new Cluster();
    const step = cluster.report(['127.0.0.1', '169.254.169.254', '::1', 'fe80::1', '::ffff:127.0.0.1', '224.0.0.1', '0.0.0.0', '10.0.0.1']);
    assert.deepEqual(cluster.list, ['10.0.0.1:443']);
    assert.match(step.told.join(), /names endpoints that are not believed: 127\.0\.0\.1:443, 169\.254\.169\.254:443, .* and 4 more/);
    assert.deepEqual(cluster.report(['127.0.0.1', '10.0.0.1']).told.length, 1, 'others are told again');
    assert.deepEqual(cluster.report(['127.0.0.1', '10.0.0.1']).told, [], 'the same are not');
    cluster.discovery = { ...ANY, within: ['127.0.0.0/8'] };
    cluster.report(['127.0.0.1', '10.0.0.1']);
    assert.ok(cluster.list.includes('127.0.0.1:443'));
  });

  test('names, unless a pattern fits', () => {
    const cluster = new Cluster();
    cluster.discovery = { ...ANY, names: ['*.elb.example.com', 'one.example.net'] };
    cluster.report(['a.elb.example.com', 'elb.example.com', 'evilelb.example.com', 'one.example.net', 'x.one.example.net']);
    assert.deepEqual(cluster.list, ['a.elb.example.com:443', 'one.example.net:443']);
  });

  test('an agent that names only what is not believed empties no list either', () => {
    const cluster = new Cluster();
    cluster.report(['10.0.0.1']);
    cluster.report(['127.0.0.1']);
    assert.deepEqual(cluster.list, ['10.0.0.1:443']);
  });
});

test('endpoints are known again after a restart, from the health that was stored, as far as the config believes them', () => {
  const stored = {
    state: 'up' as const,
    endpoints: [
      { endpoint: '10.0.0.1:443', state: 'up' as const },
      { endpoint: '[2001:db8::1]:443', state: 'down' as const },
    ],
  };
  const known = rediscovered(stored, ANY);
  assert.deepEqual(
    known.list.map(({ config }) => `${config.scheme} ${config.host} ${config.port}`),
    ['https 10.0.0.1 443', 'https 2001:db8::1 443'],
  );
  assert.deepEqual(
    siftKnown(known, { ...ANY, scheme: 'h2c', within: ['10.0.0.0/8'] }).list.map(({ config }) => `${config.scheme} ${config.id}`),
    ['h2c 10.0.0.1:443'],
  );
});

test('whatever agents report, a list that has an endpoint that is up is never without one', () => {
  const host = fc.integer({ min: 1, max: 6 }).map((n) => `10.0.0.${n}`);
  const endpoint = fc.record({ host, port: fc.constant(443), draining: fc.boolean() });
  const step = fc.record({ list: fc.array(endpoint, { maxLength: 6 }), fresh: fc.boolean(), passedMs: fc.constantFrom(1000, HOLD_MS + 1) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), fc.subarray([1, 2, 3, 4, 5, 6]), (steps, up) => {
      const cluster = new Cluster();
      for (const n of up) cluster.up.add(`10.0.0.${n}:443`);
      for (const { list, fresh, passedMs } of steps) {
        const had = cluster.known.list.some(({ config }) => cluster.up.has(config.id));
        cluster.nowMs += passedMs;
        cluster.report(
          list.map(({ draining, ...plain }) => (draining ? { ...plain, draining } : plain)),
          fresh,
        );
        if (had)
          assert.ok(
            cluster.known.list.some(({ config }) => cluster.up.has(config.id)),
            JSON.stringify(cluster.list),
          );
      }
    }),
    { seed: 7, numRuns: 300 },
  );
});
