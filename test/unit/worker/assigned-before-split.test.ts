// A rule takes requests before the split, also for a version of weight 0, as long as that has a place that can take them.
import assert from 'node:assert/strict';
import { NOTHING_SHARED } from '../../support/filter-environment.ts';
import { test } from 'node:test';
import { Deadlines } from '../../../health/deadlines.ts';
import { loadConfig } from '../../../balancer/config/load.ts';
import { applyChange, type DirectChange } from '../../../balancer/intent/apply-change.ts';
import type { Intent } from '../../../balancer/intent/intent.ts';
import { seedIntent } from '../../../balancer/intent/seed.ts';
import { EXTENSIONS } from '../../../balancer/registries.ts';
import { PinKey } from '../../../balancer/steer/pins.ts';
import { plan } from '../../../balancer/steer/plan.ts';
import { Meter } from '../../../balancer/telemetry/meter.ts';
import { Evidence } from '../../../balancer/worker/evidence.ts';
import { Generation } from '../../../balancer/worker/generation.ts';
import type { ServiceSteering } from '../../../balancer/worker/service-steering.ts';
import { TEST_ENVIRONMENT } from '../../support/config-text.ts';
import { setDown } from '../../support/cluster-upstream.ts';
import { healthView } from '../../support/fleet-config.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const BETA = 'assign: [ { to: green, match: { headers: { x-beta: "1" } } } ]';

function file(service: string): string {
  return `version: 1
listeners: { web: { bind: "127.0.0.1:8080" } }
safety: { maxCapacityOut: 100% }
clusters:
  east: { endpoints: ["http://127.0.0.1:9001"] }
  west: { endpoints: ["http://127.0.0.1:9002"] }
  north: { endpoints: ["http://127.0.0.1:9003"] }
services:
  shop:
    versions: { blue: { clusters: { east: {} } }, green: { clusters: { west: { weight: 3 }, north: { weight: 1 } } } }
    split: { blue: 100, green: 0 }
    ${service}
routes: [ { service: shop } ]
`;
}

function bench(service: string, changes: readonly DirectChange[] = []) {
  const result = loadConfig({ file: '/etc/weir/weir.yaml', text: file(service) }, EXTENSIONS, TEST_ENVIRONMENT);
  assert.ok(result.ok);
  const { config } = result;
  const meter = new Meter();
  const evidence = new Evidence({ report: () => undefined, countEjection: () => assert.fail('nothing is ejected') });
  const pinKey = new PinKey();
  pinKey.set(Buffer.alloc(48, 7));
  const deadlines = new Deadlines(new ManualClock());
  const environment = {
    deadlines,
    random: seededRandom(5),
    evidence,
    readFile: () => Buffer.alloc(0),
    nowMs: () => 0,
    clock: new ManualClock(),
    readSecret: () => null,
    ...NOTHING_SHARED,
    warn: () => undefined,
  };
  const generation = new Generation({ number: 1, config }, new Map(), { ...environment, meter, pinKey, clientRegions: null }, null);
  const intent = changes.reduce((present: Intent, change) => {
    const outcome = applyChange(present, change, config);
    assert.ok(outcome.ok);
    return outcome.intent;
  }, seedIntent(config, null).intent);
  const health = healthView({ east: 'up', west: 'up', north: 'up' });
  const facts = { services: config.services, clusters: config.clusters, intent, health, capacity: {}, demand: {} };
  generation.applyPlan(plan({ ...facts, previous: null, nowMs: 0 }).plan);
  const shop = generation.services.get('shop');
  assert.ok(shop !== undefined);
  const unavailable = (): number =>
    meter.takeDelta().reduce((sum, { name, value }) => sum + (name === 'weir_assign_unavailable_total' ? value : 0), 0);
  return { shop, evidence, unavailable };
}

const request = (fields: readonly string[] = [], peerTrusted = false) => ({
  ...{ fields: [...fields], query: '', clientAddress: '192.0.2.1', scheme: 'https' as const, peerTrusted },
});
const IN_BETA = ['x-beta', '1'];

