// Quotas of a host: never more than one passes in a day or month whatever ends when, little is lost, and the calendar begins them anew.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, test } from 'node:test';
import fc from 'fast-check';
import type { LimitConfig } from '../../../balancer/config/limit-config.ts';
import { windowAt } from '../../../balancer/config/limit-window.ts';
import { Limits } from '../../../balancer/controller/limits.ts';
import { consumerIn, Quotas } from '../../../balancer/controller/quotas.ts';
import type { Decision } from '../../../balancer/filter/rate-limit/allowances.ts';
import type { QuotaCount, Store } from '../../../balancer/store/store.ts';
import { openSqliteStore } from '../../../balancer/store/sqlite.ts';
import { HeldAllowances } from '../../../balancer/worker/held-allowances.ts';
import { aLimit } from '../../support/limit.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
const HOUR_MS = 3_600_000;

const monthly = (limit: number, parts: Partial<LimitConfig> = {}): LimitConfig =>
  aLimit({ name: 'monthly', by: [{ kind: 'consumer' }], calendar: 'month', limit, onUnavailable: 'deny', ...parts });

/** What survives: by quota and whose. */
class Disk {
  readonly rows = new Map<string, QuotaCount>();
  writes = 0;
  isFull = false;

  quotaCounts(afterMs: number): readonly QuotaCount[] {
    return [...this.rows.values()].filter(({ endMs }) => endMs > afterMs);
  }

  putQuotaCounts(counts: readonly QuotaCount[], endedMs: number): void {
    if (this.isFull) throw new Error('database or disk is full');
    this.writes += 1;
    for (const [name, { endMs }] of this.rows) if (endMs <= endedMs) this.rows.delete(name);
    for (const count of counts) this.rows.set(`${count.limit} ${count.key}`, count);
  }
}

/** A host of two workers. All of it can be killed, and begins with what its store has. */
class Host {
  readonly clock: ManualClock;
  readonly store: Pick<Store, 'quotaCounts' | 'putQuotaCounts'>;
  readonly told: string[] = [];
  readonly epochs = new Map<string, number>();
  limit: LimitConfig;
  quotas!: Quotas;
  workers!: readonly HeldAllowances[];
  #limits!: Limits;
  #controllers = 0;

  constructor(limit: LimitConfig, at = '2026-11-21T10:00:00Z', store: Host['store'] = new Disk()) {
    this.limit = limit;
    this.store = store;
    this.clock = new ManualClock(0, Date.parse(at));
    this.start();
  }

