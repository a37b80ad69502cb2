// Who decides where a client goes: a trusted peer, a pin that still counts, a key, the split; and what weight 0 means for pins.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Lateness } from '../../../health/lateness.ts';
import { TryLimit } from '../../../health/try-limit.ts';
import { OutlierDetector } from '../../../health/outlier.ts';
import type { StickyConfig } from '../../../balancer/config/sticky-config.ts';
import type { PlanTarget } from '../../../balancer/steer/plan-shape.ts';
import { Meter } from '../../../balancer/telemetry/meter.ts';
import { Evidence } from '../../../balancer/worker/evidence.ts';
import { PinKey } from '../../../balancer/steer/pins.ts';
import type { ServiceTarget } from '../../../balancer/worker/service-steering.ts';
import { TryStats } from '../../../balancer/worker/stats.ts';
import { BY_SPLIT, StickyChoice } from '../../../balancer/worker/sticky-choice.ts';
import { setDown, upstreamBench } from '../../support/cluster-upstream.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const COOKIE: StickyConfig = {
  mode: 'cookie',
  key: null,
  scope: 'version',
  salt: 'shop',
  onZero: 'drain',
  drainMs: 60_000,
  cookieName: 'weir-shop',
  cookieMaxAgeMs: null,
  override: 'x-place',
};

const BLUE = 0;
const GREEN = 1;

function choice(config: Partial<StickyConfig> = {}) {
  const bench = upstreamBench();
  const random = seededRandom(3);
  const outlier = { consecutive: 5, ratio: 0.5, minRequests: 20, windowMs: 1000, baseEjectionMs: 5000, maxEjectionMs: 5000 };
  const targets = ['blue', 'green'].map((version, index): ServiceTarget => ({
    ...{ service: 'shop', version, host: null, index },
    cluster: bench.make([1001 + index]),
    work: { attempts: 0 },
    circuit: null,
    detector: new OutlierDetector(outlier, random),
    lateness: new Lateness(outlier),
    tryLimit: new TryLimit(),
    tries: new TryStats(new Meter(), ['shop', version, 'one']),
    usual: null,
  }));
  const evidence = new Evidence({ report: () => undefined, countEjection: () => assert.fail('nothing is ejected') });
  const pinKey = new PinKey();
  pinKey.set(Buffer.alloc(48, 7));
  const meter = new Meter();
  const environment = { deadlines: bench.deadlines, random, evidence, meter, pinKey };
  const sticky = new StickyChoice({ ...COOKIE, ...config }, targets, environment, null);
  const plan = (blue: number, epoch = 0, reasons: PlanTarget['reasons'] = []): void => {
    const shares = [blue, 1_000_000 - blue];
    const planned = targets.map(({ version, cluster, index }): PlanTarget => ({
      ...{ version, cluster: cluster.name, available: 1, receives: true, lastResort: false, priority: 0, limit: null },
      ...{ desired: shares[index] ?? 0, effective: shares[index] ?? 0, reasons },
    }));
    sticky.update({ planned, effective: shares, shed: 0, epoch });
  };
  plan(500_000);
  const pinTo = (index: number): string => {
    const target = targets[index];
    assert.ok(target !== undefined);
    return (sticky.cookieFor(target, request()) ?? '').split(';')[0] ?? '';
  };
  /** Whether the client of this request is counted as a new one. */
  const isNew = (asked: ReturnType<typeof request>): boolean => {
    const chosen = sticky.choose(asked);
    const target = targets[chosen === BY_SPLIT ? BLUE : chosen];
    assert.ok(target !== undefined);
    meter.takeDelta();
    sticky.countNew(target);
    return meter.takeDelta().some(({ name }) => name === 'weir_assignments_total');
  };
  return { bench, targets, sticky, plan, pinTo, isNew };
}

const request = (fields: readonly string[] = [], peerTrusted = false) => ({
  ...{ fields: [...fields], query: '', clientAddress: '192.0.2.1', scheme: 'https' as const, peerTrusted },
});

test('a pin is given with the answer and kept from then on', () => {
  const { sticky, targets, pinTo } = choice();
  assert.equal(sticky.choose(request()), BY_SPLIT);
  const [blue] = targets;
  assert.ok(blue !== undefined);
  assert.match(
    sticky.cookieFor(blue, request()) ?? '',
    /^weir-shop=shop\.0\.blue\.[A-Za-z0-9_-]{22}; Path=\/; HttpOnly; SameSite=Lax; Secure$/,
  );
  for (const index of [BLUE, GREEN]) {
    assert.equal(sticky.choose(request(['cookie', `a=b; ${pinTo(index)}`])), index);
  }
  assert.equal(sticky.cookieFor(blue, request(['cookie', pinTo(BLUE)])), null);
});

