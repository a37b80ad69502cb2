// What the edge wishes for and what becomes of it, from the hub over the agent to the autoscaler and back; and how far clocks are apart.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DIALOGUE_LIMITS, decodeWishes } from '../../../agent/dialogue.ts';
import { RAISED_ANNOTATION } from '../../../agent/kubernetes/prescale.ts';
import { WishBook } from '../../../agent/wish-book.ts';
import { ClockSkew } from '../../../balancer/controller/hub/clock-skew.ts';
import { drainedOf } from '../../../balancer/controller/hub/drained.ts';
import { type Drained, wishId, WishList, wishOf } from '../../../balancer/controller/hub/wish-list.ts';
import { type Clock, systemClock } from '../../../health/clock.ts';
import { HubBench } from '../../support/hub-bench.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { ObjectServer } from '../../support/object-server.ts';
import { RawAgent } from '../../support/raw-agent.ts';
import { snapshot } from '../../support/snapshot.ts';
import { until } from '../../support/until.ts';

const PATH = '/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers/web';
const TARGET = { service: 'shop', namespace: 'shop', name: 'web', rpsPerReplica: 50, most: null };

/** A list of wishes that is kept in this process. */
function listOfWishes(clock: Pick<Clock, 'wallMs'> = systemClock): {
  list: WishList;
  drained: Map<string, Drained>;
  stored: Map<string, string>;
} {
  const stored = new Map<string, string>();
  const drained = new Map<string, Drained>();
  const store = {
    getValue: (key: string) => stored.get(key) ?? null,
    putDurably: (key: string, value: string) => void stored.set(key, value),
  };
  return { list: new WishList(store, clock, (cluster) => drained.get(cluster) ?? null), drained, stored };
}

const expectation = (rps: number, forMs = 600_000, id = 'shop-1'): Parameters<WishList['expect']>[0] => ({
  ...{ id, cluster: 'eu', service: 'shop', rps },
  ...{ startsAtMs: Date.now(), endsAtMs: Date.now() + forMs },
});

describe('a wish', () => {
  test('raises the autoscaler, is answered step by step, and leaves it as it was when it is taken back', async () => {
    const { list } = listOfWishes();
    await using server = await ObjectServer.start();
    server.put(PATH, { metadata: { name: 'web' }, spec: { minReplicas: 2, maxReplicas: 50 }, status: { currentReplicas: 2 } });
    await using bench = await HubBench.start({ wishes: (cluster) => list.of(cluster) });
    bench.run({ prescale: [TARGET] }, { request: server.request });
    await until(() => bench.agent('eu').state === 'fresh', 'the agent reports');
    list.expect(expectation(1800));
    assert.deepEqual(bench.agent('eu').wishes?.[0]?.text, 'expect 1800 requests/s of shop');
    await until(() => server.member(PATH, 'spec', 'minReplicas') === 36, 'the minimum is raised');
    await until(() => bench.agent('eu').wishes?.[0]?.detail === 'shop/web: 2 of 36 replicas run', 'the hub is told');
    server.put(PATH, { ...server.objects.get(PATH), status: { currentReplicas: 36 } });
    await until(() => bench.agent('eu').wishes?.[0]?.state === 'done', 'it is done');
    list.withdraw('eu', 'shop');
    await until(() => server.member(PATH, 'spec', 'minReplicas') === 2, 'the minimum is as it was');
    assert.equal(server.member(PATH, 'metadata', 'annotations', RAISED_ANNOTATION), undefined);
    assert.equal(bench.agent('eu').wishes, undefined);
  });

  test('ends by itself when its time is over, though no hub is there to take it back', async () => {
    const { list } = listOfWishes();
    await using server = await ObjectServer.start();
    server.put(PATH, { metadata: { name: 'web' }, spec: { minReplicas: 2, maxReplicas: 50 } });
    await using bench = await HubBench.start({ wishes: (cluster) => list.of(cluster) });
    bench.run({ prescale: [TARGET] }, { request: server.request });
    list.expect(expectation(500, 3000));
    await until(() => server.member(PATH, 'spec', 'minReplicas') === 10, 'the minimum is raised');
    await bench.hub.close();
    await until(() => server.member(PATH, 'spec', 'minReplicas') === 2, 'the minimum is as it was', 10_000);
  });

  test('is refused by an agent that may not act, and a drain is taken note of', async () => {
    const { list, drained } = listOfWishes();
    await using bench = await HubBench.start({ wishes: (cluster) => list.of(cluster) });
    bench.run();
    list.expect(expectation(1800));
    drained.set('eu', { endsAtMs: null });
    await until(() => bench.agent('eu').wishes?.some(({ state }) => state === 'refused') ?? false, 'both are answered');
    const seen = bench
      .agent('eu')
      .wishes?.map(({ id, state, detail, endsInSeconds }) => [id, state, /--prescale/.test(detail), endsInSeconds === null]);
    assert.deepEqual(seen, [
      ['shop-1', 'refused', true, false],
      ['drain', 'taken', false, true],
    ]);
  });

  test('is told in full with each change, numbered, and to who connects later', async () => {
    const { list } = listOfWishes();
    await using bench = await HubBench.start({ wishes: (cluster) => list.of(cluster) });
    using first = await RawAgent.open(bench.port);
    await until(() => first.wishes.length === 1, 'what is wished for at first: nothing');
    list.expect(expectation(100));
    await until(() => first.wishes.length === 2, 'a wish');
    list.expect({ ...expectation(200, 600_000, 'search-1'), service: 'search' });
    await until(() => first.wishes.length === 3, 'two wishes');
    assert.deepEqual(
      first.wishes.map(({ number, wishes }) => [number, wishes.map((wish) => wish.kind === 'prescale' && wish.service)]),
      [
        [1, []],
        [2, ['shop']],
        [3, ['shop', 'search']],
      ],
    );
    using second = await RawAgent.open(bench.port);
    await until(() => second.wishes.length === 1, 'all of them');
    assert.equal(second.wishes[0]?.wishes.length, 2);
  });

  test('that an agent answers for, and was never asked, is not shown', async () => {
    await using bench = await HubBench.start();
    using agent = await RawAgent.open(bench.port);
    const answers = [{ id: 'of-nobody', state: 'done', detail: 'so it says' }] as const;
    assert.equal((await agent.say(snapshot({ wishes: { number: 1, answers } })))?.accepted, true);
    assert.equal(bench.agent('eu').wishes, undefined);
    const wrong: readonly object[] = [
      { number: 1 },
      { number: 1, answers: [{ id: 'x', state: 'well', detail: '' }] },
      { number: 1, answers: [{ ...answers[0], detail: 'x'.repeat(201) }] },
    ];
    for (const [index, wishes] of wrong.entries())
      assert.equal((await agent.say({ ...snapshot({ sequence: 2 + index }), wishes }))?.reason, 'wishes');
  });
});

