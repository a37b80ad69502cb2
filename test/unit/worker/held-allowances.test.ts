// Workers of a host share a limit: never more than it pass, almost all of it does, and nobody waits for a controller that is away.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { limitOfPlan, type LimitConfig, type WithoutCount } from '../../../balancer/config/limit-config.ts';
import { Limits } from '../../../balancer/controller/limits.ts';
import type { Decision } from '../../../balancer/filter/rate-limit/allowances.ts';
import type { AllowanceCharge, AllowanceWish } from '../../../balancer/ipc-limits.ts';
import { HeldAllowances } from '../../../balancer/worker/held-allowances.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { seededRandom } from '../../support/seeded-random.ts';

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

function limitOf(limit: number, onUnavailable: WithoutCount = 'local'): LimitConfig {
  return {
    ...{ name: 'all', by: [], algorithm: 'fixed', limit, windowMs: 60_000, burst: limit, onUnavailable, shadow: false },
    ...{ exemptConsumers: [], exemptAddresses: [], headers: 'none', fleet: null, calendar: null, ofPlans: {}, plan: '' },
  };
}

/** Workers with a controller that answers in the next turn, or not at all. */
class Host {
  readonly clock = new ManualClock();
  readonly limit: LimitConfig;
  readonly workers: readonly HeldAllowances[];
  readonly #count: () => Limits;
  #limits: Limits;
  asks = 0;
  /** There, and does not answer. */
  hangs = false;
  isUp = true;

  constructor(limit: LimitConfig, workers = 4) {
    this.limit = limit;
    this.#count = () => {
      const limits = new Limits(() => this.clock.wallMs(), null);
      limits.follow({ limits: { all: limit }, workers });
      return limits;
    };
    this.#limits = this.#count();
    this.workers = Array.from({ length: workers }, () => {
      const worker: HeldAllowances = new HeldAllowances({
        clock: this.clock,
        isUp: () => this.isUp,
        ask: (wishes, charges) => {
          this.asks += 1;
          if (!this.hangs) setImmediate(() => this.#answer(worker, wishes, charges));
        },
        workers: () => workers,
      });
      return worker;
    });
  }

  #answer(worker: HeldAllowances, wishes: readonly AllowanceWish[], charges: readonly AllowanceCharge[]): void {
    this.#limits.charge(charges);
    this.#limits.grant(wishes, (grants) => worker.receive(grants));
  }

  take(worker: number, key = 'one', cost = 1): Decision | Promise<Decision> | undefined {
    return this.workers[worker]?.take(this.limit, key, cost);
  }

  charge(worker: number, cost: number, ageMs = 0, key = 'one'): void {
    this.workers[worker]?.charge(this.limit, key, { count: cost, ageMs });
  }

  /** Another controller, which hears from every worker what the one before had told it. */
  replaceController(): void {
    this.#limits = this.#count();
    this.hangs = false;
    for (const worker of this.workers) this.#limits.goOnFrom(worker.startOver());
  }

  /** Whether it waits or not. */
  async taken(worker: number, cost = 1): Promise<Decision | undefined> {
    return this.take(worker, 'one', cost);
  }
}

const passed = (decisions: readonly (Decision | undefined)[]): number => decisions.filter((one) => one?.verdict === 'pass').length;

