// The prober and what agents find: watches come and go with the endpoints, the view is the plan's list of them, and operators hear of each.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ReportedEndpoint } from '../../../../agent/protocol.ts';
import { Prober } from '../../../../balancer/controller/probe/prober.ts';
import { cluster, configOf, service, version } from '../../../support/probe-config.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { seededRandom } from '../../../support/seeded-random.ts';

const DISCOVERY = { scheme: 'http', within: [], names: [] } as const;

class Bench {
  readonly clock = new ManualClock();
  readonly told: string[] = [];
  readonly prober = new Prober({
    clock: this.clock,
    random: seededRandom(1),
    readFile: () => Buffer.alloc(0),
    count: () => undefined,
    onChange: ({ text }) => this.told.push(text),
  });

  /** Without a probe, an endpoint is up when it is there. */
  readonly config = configOf([cluster('eu', { discovery: DISCOVERY }), cluster('us', {})], [service('shop', [version('blue', ['eu'])])]);

  report(...list: readonly ReportedEndpoint[]): void {
    this.prober.discover('eu', { fresh: true, list });
  }

  get states(): readonly string[] {
    return this.prober.endpoints('eu').map(({ id, health, reason }) => `${id} ${health}${reason === '' ? '' : ` ${reason}`}`);
  }
}

const one = { host: '10.0.0.1', port: 80 };
const two = { host: '10.0.0.2', port: 80 };

test('what an agent finds is watched, drains and goes, and each of it is told', () => {
  const bench = new Bench();
  bench.prober.start(bench.config, null);
  assert.equal(bench.prober.view().clusters['eu']?.state, 'unknown');
  bench.report(one, two);
  assert.deepEqual(bench.states, ['10.0.0.1:80 up', '10.0.0.2:80 up']);
  bench.report(one, { ...two, draining: true });
  assert.deepEqual(bench.states, ['10.0.0.1:80 up', '10.0.0.2:80 up draining: its agent says that it leaves']);
  assert.deepEqual(bench.prober.view().clusters['eu']?.endpoints[1], { endpoint: '10.0.0.2:80', state: 'up', draining: true });
  bench.report(one);
  assert.deepEqual(bench.states, ['10.0.0.1:80 up']);
  for (const text of [
    'endpoints 10.0.0.1:80, 10.0.0.2:80 of eu have come',
    'endpoint 10.0.0.2:80 of eu has begun to drain',
    'endpoint 10.0.0.2:80 of eu has gone',
  ])
    assert.ok(bench.told.includes(text), `${text}: ${bench.told.join('; ')}`);
});

test('the same report again changes nothing and is told to nobody', () => {
  const bench = new Bench();
  bench.prober.start(bench.config, null);
  bench.report(one);
  const [view, told] = [bench.prober.view(), bench.told.length];
  bench.report(one);
  assert.equal(bench.prober.view(), view);
  assert.equal(bench.told.length, told);
});

test('a cluster whose endpoints the file lists takes none from an agent, and neither does one that is not there', () => {
  const bench = new Bench();
  bench.prober.start(bench.config, null);
  for (const name of ['us', 'nowhere']) bench.prober.discover(name, { fresh: true, list: [one] });
  assert.deepEqual(bench.prober.endpoints('us'), []);
  assert.deepEqual(bench.told, []);
});

test('what is known outlives a reload and a restart, and one that is held says so', () => {
  const bench = new Bench();
  bench.prober.start(bench.config, null);
  bench.report(one);
  bench.prober.replace(bench.config);
  assert.deepEqual(bench.states, ['10.0.0.1:80 up']);
  bench.report();
  assert.deepEqual([...bench.prober.held()], [['eu', true]]);
  const next = new Bench();
  next.prober.start(next.config, bench.prober.view());
  assert.deepEqual(next.states, ['10.0.0.1:80 up']);
  assert.deepEqual([...next.prober.held()], [['eu', false]]);
});

test('an endpoint that workers ejected stays away when the list around it changes', () => {
  const bench = new Bench();
  bench.prober.start(bench.config, null);
  bench.report(one, two);
  bench.prober.report({ kind: 'endpoint', cluster: 'eu', endpoint: '10.0.0.2:80', forMs: 5000, reason: '5 failures in a row' });
  bench.report(one, two, { host: '10.0.0.3', port: 80 });
  assert.deepEqual(bench.states, ['10.0.0.1:80 up', '10.0.0.2:80 down 5 failures in a row', '10.0.0.3:80 up']);
});
