// Workers of a host share slots of requests at once: never more run than may, none is refused while one is free, and what ends gives back.
import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import fc from 'fast-check';
import type { LimitConfig } from '../../../balancer/config/limit-config.ts';
import type { Decision } from '../../../balancer/filter/rate-limit/allowances.ts';
import { aLimit } from '../../support/limit.ts';
import { SlotHost as Host } from '../../support/slot-host.ts';

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
const atOnce = (limit: number, parts: Partial<LimitConfig> = {}): LimitConfig => aLimit({ algorithm: 'concurrency', limit, ...parts });

async function settled(host: Host, decisions: readonly (Decision | Promise<Decision>)[]): Promise<readonly string[]> {
  await host.quiet();
  return (await Promise.all(decisions.map(async (decision) => decision))).map(({ verdict }) => verdict);
}

async function reachable(host: Host): Promise<void> {
  for (const process of host.processes) if (!process.isUp) host.connect(process);
  await host.quiet();
}

const passed = (verdicts: readonly string[]): number => verdicts.filter((verdict) => verdict === 'pass').length;

describe('slots of four workers', () => {
  it('let as many run as may, wherever they are, and refuse the rest', async () => {
    const host = new Host(atOnce(10), 4);
    assert.equal(
      passed(
        await settled(
          host,
          Array.from({ length: 25 }, (_, at) => host.take(at % 4)),
        ),
      ),
      10,
    );
    host.clock.advance(100);
    host.end(0);
    assert.equal(passed(await settled(host, [host.take(1), host.take(2)])), 1);
  });

  it('are called back where they are free, so that one worker can have them all', async () => {
    const host = new Host(atOnce(8), 4);
    await settled(
      host,
      Array.from({ length: 8 }, (_, at) => host.take(at % 4)),
    );
    for (let at = 0; at < 8; at += 1) host.end(at % 4);
    assert.equal(
      passed(
        await settled(
          host,
          Array.from({ length: 9 }, () => host.take(3)),
        ),
      ),
      8,
    );
  });

  it('are asked for seldom by requests that come one after the other', async () => {
    const host = new Host(atOnce(100), 4);
    for (let request = 0; request < 1000; request += 1) {
      await settled(host, [host.take(request % 4)]);
      host.end(request % 4);
    }
    assert.ok(host.asks <= 8, `${host.asks} questions`);
  });

  it('that one worker has all of come to another that asks, up to its part', async () => {
    const host = new Host(atOnce(8), 2);
    assert.equal(
      passed(
        await settled(
          host,
          Array.from({ length: 8 }, () => host.take(0)),
        ),
      ),
      8,
    );
    let other = 0;
    // The first worker would use again at once whatever gets free there.
    for (let round = 0; round < 20; round += 1) {
      host.clock.advance(60);
      other += passed(await settled(host, [host.take(1)]));
      host.end(0);
      await settled(host, [host.take(0)]);
    }
    assert.equal(other, 4);
    assert.equal(host.running, 8);
  });

  it('that nobody used for a while go back, and nothing is kept of their counter', async () => {
    const host = new Host(atOnce(100), 4);
    await settled(host, [host.take(0)]);
    host.end(0);
    for (let second = 0; second < 3; second += 1) {
      host.clock.advance(1000);
      await host.quiet();
    }
    assert.deepEqual(host.process(0).slots.startOver(), []);
    assert.deepEqual([...host.process(0).slots.counts()], []);
  });

  it('of a worker that is killed are there again once it is gone, and those of one whose link is cut are not', async () => {
    const host = new Host(atOnce(4), 2);
    assert.equal(
      passed(
        await settled(
          host,
          Array.from({ length: 4 }, () => host.take(0)),
        ),
      ),
      4,
    );
    host.cut(host.process(0));
    host.clock.advance(1000);
    assert.equal(passed(await settled(host, [host.take(1)])), 0);
    host.connect(host.process(0));
    await host.quiet();
    host.kill(0);
    await host.quiet();
    assert.equal(
      passed(
        await settled(
          host,
          Array.from({ length: 5 }, () => host.take(1)),
        ),
      ),
      4,
    );
  });

  it('are counted on by another controller, once all have told it what they have', async () => {
    const host = new Host(atOnce(6), 3);
    assert.equal(
      passed(
        await settled(
          host,
          [0, 0, 0, 1].map((at) => host.take(at)),
        ),
      ),
      4,
    );
    host.replaceController();
    assert.equal(
      passed(
        await settled(
          host,
          Array.from({ length: 5 }, () => host.take(2)),
        ),
      ),
      2,
    );
  });

  it('come back as they get free when there are fewer of them', async () => {
    const host = new Host(atOnce(8), 2);
    await settled(
      host,
      Array.from({ length: 8 }, (_, at) => host.take(at % 2)),
    );
    host.follow(atOnce(4));
    await host.quiet();
    for (let at = 0; at < 5; at += 1) host.end(at % 2);
    await host.quiet();
    host.clock.advance(100);
    assert.equal(passed(await settled(host, [host.take(0), host.take(1)])), 1);
  });
});