test('a pin that weir did not sign, or of another service, counts for nothing', () => {
  const { sticky, pinTo } = choice();
  const pin = pinTo(BLUE);
  for (const forged of [
    pin.replace('blue', 'green'),
    pin.replace('.0.', '.1.'),
    `${pin}x`,
    pin.slice(0, -1),
    'weir-shop=',
    pin.replace('=shop', '=cart'),
  ])
    assert.equal(sticky.choose(request(['cookie', forged])), BY_SPLIT, forged);
});

test('another epoch voids all pins; the one before brings them back', () => {
  const { sticky, plan, pinTo } = choice();
  const pin = pinTo(BLUE);
  plan(500_000, 12);
  assert.equal(sticky.choose(request(['cookie', pin])), BY_SPLIT);
  const later = pinTo(BLUE);
  plan(500_000, 0);
  assert.equal(sticky.choose(request(['cookie', pin])), BLUE);
  assert.equal(sticky.choose(request(['cookie', later])), BY_SPLIT);
});

test('a pin to what is down, ejected or in maintenance is broken, and given anew where the client is answered', () => {
  const { sticky, targets, plan, pinTo } = choice();
  const pin = pinTo(BLUE);
  const [blue, green] = targets;
  assert.ok(blue !== undefined && green !== undefined);
  setDown(blue.cluster, 1001);
  assert.equal(sticky.choose(request(['cookie', pin])), BY_SPLIT);
  assert.match(sticky.cookieFor(green, request(['cookie', pin])) ?? '', /^weir-shop=shop\.0\.green\./);
  setDown(blue.cluster);
  assert.equal(sticky.choose(request(['cookie', pin])), BLUE);
  plan(500_000, 0, ['maintenance']);
  assert.equal(sticky.choose(request(['cookie', pin])), BY_SPLIT);
  plan(500_000);
  for (let failure = 0; failure < 5; failure += 1) blue.detector.failure(0);
  assert.equal(sticky.choose(request(['cookie', pin])), BY_SPLIT);
});

test('at weight 0 pins drain until their time is over, or are evicted at once', () => {
  const drain = choice();
  const pin = drain.pinTo(BLUE);
  const go = (ms: number): void => {
    drain.bench.clock.advance(ms);
    drain.bench.deadlines.sweep();
  };
  drain.plan(0);
  go(59_000);
  drain.plan(0);
  assert.equal(drain.sticky.choose(request(['cookie', pin])), BLUE);
  go(1000);
  assert.equal(drain.sticky.choose(request(['cookie', pin])), BY_SPLIT);
  drain.plan(10_000);
  assert.equal(drain.sticky.choose(request(['cookie', pin])), BLUE);
  const evict = choice({ onZero: 'evict' });
  const other = evict.pinTo(BLUE);
  evict.plan(0);
  assert.equal(evict.sticky.choose(request(['cookie', other])), BY_SPLIT);
});

test('what a trusted peer says goes before pin and key; nobody else is heard, and no pin follows from it', () => {
  const { sticky, targets, pinTo } = choice({ key: { kind: 'address' } });
  const fields = ['cookie', pinTo(BLUE), 'x-place', 'green'];
  assert.equal(sticky.choose(request(fields, true)), GREEN);
  assert.equal(sticky.choose(request(fields, false)), BLUE);
  assert.equal(sticky.choose(request(['x-place', 'green/one'], true)), GREEN);
  const [, green] = targets;
  assert.ok(green !== undefined);
  assert.equal(sticky.cookieFor(green, request(fields, true)), null);
});

test('a hash keeps clients with a key and nobody else, and gives no cookies', () => {
  const { sticky, targets } = choice({ mode: 'hash', key: { kind: 'header', name: 'x-user' } });
  const [blue] = targets;
  assert.ok(blue !== undefined);
  for (const user of ['ann', 'bob', 'eve'])
    assert.equal(new Set(Array.from({ length: 5 }, () => sticky.choose(request(['x-user', user])))).size, 1);
  assert.equal(sticky.choose(request()), BY_SPLIT);
  assert.equal(sticky.cookieFor(blue, request()), null);
});

test('new is who comes without a pin that counts; who is pinned or sent by a trusted peer is not', () => {
  const { isNew, pinTo, plan } = choice();
  assert.equal(isNew(request()), true);
  assert.equal(isNew(request()), true);
  assert.equal(isNew(request(['cookie', pinTo(BLUE)])), false);
  assert.equal(isNew(request(['x-place', 'green'], true)), false);
  const before = pinTo(BLUE);
  plan(500_000, 12);
  assert.equal(isNew(request(['cookie', before])), true);
});

test('a key is new once, and again when it has not come for two minutes', () => {
  for (const mode of ['hash', 'cookie'] as const) {
    const { isNew, bench } = choice({ mode, key: { kind: 'header', name: 'x-user' } });
    assert.deepEqual(
      [isNew(request(['x-user', 'ann'])), isNew(request(['x-user', 'ann'])), isNew(request(['x-user', 'bob']))],
      [true, false, true],
    );
    bench.clock.advance(120_000);
    bench.deadlines.sweep();
    assert.equal(isNew(request(['x-user', 'ann'])), true);
  }
});