describe('a limit of a host', () => {
  for (const [limit, tried] of [
    [1000, 10_000],
    [1000, 1000],
    [10, 1000],
    [1, 100],
  ] as const)
    it(`of ${limit} is met by ${tried} requests at once over 4 workers, never passed, and hardly missed`, async () => {
      const host = new Host(limitOf(limit));
      const count = passed(await Promise.all(Array.from({ length: tried }, (_, index) => host.taken(index % 4))));
      assert.ok(count <= limit && count >= limit * 0.95, `${count} of ${limit}`);
    });

  it('is all there for one worker alone, less what the others have in hand', async () => {
    const host = new Host(limitOf(1000));
    await Promise.all([host.taken(1), host.taken(2), host.taken(3)]);
    let count = 3;
    for (let one = 0; one < 1200; one += 1) count += passed([await host.take(0)]);
    assert.ok(count <= 1000 && count >= 950, `${count}`);
  });

  it('costs one question for many requests, and few while it is used up', async () => {
    const host = new Host(limitOf(10_000), 1);
    for (let one = 0; one < 2000; one += 1) {
      await host.take(0);
      await turn();
    }
    assert.ok(host.asks < 20, `${host.asks}`);
    const used = new Host(limitOf(1), 1);
    for (let one = 0; one < 1000; one += 1) await used.take(0);
    assert.ok(used.asks <= 2, `${used.asks}`);
  });

  it('begins anew in the next window, also for what was in hand', async () => {
    const host = new Host(limitOf(1000), 1);
    for (let one = 0; one < 10; one += 1) await host.take(0);
    host.clock.advance(60_000);
    assert.equal(passed(await Promise.all(Array.from({ length: 1500 }, () => host.taken(0)))), 1000);
  });

  for (const algorithm of ['fixed', 'sliding', 'token'] as const)
    it(`is counted on by another controller (${algorithm})`, async () => {
      const host = new Host({ ...limitOf(1000), algorithm });
      let count = passed(await Promise.all(Array.from({ length: 600 }, (_, index) => host.taken(index % 4))));
      assert.equal(count, 600);
      host.replaceController();
      count += passed(await Promise.all(Array.from({ length: 2000 }, (_, index) => host.taken(index % 4))));
      assert.ok(count <= 1000 && count >= 900, `${count}`);
      host.clock.advance(120_000);
      const again = passed(await Promise.all(Array.from({ length: 2000 }, (_, index) => host.taken(index % 4))));
      assert.ok(again <= 1000 && again >= 900, `${again} of what came back`);
    });

  it('is asked of the next controller by those who wait for one that died', async () => {
    const host = new Host(limitOf(10, 'deny'), 1);
    host.hangs = true;
    const waiting = [host.taken(0), host.taken(0)];
    await turn();
    host.replaceController();
    assert.equal(passed(await Promise.all(waiting)), 2);
  });

  it('of tokens is not eaten up by what workers keep in hand and seldom use', async () => {
    const host = new Host({ ...limitOf(1000), algorithm: 'token' });
    // 16 a second come in; of 4 that are asked for over 4 workers, each has to pass for as long as one likes.
    for (let second = 0; second < 120; second += 1) {
      for (const worker of [0, 1, 2, 3]) assert.equal((await host.take(worker))?.verdict, 'pass', `after ${second} s`);
      host.clock.advance(1000);
    }
  });

  it('of tokens lets no more than its burst pass at once, with what workers have in hand', async () => {
    const host = new Host({ ...limitOf(1000), algorithm: 'token' });
    for (const worker of [0, 1, 2, 3]) await host.taken(worker);
    host.clock.advance(30_000);
    const count = passed(await Promise.all(Array.from({ length: 4000 }, (_, index) => host.taken(index % 4))));
    assert.ok(count <= 1000 && count >= 950, `${count}`);
  });

  it('of tokens has for each plan a burst and a pace of its own', async () => {
    const all: LimitConfig = { ...limitOf(600), algorithm: 'token', burst: 100, ofPlans: { gold: 6000, slow: 60 } };
    const host = new Host(all);
    const passedOf = async (plan: string, requests: number): Promise<number> => {
      const decisions = Array.from({ length: requests }, async (_, at) => host.workers[at % 4]?.take(limitOfPlan(all, plan), `=${plan}`));
      return passed(await Promise.all(decisions));
    };
    for (const [plan, burst] of Object.entries({ gold: 1000, slow: 10, '': 100 })) {
      const first = await passedOf(plan, 3 * burst);
      assert.ok(first <= burst && first >= 0.9 * burst, `${plan}: ${first} of ${burst}`);
    }
    // A sixth of a minute: as much as all bursts together hold.
    host.clock.advance(10_000);
    for (const [plan, burst] of Object.entries({ gold: 1000, slow: 10, '': 100 })) {
      const again = await passedOf(plan, 3 * burst);
      assert.ok(again <= burst && again >= 0.9 * burst, `${plan}: ${again} of ${burst}`);
    }
  });

  it('counts each key for itself, and tells what remains', async () => {
    const host = new Host(limitOf(2), 1);
    assert.deepEqual(await host.take(0, 'a'), { verdict: 'pass', remaining: 1, resetMs: 60_000 });
    assert.deepEqual(await host.take(0, 'b'), { verdict: 'pass', remaining: 1, resetMs: 60_000 });
    assert.deepEqual(await host.take(0, 'a'), { verdict: 'pass', remaining: 0, resetMs: 60_000 });
    assert.deepEqual(await host.take(0, 'a'), { verdict: 'refuse', remaining: 0, resetMs: 60_000 });
  });
});

