// A worker steers each client by the shares of its region, and says how much each region asks for.
import assert from 'node:assert/strict';
import { NOTHING_SHARED } from '../../support/filter-environment.ts';
import { test } from 'node:test';
import { Deadlines } from '../../../health/deadlines.ts';
import { loadConfig } from '../../../balancer/config/load.ts';
import { seedIntent } from '../../../balancer/intent/seed.ts';
import { ClientRegions } from '../../../balancer/locate/client-regions.ts';
import { EXTENSIONS } from '../../../balancer/registries.ts';
import { PinKey } from '../../../balancer/steer/pins.ts';
import { plan } from '../../../balancer/steer/plan.ts';
import type { Plan } from '../../../balancer/steer/plan-shape.ts';
import { Meter } from '../../../balancer/telemetry/meter.ts';
import { Evidence } from '../../../balancer/worker/evidence.ts';
import { Generation, routersInSteps } from '../../../balancer/worker/generation.ts';
import type { ServiceSteering } from '../../../balancer/worker/service-steering.ts';
import { TEST_ENVIRONMENT } from '../../support/config-text.ts';
import { healthView } from '../../support/fleet-config.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const FLEET = `version: 1
host: { region: eu }
listeners: { web: { bind: "127.0.0.1:8080" } }
clusters:
  here: { region: eu, endpoints: ["http://127.0.0.1:9001"] }
  there: { region: us, endpoints: ["http://127.0.0.1:9002"] }
services:
  shop: { versions: { blue: { clusters: { here: {}, there: {} } } }, steer: { policy: nearest } }
  flat: { versions: { blue: { clusters: { here: {} } } } }
routes:
  - { service: shop }
  - { service: flat, match: { path: /flat } }
