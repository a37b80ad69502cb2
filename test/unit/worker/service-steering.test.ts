// A new generation takes the split over; requests that still run with the old one cannot turn it back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Deadlines } from '../../../health/deadlines.ts';
import { loadConfig } from '../../../balancer/config/load.ts';
import { EXTENSIONS } from '../../../balancer/registries.ts';
import type { ServicePlan, ShareReason } from '../../../balancer/steer/plan-shape.ts';
import { Meter } from '../../../balancer/telemetry/meter.ts';
import { ClusterUpstream } from '../../../balancer/upstream/cluster-upstream.ts';
import { Evidence } from '../../../balancer/worker/evidence.ts';
import { PinKey } from '../../../balancer/steer/pins.ts';
import { ServiceSteering } from '../../../balancer/worker/service-steering.ts';
import { TEST_ENVIRONMENT } from '../../support/config-text.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { aRequest } from '../../support/request.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const TEXT = `version: 1
listeners:
  web: { bind: "127.0.0.1:8080" }
clusters:
  one: { endpoints: ["http://127.0.0.1:9001"] }
  two: { endpoints: ["http://127.0.0.1:9002"] }
services:
  shop: { versions: { blue: { clusters: { one: {}, two: {} } } } }
routes:
  - { service: shop }
`;

const CLIENT = '192.0.2.1';

function bench(text: string) {
  const result = loadConfig({ file: '/etc/weir/weir.yaml', text }, EXTENSIONS, TEST_ENVIRONMENT);
  assert.ok(result.ok);
  const service = result.config.services['shop'];
  assert.ok(service !== undefined);
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock);
  const random = seededRandom(5);
  const evidence = new Evidence({ report: () => undefined, countEjection: () => assert.fail('nothing is ejected') });
  const environment = {
    deadlines,
    random,
    evidence,
    readFile: () => Buffer.alloc(0),
    nowMs: () => 0,
    warn: () => undefined,
    countConnection: () => undefined,
    countQueued: () => undefined,
    workers: 1,
    meter: new Meter(),
    pinKey: new PinKey(),
  };
  const configs = result.config.clusters;
  const upstreams = new Map(Object.values(configs).map((cluster) => [cluster.name, new ClusterUpstream(cluster, environment, null)]));
  return { service, evidence, environment, clusters: { upstreams, configs } };
}

/** In two clusters. */
function planned(share: number, reasons: readonly ShareReason[] = []): ServicePlan {
  const target = { version: 'blue', available: 1, receives: true, lastResort: false, priority: 0, limit: null };
  const of = (cluster: string, effective: number): ServicePlan['targets'][number] => ({
    ...target,
    cluster,
    desired: effective,
    effective,
    reasons: cluster === 'one' ? reasons : [],
  });
  const whole = { lost: 0, shed: 0, overload: 'shed', panic: false, classes: {} } as const;
  return { service: 'shop', onUnavailable: 'redistribute', targets: [of('one', share), of('two', 1_000_000 - share)], ...whole };
}

test('a retry of the old generation leaves the shares of the new one alone', () => {
  const { service, evidence, environment, clusters } = bench(TEXT);
  const old = new ServiceSteering(service, clusters, environment, null);
  old.applyPlan(planned(1_000_000));
  evidence.renew();
  const running = old.chooseConnection(CLIENT);
  assert.equal(running?.cluster.name, 'one');
  const next = new ServiceSteering(service, clusters, environment, old);
  next.applyPlan(planned(0));
  evidence.renew();
  assert.equal(next.chooseConnection(CLIENT)?.cluster.name, 'two');
  // The request that began before fails over by the plan it began with.
  old.alternative(running, [running], CLIENT);
  for (let i = 0; i < 10; i += 1) assert.equal(next.chooseConnection(CLIENT)?.cluster.name, 'two');
});

test('what another worker has found failing returns by trials here too, and others take the rest', () => {
  const circuit = 'services:\n  shop: { circuit: { trials: 2 }, ';
  const { service, evidence, environment, clusters } = bench(TEXT.replace('services:\n  shop: { ', circuit));
  const steering = new ServiceSteering(service, clusters, environment, null);
  steering.applyPlan(planned(0, ['target_ejected']));
  steering.applyPlan(planned(1_000_000));
  evidence.renew();
  const places = Array.from({ length: 5 }, () => steering.chooseFor(aRequest())?.cluster.name);
  assert.deepEqual(places, ['one', 'one', 'two', 'two', 'two']);
});