  start(): void {
    this.workers = [];
    this.startController();
    this.workers = [0, 1].map(() => {
      const worker: HeldAllowances = new HeldAllowances({
        clock: this.clock,
        isUp: () => true,
        ask: (wishes, charges) => {
          const asked = this.#controllers;
          const give: Parameters<Limits['grant']>[1] = (grants) => {
            if (this.#controllers === asked && this.workers.includes(worker)) worker.receive(grants);
          };
          if (!this.workers.includes(worker)) return;
          this.#limits.charge(charges);
          this.#limits.grant(wishes, give);
        },
        workers: () => 2,
      });
      return worker;
    });
  }

  /** The one before was killed: it neither stores nor says anything more. */
  startController(): void {
    const number = (this.#controllers += 1);
    const store: Host['store'] = {
      quotaCounts: (afterMs) => this.store.quotaCounts(afterMs),
      putQuotaCounts: (counts, endedMs) => {
        if (number === this.#controllers) this.store.putQuotaCounts(counts, endedMs);
      },
    };
    this.quotas = new Quotas({
      ...{ clock: this.clock, store, count: () => undefined },
      epochOf: (limit, consumer) => this.epochs.get(`${limit} ${consumer}`) ?? 0,
      tell: (text) => void this.told.push(text),
    });
    this.#limits = new Limits(() => this.clock.wallMs(), null, this.quotas);
    this.follow(this.limit);
    for (const worker of this.workers) worker.startOver();
  }

  follow(limit: LimitConfig): void {
    this.limit = limit;
    this.#limits.follow({ limits: { [limit.name]: limit }, workers: 2 });
  }

  /** As `kill -9` of every process: what was only in memory is gone. */
  kill(): void {
    this.start();
  }

  stop(): void {
    this.#limits.close();
  }

  /** Whether it waits or not. */
  async taken(...request: Parameters<Host['take']>): Promise<Decision> {
    return this.take(...request);
  }

  take(worker: number, consumer = 'acme', limit = this.limit): Decision | Promise<Decision> {
    return (this.workers[worker] ?? assert.fail()).take(limit, `=${consumer}`);
  }

  /** How many of so many requests pass, in turns over the workers, as many at once. */
  async passed(requests: number, { consumer = 'acme', limit = this.limit, atOnce = 50 } = {}): Promise<number> {
    let passed = 0;
    for (let at = 0; at < requests; at += atOnce) {
      const some = Array.from({ length: Math.min(atOnce, requests - at) }, (_, index) => this.taken(index % 2, consumer, limit));
      for (const { verdict } of await Promise.all(some)) if (verdict === 'pass') passed += 1;
      this.clock.advance(101);
    }
    return passed;
  }
}

const disk = ({ store }: Host): Disk => (store instanceof Disk ? store : assert.fail());

describe('a quota of a month', () => {
  it('lets exactly itself pass where all is asked of one worker after the other, and hardly less otherwise', async () => {
    assert.equal(await new Host(monthly(150)).passed(400), 150);
    const many = await new Host(monthly(10_000)).passed(12_000);
    assert.ok(many <= 10_000 && many >= 9900, `${many}`);
  });

  it('goes on after the whole host was killed, and loses at most a hundredth each time', async () => {
    const host = new Host(monthly(10_000));
    let passed = await host.passed(3000);
    host.kill();
    passed += await host.passed(3000);
    host.kill();
    passed += await host.passed(6000);
    assert.ok(passed <= 10_000 && passed >= 10_000 - 3 * 100, `${passed}`);
    assert.equal(await host.passed(50), 0);
  });

  it('loses nothing where all processes end in order', async () => {
    const host = new Host(monthly(10_000));
    assert.equal(await host.passed(100), 100);
    for (const worker of host.workers) worker.giveBack();
    host.stop();
    host.start();
    assert.equal(host.quotas.used(host.limit, '=acme'), 100);
    assert.equal(await host.passed(10_000, { atOnce: 200 }), 9900);
  });

  it('has back what a worker lets go of callers that it has no room to remember', async () => {
    const host = new Host(monthly(10_000));
    await host.taken(0, 'acme');
    for (let caller = 0; caller < 20_001; caller += 4000)
      await Promise.all(Array.from({ length: 4000 }, (_, index) => host.taken(0, `caller ${caller + index}`)));
    await host.taken(0, 'the next');
    assert.equal(host.quotas.used(host.limit, '=acme'), 1);
  });

  it('is written once for many requests', async () => {
    const host = new Host(monthly(10_000));
    await host.passed(5000);
    assert.ok(disk(host).writes <= 110, `${disk(host).writes}`);
  });

  it('is written once for all that ask together', async () => {
    const host = new Host(monthly(10));
    const all = Array.from({ length: 500 }, (_, index) => host.taken(index % 2, `caller ${index}`));
    await Promise.all(all);
    assert.ok(disk(host).writes <= 2, `${disk(host).writes}`);
  });

  it('begins anew with the month of UTC, and not before', async () => {
    const host = new Host(monthly(10), '2026-11-30T23:59:58Z');
    assert.equal(await host.passed(20), 10);
    host.clock.advance(1700);
    assert.equal(await host.passed(5), 0);
    host.clock.advance(200);
    assert.equal(await host.passed(20), 10);
    host.clock.advance(30 * 24 * HOUR_MS);
    assert.equal(await host.passed(20), 0);
    host.clock.advance(25 * HOUR_MS);
    assert.equal(await host.passed(20), 10);
  });

  it('voids with the month what workers have in hand of it', async () => {
    const host = new Host(monthly(10_000), '2026-11-30T23:59:59Z');
    await host.passed(2);
    host.clock.advance(1000);
    const passed = await host.passed(11_000);
    assert.ok(passed <= 10_000 && passed >= 9900, `${passed}`);
  });

  it('counts each consumer for itself, on a real store too', async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'weir-quota-'));
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    const store = openSqliteStore(directory);
    const host = new Host(monthly(20), '2026-11-30T12:00:00Z', store);
    assert.deepEqual([await host.passed(15), await host.passed(30, { consumer: 'other' })], [15, 20]);
    store.close();
    const reopened = openSqliteStore(directory);
    t.after(() => reopened.close());
    const again = new Host(monthly(20), '2026-11-30T13:00:00Z', reopened);
    assert.deepEqual([await again.passed(15), await again.passed(30, { consumer: 'other' })], [5, 0]);
    again.clock.advance(12 * HOUR_MS);
    assert.equal(await again.passed(1), 1);
    assert.equal(reopened.quotaCounts(0).length, 1);
  });

  it('opens no month anew when the clock is turned back', async () => {
    const disk = new Disk();
    assert.equal(await new Host(monthly(10), '2026-12-01T00:00:01Z', disk).passed(20), 10);
    assert.equal(await new Host(monthly(10), '2026-11-30T23:00:00Z', disk).passed(20), 0);
  });
});