`;
const REGIONS = 'clientRegions: { 10.0.0.0/8: us, 10.1.0.0/16: eu, "2001:db8::/32": us }\n';

const IN_THE_US = '10.200.0.1';
const IN_EUROPE = '10.1.0.1';
const SOMEWHERE = '192.0.2.1';

function resultOf<T>(steps: Generator<undefined, T>): T {
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}

class Bench {
  readonly meter = new Meter();
  readonly evidence = new Evidence({ report: () => undefined, countEjection: () => assert.fail('nothing is ejected') });
  readonly #environment = {
    deadlines: new Deadlines(new ManualClock()),
    random: seededRandom(5),
    evidence: this.evidence,
    readFile: () => Buffer.alloc(0),
    clock: new ManualClock(),
    readSecret: () => null,
    ...NOTHING_SHARED,
    nowMs: () => 0,
    warn: () => undefined,
    meter: this.meter,
    pinKey: new PinKey(),
  };
  generation: Generation | null = null;
  plan: Plan = { services: {}, health: healthView({}) };

  /** A generation from a config, with the plan that goes with it. */
  async serve(text: string): Promise<this> {
    const loaded = loadConfig({ file: '/etc/weir/weir.yaml', text }, EXTENSIONS, TEST_ENVIRONMENT);
    assert.ok(loaded.ok);
    const { config } = loaded;
    const number = (this.generation?.number ?? 0) + 1;
    const sources = { clock: new ManualClock(), warn: (problem: string) => assert.fail(problem) };
    const none = Object.keys(config.clientRegions).length === 0;
    const clientRegions = none ? null : await ClientRegions.of(config, sources, this.generation?.clientRegions ?? null);
    const environment = { ...this.#environment, clientRegions };
    this.generation = new Generation({ number, config }, resultOf(routersInSteps(config)), environment, this.generation);
    const health = healthView({ here: 'up', there: 'up' });
    const names = [...new Set(Object.values(config.clientRegions))];
    const facts = { ...config, clientRegions: names, intent: seedIntent(config, null).intent, health, capacity: {}, demand: {} };
    this.plan = plan({ ...facts, previous: null, nowMs: 0 }).plan;
    this.apply();
    return this;
  }

  apply(): void {
    this.generation?.applyPlan(this.plan);
    this.evidence.renew();
  }

  service(name: string): ServiceSteering {
    const service = this.generation?.services.get(name);
    assert.ok(service !== undefined);
    return service;
  }

  /** Where the next ten requests of a client go. */
  places(client: string, name = 'shop'): ReadonlySet<string | undefined> {
    return new Set(Array.from({ length: 10 }, () => this.service(name).chooseConnection(client)?.cluster.name));
  }

  asked(): Readonly<Record<string, number>> {
    const series = this.meter.takeDelta().filter(({ name, value }) => name === 'weir_client_region_requests_total' && value > 0);
    return Object.fromEntries(series.map(({ labels, value }) => [labels.join('/'), value]));
  }
}

test('clients go where it is near for them, and those nobody knows where it is near for the host', async () => {
  const bench = await new Bench().serve(FLEET + REGIONS);
  assert.deepEqual([...bench.places(IN_THE_US)], ['there']);
  assert.deepEqual([...bench.places(IN_EUROPE)], ['here']);
  assert.deepEqual([...bench.places(SOMEWHERE)], ['here']);
  assert.deepEqual([...bench.places('2001:db8::1')], ['there']);
  assert.deepEqual([...bench.places(IN_THE_US, 'flat')], ['here']);
});

test('where a place is lost its clients go on to the next one from there, at once', async () => {
  const bench = await new Bench().serve(FLEET + REGIONS);
  const service = bench.service('shop');
  const [here, there] = service.targets;
  assert.ok(here !== undefined && there !== undefined);
  assert.equal(service.alternative(there, [there], IN_THE_US), here);
  there.cluster.applyHealth({ state: 'down', endpoints: there.cluster.endpoints.map(({ id }) => ({ endpoint: id, state: 'down' })) });
  bench.evidence.renew();
  assert.deepEqual([...bench.places(IN_THE_US)], ['here']);
  assert.deepEqual([...bench.places(IN_EUROPE)], ['here']);
});

test('each request is counted once for the region of its client, and none of a service with another policy', async () => {
  const bench = await new Bench().serve(FLEET + REGIONS);
  for (const client of [IN_THE_US, IN_THE_US, IN_EUROPE, SOMEWHERE]) {
    assert.equal(bench.service('shop').refuses('normal', client), false);
    assert.equal(bench.service('flat').refuses('normal', client), false);
    bench.service('shop').chooseConnection(client);
  }
  assert.deepEqual(bench.asked(), { 'shop/': 1, 'shop/eu': 1, 'shop/us': 2 });
});

test('a new config moves clients with its plan, and one without regions counts nothing', async () => {
  const bench = await new Bench().serve(FLEET + REGIONS);
  assert.deepEqual([...bench.places(IN_THE_US)], ['there']);
  await bench.serve(FLEET + REGIONS.replace('10.0.0.0/8: us', '10.0.0.0/8: eu'));
  assert.deepEqual([...bench.places(IN_THE_US)], ['here']);
  await bench.serve(FLEET);
  assert.deepEqual([...bench.places('2001:db8::1')], ['here']);
  bench.service('shop').refuses('normal', IN_THE_US);
  assert.deepEqual(bench.asked(), {});
});

test('the excess of one region is refused, and nothing of another', async () => {
  const bench = await new Bench().serve(FLEET + REGIONS);
  const shop = bench.plan.services['shop'];
  const us = shop?.regions?.['us'];
  assert.ok(shop !== undefined && us !== undefined);
  const half = us.targets.map((target) => ({ ...target, effective: target.effective / 2 }));
  const regions = { ...shop.regions, us: { ...us, targets: half, lost: 500_000, shed: 500_000 } };
  bench.plan = { ...bench.plan, services: { ...bench.plan.services, shop: { ...shop, regions } } };
  bench.apply();
  const refused = (client: string): number =>
    Array.from({ length: 100 }, () => bench.service('shop').refuses('normal', client)).filter(Boolean).length;
  assert.equal(refused(IN_THE_US), 50);
  assert.equal(refused(IN_EUROPE), 0);
});