describe('wishes of several hubs', () => {
  const wish = { kind: 'prescale', id: 'one', service: 'shop', rps: 100, inMs: 0, endsInMs: 10_000 } as const;
  const drain = { kind: 'drain', id: 'drain', endsInMs: null } as const;

  test('come together, one that they share once with its latest end, and each hub is answered for its own', () => {
    const book = new WishBook();
    book.take('a', { kind: 'wishes', number: 4, wishes: [wish] }, 0);
    book.take(
      'b',
      {
        kind: 'wishes',
        number: 9,
        wishes: [
          { ...wish, endsInMs: 60_000 },
          { ...wish, id: 'two' },
        ],
      },
      0,
    );
    assert.deepEqual(
      book.live(0).map(({ id, untilMs }) => [id, untilMs]),
      [
        ['one', 60_000],
        ['two', 10_000],
      ],
    );
    book.answer([{ id: 'one', state: 'done', detail: '' }]);
    assert.deepEqual(book.answersFor('a'), { number: 4, answers: [{ id: 'one', state: 'done', detail: '' }] });
    assert.deepEqual(
      book.answersFor('b')?.answers.map(({ id, state }) => `${id} ${state}`),
      ['one done', 'two taken'],
    );
    assert.deepEqual([book.live(10_000).length, book.live(60_000).length], [1, 0]);
  });

  test('of a hub that is lost hold until their end, and those without one for ten minutes', () => {
    const book = new WishBook();
    book.take('a', { kind: 'wishes', number: 1, wishes: [{ ...wish, endsInMs: 3_600_000 }, drain] }, 0);
    book.lost('a', 1000);
    assert.equal(book.answersFor('a'), null);
    assert.equal(book.live(600_000).length, 2);
    assert.equal(book.live(601_000).length, 0, 'and what is long is not held longer by a hub that never comes back');
    book.take('a', { kind: 'wishes', number: 1, wishes: [] }, 700_000);
    assert.deepEqual(book.answersFor('a'), { number: 1, answers: [] });
  });
});