test('what cannot be stored is not given, and does as the limit says', async () => {
  for (const [onUnavailable, verdict] of [
    ['deny', 'unknown'],
    ['allow', 'uncounted'],
  ] as const) {
    const host = new Host(monthly(10, { onUnavailable }));
    assert.equal(await host.passed(4), 4);
    disk(host).isFull = true;
    assert.equal((await host.take(0)).verdict, verdict);
    assert.equal((await host.take(1)).verdict, verdict);
    disk(host).isFull = false;
    assert.equal(await host.passed(10), 6);
    assert.match(host.told.join(), /^quotas cannot be stored.*disk is full,quotas are stored again$/);
  }
});

test('a controller that is killed gives nothing twice', async () => {
  const host = new Host(monthly(1000));
  let passed = 0;
  for (let round = 0; round < 10; round += 1) {
    passed += await host.passed(70);
    host.startController();
  }
  passed += await host.passed(1000);
  assert.ok(passed <= 1000 && passed >= 1000 - 11 * 10, `${passed}`);
});

describe('a plan', () => {
  const ofPlan = (limit: LimitConfig, plan: string, amount: number): LimitConfig => ({ ...limit, limit: amount, plan });

  it('has an amount of its own, and what was used before another one holds stays used', async () => {
    const all = monthly(10, { ofPlans: { gold: 30 } });
    const host = new Host(all);
    assert.equal(await host.passed(20), 10);
    assert.equal(await host.passed(50, { limit: ofPlan(all, 'gold', 30) }), 20);
    assert.equal(await host.passed(5), 0);
  });

  it('holds for limits that are no quotas as well', async () => {
    const all = aLimit({ name: 'daily', by: [{ kind: 'consumer' }], limit: 10, ofPlans: { gold: 30 } });
    for (const algorithm of ['fixed', 'sliding'] as const) {
      const host = new Host({ ...all, algorithm });
      assert.equal(await host.passed(20), 10);
      assert.equal(await host.passed(50, { limit: ofPlan({ ...all, algorithm }, 'gold', 30) }), 20);
    }
  });
});

describe('a reset', () => {
  it('lets a quota begin anew, once taken back it is as it was, and others go on', async () => {
    const host = new Host(monthly(10));
    assert.deepEqual([await host.passed(20), await host.passed(4, { consumer: 'other' })], [10, 4]);
    host.epochs.set('monthly acme', 7);
    assert.equal(host.quotas.used(host.limit, '=acme'), 0);
    assert.equal(await host.passed(3), 3);
    assert.deepEqual([host.quotas.used(host.limit, '=acme'), host.quotas.used(host.limit, '=other')], [3, 4]);
    host.kill();
    assert.equal(await host.passed(20), 7);
    host.epochs.clear();
    assert.equal(host.quotas.used(host.limit, '=acme'), 10);
    assert.equal(await host.passed(20), 0);
  });

  it('finds the consumer in a key of several parts, and nobody where it is an address', () => {
    const limit = monthly(10, { by: [{ kind: 'route' }, { kind: 'consumer' }] });
    assert.equal(consumerIn(limit, 'shop\n=acme\n'), 'acme');
    assert.equal(consumerIn(limit, 'shop\n192.0.2.1\n'), null);
    assert.equal(consumerIn(monthly(10), '=acme'), 'acme');
  });
});