/** How often each place gets one of the next eight requests. */
function places(shop: ServiceSteering, fields: readonly string[], peerTrusted = false): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let one = 0; one < 8; one += 1) {
    const target = shop.chooseFor(request(fields, peerTrusted));
    const name = target === null ? 'nowhere' : `${target.version}@${target.cluster.name}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

test('who is taken by a rule gets the version it names, at weight 0 too, by the weights of its clusters; all others go by the split', () => {
  const { shop } = bench(BETA);
  assert.deepEqual(places(shop, IN_BETA), { 'green@west': 6, 'green@north': 2 });
  assert.equal(shop.chosenBy, 'assign');
  assert.deepEqual(places(shop, []), { 'blue@east': 8 });
  assert.equal(shop.chosenBy, 'split');
});

test('a cluster that is drained, dialled to 0, in maintenance or down takes none of them', () => {
  for (const change of [
    { kind: 'admin', cluster: 'west', state: 'drain' },
    { kind: 'admin', cluster: 'west', state: 'maintenance' },
    { kind: 'dial', cluster: 'west', percent: 0 },
  ] as const)
    assert.deepEqual(places(bench(BETA, [change]).shop, IN_BETA), { 'green@north': 8 }, JSON.stringify(change));
  const { shop, evidence } = bench(BETA);
  for (const { cluster } of shop.targets) if (cluster.name === 'west') setDown(cluster, 9002);
  evidence.renew();
  assert.deepEqual(places(shop, IN_BETA), { 'green@north': 8 });
});

const CLOSED = ['west', 'north'].map((cluster) => ({ kind: 'admin', cluster, state: 'drain' }) as const);

test('where its version has no place a request goes by the split, and that is counted', () => {
  const { shop, unavailable } = bench(BETA, CLOSED);
  assert.deepEqual(places(shop, IN_BETA), { 'blue@east': 8 });
  assert.equal(shop.chosenBy, 'split');
  assert.equal(unavailable(), 8);
});

test('where nothing may move it finds no place', () => {
  for (const onUnavailable of ['fail', 'hold'])
    assert.deepEqual(places(bench(`onUnavailable: ${onUnavailable}\n    ${BETA}`, CLOSED).shop, IN_BETA), { nowhere: 8 }, onUnavailable);
});

test('a failed attempt is followed by one at the same version in another cluster, at weight 0 too', () => {
  const { shop } = bench(BETA);
  const [, west] = shop.targets;
  assert.ok(west !== undefined);
  assert.equal(shop.alternative(west, [west], '192.0.2.1')?.cluster.name, 'north');
});

test('a rule goes before a pin and gives none; what a trusted peer says goes before the rule', () => {
  const { shop } = bench(`sticky: { mode: cookie, override: x-place }\n    ${BETA}`);
  const [blue] = shop.targets;
  assert.ok(blue !== undefined);
  assert.deepEqual(places(shop, []), { 'blue@east': 8 });
  const pin = shop.cookieFor(blue, request())?.split(';')[0] ?? '';
  assert.match(pin, /^weir-shop=shop\.0\.blue\./);
  assert.deepEqual(Object.keys(places(shop, [...IN_BETA, 'cookie', pin])), ['green@west', 'green@north']);
  assert.equal(shop.cookieFor(blue, request(IN_BETA)), null);
  assert.deepEqual(places(shop, [...IN_BETA, 'x-place', 'blue'], true), { 'blue@east': 8 });
  assert.equal(shop.chosenBy, 'override');
  assert.equal(places(shop, [...IN_BETA, 'x-place', 'blue'])['blue@east'], undefined, 'from a stranger it says nothing');
});

test('a connection that is passed through goes by a bucket of addresses', () => {
  const { shop } = bench('assign: [ { to: green, match: { bucket: { key: address, upTo: 100% } } } ]');
  assert.equal(shop.chooseConnection('192.0.2.1')?.version, 'green');
  assert.equal(shop.chosenBy, 'assign');
  assert.equal(bench(BETA).shop.chooseConnection('192.0.2.1')?.version, 'blue');
});