describe('what costs more than one', () => {
  it('takes all of its cost or nothing, over all workers together', async () => {
    const host = new Host(limitOf(1000));
    const decisions = await Promise.all(Array.from({ length: 400 }, (_, index) => Promise.resolve(host.take(index % 4, 'one', 7))));
    const count = passed(decisions) * 7;
    assert.ok(count <= 1000 && count >= 930, `${count}`);
  });

  it('is refused where too little is left, and what costs less passes', async () => {
    const host = new Host(limitOf(10), 1);
    assert.equal((await host.take(0, 'one', 8))?.verdict, 'pass');
    assert.equal((await host.take(0, 'one', 5))?.verdict, 'refuse');
    assert.equal((await host.take(0, 'one', 2))?.verdict, 'pass');
    assert.equal((await host.take(0, 'one', 1))?.verdict, 'refuse');
  });

  it('does not hold back those behind it that cost less', async () => {
    const host = new Host(limitOf(10), 1);
    const all = await Promise.all([50, 4, 50, 6].map((cost) => host.taken(0, cost)));
    assert.deepEqual(
      all.map((one) => one?.verdict),
      ['refuse', 'pass', 'refuse', 'pass'],
    );
  });

  for (const algorithm of ['fixed', 'sliding', 'token'] as const)
    it(`is waited for when it was used up beyond what there was (${algorithm})`, async () => {
      const host = new Host({ ...limitOf(100), algorithm }, 2);
      assert.equal((await host.take(0))?.verdict, 'pass');
      host.charge(0, 300);
      await turn();
      await turn();
      host.clock.advance(200);
      assert.equal((await host.take(1))?.verdict, 'refuse', 'the other worker knows');
      host.clock.advance(60_000);
      // Windows of the clock begin anew; others pay back three times what there is.
      assert.equal((await host.take(1))?.verdict, algorithm === 'fixed' ? 'pass' : 'refuse');
      host.clock.advance(130_000);
      assert.equal((await host.take(1))?.verdict, 'pass');
    });

  it('is free again as far as it was not used', async () => {
    const host = new Host(limitOf(100), 1);
    assert.equal((await host.take(0, 'one', 100))?.verdict, 'pass');
    host.charge(0, -40);
    assert.equal((await host.take(0, 'one', 40))?.verdict, 'pass');
    assert.equal((await host.take(0))?.verdict, 'refuse');
  });

  it('is counted by each worker alone while the controller is away', () => {
    const host = new Host(limitOf(40), 4);
    host.isUp = false;
    const verdict = (cost: number): Decision['verdict'] | undefined => {
      const decision = host.take(0, 'one', cost);
      assert.ok(!(decision instanceof Promise));
      return decision?.verdict;
    };
    assert.deepEqual([verdict(8), verdict(3), verdict(1)], ['pass', 'refuse', 'pass']);
    host.charge(0, 5);
    assert.equal(verdict(1), 'refuse');
  });
});

