// From objects of a cluster to what is reported and explained: on virtual time, with a server in memory, metrics that lie and edges that tell.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ClusterSource } from '../../../agent/cluster-source.ts';
import { explainText } from '../../../agent/explain.ts';
import { createSnapshots } from '../../../agent/run.ts';
import { decodeSnapshot } from '../../../balancer/controller/hub/decode-snapshot.ts';
import { silentLog } from '../../../balancer/log.ts';
import { agentFile } from '../../support/kube-agent.ts';
import { autoscalerObject, autoscalerStatus, nodeObject, podObject, serviceObject, sliceObject } from '../../support/kube-objects.ts';
import { assertGolden } from '../../support/golden.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { AWAY, MemoryApi } from '../../support/memory-api.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const DECLARED =
  'services: { shop: { service: shop/web, ratePerEndpoint: 50 } }\ngateways: [{ service: shop/web, addresses: pod, ratePerEndpoint: 80 }]';
const LEARNED = 'services: { shop: { service: shop/web, learn: { p95: 200ms } } }';

class World {
  readonly clock = new ManualClock();
  readonly api = new MemoryApi(this.clock);
  readonly source: ClusterSource;
  #measurement = 0;

  private constructor(source: (world: World) => ClusterSource) {
    this.source = source(this);
  }

  static async start(text: string): Promise<World> {
    const file = await agentFile(text);
    const world = new World(({ api, clock }) => new ClusterSource({ api, file, clock, random: seededRandom(1), log: silentLog }));
    const { api } = world;
    for (const name of ['n1', 'n2']) api.put('nodes', name, nodeObject({ name, cpu: '4' }));
    for (const [name, node] of [
      ['web-1', 'n1'],
      ['web-2', 'n2'],
    ] as const)
      api.put('pods', name, podObject({ name, node, cpu: '1', deployment: 'web' }));
    api.put('services', 'web', serviceObject({ name: 'web' }));
    const endpoints = [
      { address: '10.1.0.1', pod: 'web-1', ready: true },
      { address: '10.1.0.2', pod: 'web-2', ready: true },
    ];
    api.put('endpointslices', 'web-1', sliceObject({ service: 'web', endpoints }));
    const autoscaler = { name: 'web', deployment: 'web', most: 8, current: 2 };
    api.put('horizontalpodautoscalers', 'web', { ...autoscalerObject(autoscaler), status: autoscalerStatus(autoscaler) });
    world.source.start();
    await world.clock.elapse(100);
    return world;
  }