test('never more than the quota passes in a month, whatever is killed when', async () => {
  const step = fc.oneof(
    { weight: 12, arbitrary: fc.tuple(fc.constant('take' as const), fc.nat({ max: 1 })) },
    { weight: 4, arbitrary: fc.tuple(fc.constant('burst' as const), fc.nat({ max: 300 })) },
    { weight: 6, arbitrary: fc.tuple(fc.constant('turn' as const), fc.nat()) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('kill' as const), fc.nat()) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('controller' as const), fc.nat()) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('stop' as const), fc.nat()) },
    { weight: 2, arbitrary: fc.tuple(fc.constant('hours' as const), fc.nat({ max: 100 })) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('full' as const), fc.nat()) },
  );
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 2000 }), fc.array(step, { maxLength: 80 }), async (limit, steps) => {
      const host = new Host(monthly(limit));
      const passed = new Map<number, number>();
      // What is given to a worker in one month and passes in the same turn as the next begins is of that month.
      const count = (decision: Decision | Promise<Decision>): void => {
        const { startMs } = windowAt('month', host.clock.wallMs());
        const add = ({ verdict }: Decision): void => {
          if (verdict === 'pass') passed.set(startMs, (passed.get(startMs) ?? 0) + 1);
        };
        if (decision instanceof Promise) void decision.then(add);
        else add(decision);
      };
      for (const [what, amount] of steps) {
        if (what === 'take') count(host.take(amount));
        else if (what === 'burst') for (let one = 0; one < amount; one += 1) count(host.take(one % 2));
        else if (what === 'kill') host.kill();
        else if (what === 'controller') host.startController();
        else if (what === 'full') disk(host).isFull = !disk(host).isFull;
        else if (what === 'stop') {
          for (const worker of host.workers) worker.giveBack();
          host.stop();
          host.start();
        } else if (what === 'hours') {
          // Who waits hears before time goes on.
          for (let one = 0; one < 4; one += 1) await turn();
          host.clock.advance(amount * HOUR_MS);
        } else await turn();
      }
      for (let one = 0; one < 4; one += 1) await turn();
      for (const [startMs, all] of passed) assert.ok(all <= limit, `${all} of ${limit} in ${new Date(startMs).toISOString()}`);
    }),
    { numRuns: 200 },
  );
});

describe('windows of the calendar', () => {
  const window = (calendar: 'day' | 'month', at: string, offset = 0): readonly string[] => {
    const { startMs, endMs } = windowAt(calendar, Date.parse(at), offset);
    return [startMs, endMs].map((ms) => new Date(ms).toISOString().slice(0, 16));
  };

  it('are months and days of UTC, over the ends of years and in leap years', () => {
    assert.deepEqual(window('month', '2026-12-31T23:59:59.999Z'), ['2026-12-01T00:00', '2027-01-01T00:00']);
    assert.deepEqual(window('month', '2028-02-29T12:00:00Z'), ['2028-02-01T00:00', '2028-03-01T00:00']);
    assert.deepEqual(window('month', '2026-01-31T12:00:00Z', -1), ['2025-12-01T00:00', '2026-01-01T00:00']);
    assert.deepEqual(window('month', '2026-01-31T12:00:00Z', 1), ['2026-02-01T00:00', '2026-03-01T00:00']);
    assert.deepEqual(window('day', '2028-02-28T00:00:00Z', 1), ['2028-02-29T00:00', '2028-03-01T00:00']);
  });
});
