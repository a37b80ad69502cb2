// What may be used once, of all workers of a host: who is first, what is remembered over restarts and for how long, and what happens without room or an owner.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { FleetUses } from '../../balancer/controller/fleet/fleet-uses.ts';
import { KeptUses } from '../../balancer/controller/kept-uses.ts';
import { OneTimeUses } from '../../balancer/controller/one-time-uses.ts';
import type { UseOutcome } from '../../balancer/filter/authenticate/one-time-use.ts';
import { openSqliteStore } from '../../balancer/store/sqlite.ts';
import type { Store } from '../../balancer/store/store.ts';
import { HeldUses } from '../../balancer/worker/held-uses.ts';
import { ManualClock } from '../support/manual-clock.ts';

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

interface Facts {
  readonly store?: Pick<Store, 'oneTimeUses' | 'putOneTimeUses'>;
  readonly fleet?: Pick<FleetUses, 'start' | 'use'>;
  readonly most?: number;
}

const NO_STORE = { oneTimeUses: () => [], putOneTimeUses: () => undefined };

/** Two workers, and a controller that answers in turns of the event loop, or not at all. */
class Host {
  readonly clock = new ManualClock();
  readonly told: string[] = [];
  readonly workers: readonly HeldUses[];
  readonly #facts: Facts;
  #controller: OneTimeUses;
  isUp = true;
  /** There, and does not answer. */
  hangs = false;
  asks = 0;

  constructor(facts: Facts = {}) {
    this.#facts = facts;
    this.#controller = this.#begin();
    this.workers = [0, 1].map(() => {
      const worker: HeldUses = new HeldUses({ clock: this.clock, isUp: () => this.isUp, send: (message) => this.#send(worker, message) });
      return worker;
    });
  }

  async use(worker: number, key: string, { forMs = 1000, mayBeAlone = false } = {}): Promise<UseOutcome | undefined> {
    return this.workers[worker]?.use({ key, untilMs: this.clock.wallMs() + forMs, mayBeAlone });
  }

  /** Another one, on new connections. */
  replaceController(): void {
    this.#controller = this.#begin();
    this.isUp = true;
    this.hangs = false;
    for (const worker of this.workers) for (const message of worker.standing()) this.#send(worker, message);
  }

  #begin(): OneTimeUses {
    const { store = NO_STORE, fleet = null, most = 100 } = this.#facts;
    const told = { tell: (text: string) => void this.told.push(text), remembered: () => undefined };
    return new OneTimeUses({ clock: this.clock, store, fleet, most, ...told });
  }

  #send(worker: HeldUses, message: Parameters<OneTimeUses['hear']>[0]): void {
    this.asks += 1;
    const controller = this.#controller;
    if (!this.hangs) setImmediate(() => controller.hear(message, (answer) => setImmediate(() => worker.receive(answer))));
  }
}

test('of those that show the same at once, at whichever worker, exactly one is the first', async () => {
  const host = new Host();
  const outcomes = await Promise.all(Array.from({ length: 40 }, (_, at) => host.use(at % 2, `key ${at % 4}`)));
  assert.equal(outcomes.filter((outcome) => outcome === 'first').length, 4);
  assert.equal(outcomes.filter((outcome) => outcome === 'repeated').length, 36);
  assert.equal(host.asks, 2, 'those of one turn are one question');
});

test('it is known again for as long as it would be good, and a little longer for clocks that differ', async () => {
  const host = new Host();
  assert.equal(await host.use(0, 'a', { forMs: 10_000 }), 'first');
  host.clock.advance(39_999);
  assert.equal(await host.use(1, 'a'), 'repeated');
  host.clock.advance(10_000);
  assert.equal(await host.use(1, 'a'), 'first');
});

test('where there is no room nothing is forgotten: what comes is refused until something has ended, and it is told once', async () => {
  const host = new Host({ most: 10 });
  for (let at = 0; at < 9; at += 1) assert.equal(await host.use(0, `key ${at}`), 'first');
  assert.equal(await host.use(0, 'long', { forMs: 100_000 }), 'first');
  for (const key of ['more', 'and more']) assert.equal(await host.use(1, key), 'full');
  assert.equal(await host.use(1, 'key 0'), 'repeated');
  assert.equal(host.told.length, 1);
  host.clock.advance(50_000);
  assert.equal(await host.use(1, 'more'), 'first');
  assert.equal(await host.use(1, 'long'), 'repeated');
  assert.match(host.told.join('\n'), /^more signed requests than can be remembered.*\nsignatures .* remembered again$/);
});