  /** Another measurement of the metrics server; its pods are told under the name of the kind, as its own API has them. */
  async use(pods: readonly (readonly [name: string, cpu: string])[], isNew = true): Promise<void> {
    if (isNew) this.#measurement += 1;
    const timestamp = new Date(this.#measurement * 1000).toISOString();
    this.api.metrics = pods.map(([name, cpu]) => ({ metadata: { namespace: 'shop', name }, timestamp, containers: [{ usage: { cpu } }] }));
    await this.clock.elapse(17_000);
  }

  get shop() {
    const [shop] = this.source.figures().services;
    if (shop === undefined) throw new Error('there is no service');
    return shop;
  }
}

test('a report of a cluster passes the border of the hub as it is', async () => {
  const { source, clock } = await World.start(DECLARED);
  const next = createSnapshots(
    { cluster: 'eu', capacityRps: null, periodMs: 1000 },
    { clock, random: seededRandom(2), measure: () => Promise.resolve(source.measure()) },
  );
  const snapshot = { ...(await next()), protocol: 1 as const };
  const expected = { cluster: 'eu', protocol: 1, session: null, last: null } as const;
  assert.deepEqual(decodeSnapshot(JSON.parse(JSON.stringify(snapshot)), expected), { ok: true, snapshot });
  assert.equal(snapshot.capacityRps, 100);
  assert.equal(snapshot.growth, 4, 'its pods are the gateway too, and grow with it');
  assert.deepEqual(snapshot.endpoints?.list.length, 2);
});

test('what is declared to the agent is a ceiling for what it finds', async () => {
  const { source, clock } = await World.start(DECLARED);
  const next = createSnapshots(
    { cluster: 'eu', capacityRps: 70, periodMs: 1000 },
    { clock, random: seededRandom(2), measure: () => Promise.resolve(source.measure()) },
  );
  assert.equal((await next()).capacityRps, 70);
});

test('an explanation names every figure that the capacity is made from', async () => {
  const world = await World.start(DECLARED);
  await world.use([
    ['web-1', '500m'],
    ['web-2', '700m'],
  ]);
  const { source } = world;
  const explanation = {
    figures: source.figures(),
    controlPlane: source.view.controlPlane(),
    sources: source.sources(),
    problems: source.problems(),
  };
  assertGolden('agent/explain.txt', explainText(explanation).trimEnd());
});

test('of a server that is away the last knowledge stays, and its endpoints are marked as not fresh', async () => {
  const { source, clock, api } = await World.start(DECLARED);
  api.fault = () => AWAY;
  api.endWatches(AWAY);
  await clock.elapse(20_000);
  const report = source.measure();
  assert.equal(report.capacityRps, 100);
  assert.deepEqual([report.endpoints?.fresh, report.endpoints?.list.length, report.controlPlane], [false, 2, 'away']);
  assert.equal(report.sources?.endpointSlices?.state, 'stale');
  api.fault = null;
  await clock.elapse(35_000);
  assert.deepEqual([source.measure().endpoints?.fresh, source.measure().controlPlane], [true, 'ready']);
});

describe('metrics', () => {
  test('are use of what pods asked for', async () => {
    const world = await World.start(DECLARED);
    await world.use([
      ['web-1', '500m'],
      ['web-2', '700m'],
    ]);
    assert.deepEqual([world.shop.report.utilisation?.toFixed(3), world.shop.report.utilisationOf], ['0.600', 'pods']);
  });

  test('that lie are left out: more than a node has, less than nothing, and what nobody measures any more', async () => {
    const world = await World.start(DECLARED);
    const use = (): string | undefined => world.shop.report.utilisation?.toFixed(3);
    await world.use([
      ['web-1', '500m'],
      ['web-2', '900'],
    ]);
    assert.equal(use(), '0.500');
    await world.use([
      ['web-1', '-5'],
      ['web-2', '700m'],
    ]);
    assert.equal(use(), '0.700');
    for (let n = 0; n < 10; n += 1)
      await world.use(
        [
          ['web-1', '500m'],
          ['web-2', '700m'],
        ],
        n === 0,
      );
    assert.equal(use(), undefined, 'the same measurement for two minutes');
  });
});

describe('a rate that is learned', () => {
  test('comes from what edges see, all of them together, and ends with what they say', async () => {
    const { source, clock } = await World.start(LEARNED);
    assert.equal(source.measure().services?.[0]?.capacityRps, null);
    source.figures();
    source.observe('edge-1', { shop: { requestsPerSecond: 60, p95Ms: 90 } });
    source.observe('edge-2', { shop: { requestsPerSecond: 20, p95Ms: 120 } });
    await clock.elapse(1000);
    const [shop] = source.measure().services ?? [];
    assert.deepEqual([shop?.ratePerEndpoint, shop?.rateOf, shop?.capacityRps], [60, 'learned', 120]);
    for (let second = 0; second < 30; second += 1) {
      await clock.elapse(1000);
      source.measure();
    }
    assert.equal(source.measure().services?.[0]?.ratePerEndpoint, 60, 'silence is no news');
  });

  test('falls when answers are too slow', async () => {
    const { source, clock } = await World.start(LEARNED);
    source.measure();
    for (const p95Ms of [90, 900, 900, 900]) {
      source.observe('edge-1', { shop: { requestsPerSecond: 80, p95Ms } });
      await clock.elapse(1000);
      source.measure();
    }
    assert.equal(source.measure().services?.[0]?.ratePerEndpoint, 40);
  });
});