describe('the list of an edge host', () => {
  test('is kept over a restart, without what has ended, and a damaged one is empty', () => {
    const clock = new ManualClock(0, Date.now());
    const { list, stored } = listOfWishes(clock);
    list.expect(expectation(100, 60_000));
    list.expect({ ...expectation(200, 600_000, 'search-1'), service: 'search' });
    const again = (): WishList =>
      new WishList({ getValue: (key) => stored.get(key) ?? null, putDurably: () => undefined }, clock, () => null);
    assert.equal(again().of('eu').length, 2);
    clock.advance(61_000);
    assert.deepEqual(
      again()
        .of('eu')
        .map(({ id }) => id),
      ['search-1'],
    );
    stored.set('agent-expectations', '[{"id":');
    assert.deepEqual(again().of('eu'), []);
  });

  test('has one expectation for each service, and not too many', () => {
    const { list } = listOfWishes();
    list.expect(expectation(100));
    list.expect(expectation(300, 600_000, 'shop-2'));
    assert.deepEqual(
      list.of('eu').map(({ id }) => id),
      ['shop-2'],
    );
    for (let index = 0; index < 31; index += 1)
      assert.equal(list.expect({ ...expectation(1), id: `s-${index}`, service: `s-${index}` }), true);
    assert.equal(list.expect({ ...expectation(1), service: 'one-more' }), false);
    const brought = { ...expectation(1), cause: 'revision 7 by alice' };
    for (let index = 0; index < 31; index += 1) assert.equal(list.expect({ ...brought, id: `r-${index}`, service: `s-${index}` }), true);
    assert.equal(list.expect({ ...brought, service: 'one-more' }), false);
    assert.equal(list.of('eu').length, DIALOGUE_LIMITS.wishes - 1, 'and a drain');
    assert.equal(list.withdraw('eu', null), 63);
  });

  test('has ids that agents read, also for the longest names', () => {
    const service = 'a'.repeat(63);
    assert.equal(wishId('r12', 'shop'), 'shop-r12');
    for (const cause of ['r12', 's12.0.3.mabcdefg', `d123.${'b'.repeat(63)}`]) {
      const wish = wishOf({ ...expectation(1), kind: 'prescale', id: wishId(cause, service), service }, Date.now());
      assert.equal(decodeWishes({ kind: 'wishes', number: 1, wishes: [wish] })?.wishes.length, 1, cause);
    }
    assert.notEqual(wishId('r12', service), wishId('r13', service));
  });

  test('says that nothing new comes to a cluster that is drained, in maintenance, or dialled to nothing, and until when', () => {
    const cluster = { admin: 'active', dialPercent: 100 } as const;
    const intent = (wish: object, overrides = {}): Parameters<typeof drainedOf>[0] => ({
      ...{ revision: 1, services: {}, clusters: { eu: { ...cluster, ...wish } } },
      overrides,
    });
    assert.equal(drainedOf(intent({}), 'eu'), null);
    assert.equal(drainedOf(intent({ dialPercent: 1 }), 'eu'), null);
    assert.equal(drainedOf(intent({}), 'us'), null);
    for (const wish of [{ admin: 'drain' }, { admin: 'maintenance' }, { dialPercent: 0 }])
      assert.deepEqual(drainedOf(intent(wish), 'eu'), { endsAtMs: null });
    const until = '2026-11-21T11:00:00.000Z';
    const held = { 7: { until, fields: [{ kind: 'admin', cluster: 'eu', before: 'active', held: 'drain' }] } } as const;
    assert.deepEqual(drainedOf(intent({ admin: 'drain' }, held), 'eu'), { endsAtMs: Date.parse(until) });
  });
});

describe('clocks', () => {
  test('of an agent that is ahead or behind are shown as that, within its way, and decide nothing', async () => {
    for (const aheadMs of [-3_600_000, 0, 42_000]) {
      await using bench = await HubBench.start();
      const clock: Clock = { ...systemClock, wallMs: () => systemClock.wallMs() + aheadMs };
      bench.run({}, { clock });
      await until(() => bench.count('eu accepted') > 5, 'reports');
      const { dialogue, state } = bench.agent('eu');
      assert.ok(Math.abs((dialogue?.clockSkewMs ?? Infinity) - aheadMs) < 100, `${dialogue?.clockSkewMs} is about ${aheadMs}`);
      assert.equal(state, 'fresh');
      assert.ok((dialogue?.roundTripMs ?? Infinity) < 100);
    }
  });

  test('are measured by the message that took least', () => {
    const skew = new ClockSkew();
    assert.equal(skew.skewMs, null);
    // Ahead by 5 s, with 10 ms each way; most messages are held up.
    for (const delayMs of [200, 10, 900, 35]) skew.add(5000, delayMs, 20);
    assert.equal(skew.skewMs, 5000);
    for (let index = 0; index < 16; index += 1) skew.add(0, 10, 20);
    assert.equal(skew.skewMs, 0, 'a clock that was put right is right');
  });
});