describe('while the controller is away', () => {
  for (const [onUnavailable, verdicts] of [
    ['local', ['pass', 'pass', 'refuse']],
    ['allow', ['uncounted', 'uncounted', 'uncounted']],
    ['deny', ['unknown', 'unknown', 'unknown']],
  ] as const)
    it(`a worker does as the limit says: ${onUnavailable}`, async () => {
      const host = new Host(atOnce(8, { onUnavailable }), 4);
      host.cut(host.process(0));
      assert.deepEqual(await settled(host, [host.take(0), host.take(0), host.take(0)]), verdicts);
    });

  it('that hangs, a request waits three seconds and no other does', async () => {
    const host = new Host(atOnce(4), 4);
    const first = host.take(0);
    await turn();
    host.clock.advance(3000);
    assert.equal((await first).verdict, 'pass');
    assert.ok(!(host.take(0) instanceof Promise));
  });
});

test('callers of a plan may run as many as it says', async () => {
  const host = new Host(atOnce(2, { ofPlans: { gold: 5 } }), 2);
  const gold = { ...host.limit, limit: 5, plan: 'gold' };
  const all = host.limit;
  host.limit = gold;
  assert.equal(
    passed(
      await settled(
        host,
        Array.from({ length: 7 }, (_, at) => host.take(at % 2, 'acme')),
      ),
    ),
    5,
  );
  host.limit = all;
  assert.equal(
    passed(
      await settled(
        host,
        Array.from({ length: 7 }, (_, at) => host.take(at % 2, 'other')),
      ),
    ),
    2,
  );
});

test('never more run than may, whatever comes when, and all slots are there in the end', async () => {
  const worker = fc.nat({ max: 2 });
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.tuple(fc.constant('take' as const), worker) },
    { weight: 4, arbitrary: fc.tuple(fc.constant('end' as const), worker) },
    { weight: 12, arbitrary: fc.tuple(fc.constant('deliver' as const), fc.nat({ max: 20 })) },
    { weight: 4, arbitrary: fc.tuple(fc.constant('turn' as const), worker) },
    { weight: 3, arbitrary: fc.tuple(fc.constant('quiet' as const), worker) },
    { weight: 2, arbitrary: fc.tuple(fc.constant('wait' as const), fc.nat({ max: 1500 })) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('cut' as const), worker) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('kill' as const), worker) },
    { weight: 1, arbitrary: fc.tuple(fc.constant('controller' as const), worker) },
  );
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 6 }), fc.array(step, { minLength: 40, maxLength: 120 }), async (limit, steps) => {
      // Nobody counts alone: with `local` the bound is what the limit says of that time.
      const host = new Host(atOnce(limit, { onUnavailable: 'deny' }), 3);
      await host.quiet();
      let heardMs = 0;
      for (const [what, at] of steps) {
        // A new controller is told within two seconds what the workers have; after them it waits for nobody.
        if ((what === 'wait' || what === 'kill') && host.clock.nowMs() < heardMs) await reachable(host);
        if (what === 'take') void host.take(at);
        else if (what === 'end') host.end(at);
        else if (what === 'deliver') host.deliver(at);
        else if (what === 'turn') await turn();
        else if (what === 'quiet') await host.quiet();
        else if (what === 'wait') host.clock.advance(at);
        else if (what === 'kill') host.kill(at);
        else if (what === 'controller') {
          host.replaceController();
          heardMs = host.clock.nowMs() + 2000;
        } else if (host.process(at).isUp) host.cut(host.process(at));
        else host.connect(host.process(at));
        await Promise.resolve();
        assert.ok(host.running <= limit, `${host.running} of ${limit} after ${what}`);
      }
      await reachable(host);
      for (let at = 0; at < 3; at += 1) while (host.process(at).running > 0) host.end(at);
      host.clock.advance(6000);
      await host.quiet();
      const verdicts = await settled(
        host,
        Array.from({ length: limit + 2 }, (_, at) => host.take(at % 3)),
      );
      assert.equal(passed(verdicts), limit);
    }),
    { numRuns: 300 },
  );
});