test('what was dropped and came again ends when it ends the second time', () => {
  const kept = new KeptUses();
  assert.ok(kept.add('a', 10_000));
  kept.drop('a');
  assert.ok(kept.add('a', 30_000));
  assert.deepEqual([kept.has('a', 20_000), kept.has('a', 29_999), kept.has('a', 30_000), kept.size], [true, true, false, 0]);
});

function aStore(t: TestContext): Store {
  const directory = mkdtempSync(join(tmpdir(), 'weir-uses-'));
  const store = openSqliteStore(directory);
  t.after(() => {
    store.close();
    rmSync(directory, { recursive: true, force: true });
  });
  return store;
}

test('a controller knows what the one before it answered, and what has ended leaves the disk', async (t) => {
  const store = aStore(t);
  const host = new Host({ store });
  for (let at = 0; at < 60; at += 1) await host.use(0, `key ${at}`);
  host.replaceController();
  assert.equal(await host.use(1, 'key 7'), 'repeated');
  assert.equal(await host.use(1, 'another'), 'first');
  host.clock.advance(60_000);
  for (const key of ['b', 'c', 'd']) assert.equal(await host.use(0, key), 'first');
  assert.deepEqual(
    [...store.oneTimeUses(0)].map(({ key }) => key),
    ['b', 'c', 'd'],
  );
});

test('a store that takes nothing is told of once, requests go on, and what it did not take is written when it does', async (t) => {
  const store = aStore(t);
  let isFull = true;
  const host = new Host({
    store: {
      oneTimeUses: (afterMs) => store.oneTimeUses(afterMs),
      putOneTimeUses: (uses, endedMs) => {
        if (isFull) throw new Error('database or disk is full');
        store.putOneTimeUses(uses, endedMs);
      },
    },
  });
  assert.deepEqual([await host.use(0, 'a'), await host.use(1, 'a'), await host.use(1, 'b')], ['first', 'repeated', 'first']);
  isFull = false;
  assert.equal(await host.use(0, 'c'), 'first');
  assert.match(host.told.join('\n'), /^that signatures were used cannot be stored, .* is full\n.* stored again$/);
  assert.equal([...store.oneTimeUses(0)].length, 3);
});

test('what waits for a controller that is being replaced is decided by the next one', async () => {
  const host = new Host();
  host.isUp = false;
  const waits = [host.use(0, 'a'), host.use(1, 'a')];
  await turn();
  assert.equal(host.asks, 0);
  host.replaceController();
  assert.deepEqual((await Promise.all(waits)).sort(), ['first', 'repeated']);
});

test('of what a controller was asked that is gone nobody says it was used before, and it does not pass either', async () => {
  const host = new Host();
  host.hangs = true;
  const waits = host.use(0, 'a');
  await turn();
  host.replaceController();
  assert.equal(await waits, 'away');
});

test('without a controller nothing that must be known passes, after one wait at once; what a worker may decide passes once at each', async () => {
  const host = new Host();
  const alone = { mayBeAlone: true, forMs: 60_000 };
  assert.equal(await host.use(0, 'before', alone), 'first');
  host.isUp = false;
  const waits = [host.use(0, 'a'), host.use(0, 'b', alone)];
  await turn();
  host.clock.advance(5000);
  assert.deepEqual(await Promise.all(waits), ['away', 'alone']);
  assert.equal(await host.use(0, 'c'), 'away');
  for (const key of ['b', 'before']) assert.equal(await host.use(0, key, alone), 'repeated', key);
  host.replaceController();
  assert.equal(await host.use(1, 'b', alone), 'repeated', 'the next controller has heard of it');
  assert.equal(await host.use(0, 'c'), 'first');
});

test('the fleet decides; without it a use fails, or this host decides alone', async () => {
  let isAway = false;
  const others = new Set(['elsewhere']);
  const host = new Host({
    fleet: {
      start: () => undefined,
      use: (key) => {
        const outcome = isAway ? 'away' : others.has(key) ? 'repeated' : 'first';
        if (!isAway) others.add(key);
        return Promise.resolve(outcome);
      },
    },
  });
  assert.deepEqual([await host.use(0, 'elsewhere'), await host.use(0, 'a'), await host.use(1, 'a')], ['repeated', 'first', 'repeated']);
  isAway = true;
  assert.equal(await host.use(0, 'b'), 'away');
  assert.deepEqual([await host.use(0, 'c', { mayBeAlone: true }), await host.use(1, 'c', { mayBeAlone: true })], ['alone', 'repeated']);
  isAway = false;
  assert.equal(await host.use(1, 'b'), 'first', 'it did not pass before, so it is not used');
});