describe('requests that count differently', () => {
  for (const algorithm of ['fixed', 'sliding', 'token'] as const)
    it(`are let on up to the limit in sum, whichever workers they come to: ${algorithm}`, async () => {
      for (let seed = 1; seed <= 10; seed += 1) {
        const random = seededRandom(seed);
        const host = new Host({ ...limitOf(1000), algorithm });
        let sum = 0;
        for (let round = 0; round < 12; round += 1) {
          const costs = Array.from({ length: 50 }, () => 1 + Math.floor(random() * 20));
          const said = await Promise.all(costs.map((cost, index) => host.taken(index % 4, cost)));
          sum += costs.reduce((all, cost, index) => all + (said[index]?.verdict === 'pass' ? cost : 0), 0);
        }
        // In hand of four workers: 5 % of the limit, and less than the cheapest request each.
        assert.ok(sum <= 1000 && sum >= 940, `${sum} with seed ${seed}`);
      }
    });

  it('leave what they cannot use to other workers', async () => {
    const host = new Host(limitOf(10), 2);
    assert.equal((await host.taken(0, 7))?.verdict, 'pass');
    assert.deepEqual([(await host.taken(1, 7))?.verdict, (await host.taken(0, 7))?.verdict], ['refuse', 'refuse']);
    assert.deepEqual([(await host.taken(1, 2))?.verdict, (await host.taken(0, 1))?.verdict], ['pass', 'pass']);
  });

  it('pass with nothing counted as long as anything is left', async () => {
    const host = new Host(limitOf(2), 1);
    for (let one = 0; one < 5; one += 1) assert.equal((await host.taken(0, 0))?.verdict, 'pass');
    host.charge(0, 2);
    await turn();
    assert.equal((await host.taken(0, 0))?.verdict, 'refuse');
  });

  it('give nothing back to a window that came since', async () => {
    const host = new Host(limitOf(10), 2);
    assert.equal((await host.taken(0, 10))?.verdict, 'pass');
    host.clock.advance(70_000);
    assert.equal((await host.taken(1, 10))?.verdict, 'pass');
    host.charge(0, -9, 70_000);
    await turn();
    await turn();
    assert.equal((await host.taken(1))?.verdict, 'refuse');
    host.charge(1, -4, 0);
    await turn();
    await turn();
    host.clock.advance(200);
    assert.deepEqual([(await host.taken(0, 4))?.verdict, (await host.taken(0))?.verdict], ['pass', 'refuse']);
  });
});

describe('while the controller is away', () => {
  const away = async (onUnavailable: WithoutCount, requests: number): Promise<readonly (Decision | undefined)[]> => {
    const host = new Host(limitOf(40, onUnavailable), 4);
    host.hangs = true;
    const first = host.take(0);
    await turn();
    host.clock.advance(1000);
    const decisions = [await first];
    // Nobody waits a second time: these are answered at once.
    for (let one = 1; one < requests; one += 1) {
      const decision = host.take(0);
      assert.ok(!(decision instanceof Promise));
      decisions.push(decision);
    }
    return decisions;
  };

  it('a worker lets its part of the limit pass', async () => assert.equal(passed(await away('local', 30)), 10));
  it('or says that nobody can say', async () => {
    for (const [how, said] of [
      ['allow', 'uncounted'],
      ['deny', 'unknown'],
    ] as const)
      assert.deepEqual(new Set((await away(how, 3)).map((one) => one?.verdict)), new Set([said]));
  });
  it('that is not there at all, nobody waits even once', () => {
    const host = new Host(limitOf(4), 4);
    host.isUp = false;
    const verdicts = [1, 2].map(() => host.take(0)).map((one) => (one instanceof Promise ? 'waits' : one?.verdict));
    assert.deepEqual([verdicts, host.asks], [['pass', 'refuse'], 0]);
  });
  it('what is in hand still counts, and the controller is asked again after five', async () => {
    const host = new Host(limitOf(1000), 1);
    await host.take(0);
    host.hangs = true;
    assert.ok(!(host.take(0) instanceof Promise));
    const other = host.take(0, 'other');
    await turn();
    host.clock.advance(1000);
    assert.equal((await other)?.verdict, 'pass');
    host.hangs = false;
    host.clock.advance(5000);
    assert.equal((await host.take(0, 'third'))?.verdict, 'pass');
    assert.deepEqual((await host.take(0, 'third'))?.resetMs, 54_000);
  });
});
