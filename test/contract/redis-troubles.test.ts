// A ledger on a real Redis behind a network that has troubles: what cannot be asked is told within its time, nothing waits in a queue, what may have been done
// is asked again without being done twice, and when the network is well again so is the ledger, even if the connections before it hang for good.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock, type Clock } from '../../health/clock.ts';
import { LedgerAwayError, type Append, type Ledger, type Snapshot } from '../../balancer/store/ledger.ts';
import { RedisLedger } from '../../balancer/store/redis/redis-ledger.ts';
import { Seal } from '../../balancer/store/seal.ts';
import { chainOf, headOf, nextOf } from '../support/ledger-chain.ts';
import { startRedis, type RedisServer } from '../support/redis-server.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { startTroubledLink, type TroubledLink } from '../support/troubled-link.ts';
import { until } from '../support/until.ts';

const TIMEOUT_MS = 300;
/** A question waits for a connection as long as for an answer; many tests share the machine. */
const MOST_MS = 2 * TIMEOUT_MS + 1500;
const SETTLE_MS = 15_000;

const seal = new Seal([randomBytes(32)]);
const ends: (() => unknown)[] = [];
let redis: RedisServer;
let fleets = 0;

before(async () => {
  redis = await startRedis({ after: (end) => void ends.push(end as () => unknown) });
});
after(async () => {
  for (const end of ends) await end();
});

interface Far {
  readonly ledger: Ledger;
  readonly link: TroubledLink;
  readonly fleet: string;
  /** Time goes on without anybody having to wait. */
  readonly ahead: (ms: number) => void;
}

async function far(t: TestContext, timeoutMs = TIMEOUT_MS, server = redis): Promise<Far> {
  const link = await startTroubledLink(t, server.port);
  let aheadMs = 0;
  const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs };
  const fleet = `troubled${(fleets += 1)}`;
  const place = { kind: 'single', node: { host: '127.0.0.1', port: link.port } } as const;
  const ledger = new RedisLedger({
    ...{ place, username: null, password: null, database: 0, tls: null, timeoutMs, connectMs: timeoutMs * 2, fleet, seal, clock },
  });
  t.after(() => ledger.close());
  await until(() => answers(ledger), 'the ledger answers', SETTLE_MS);
  return { ledger, link, fleet, ahead: (ms) => void (aheadMs += ms) };
}

const answers = (ledger: Ledger): Promise<boolean> =>
  ledger.head().then(
    () => true,
    () => false,
  );

/** Why it cannot be asked, and that this was told in time. */
async function away(ask: () => Promise<unknown>): Promise<LedgerAwayError> {
  const startedMs = performance.now();
  try {
    await ask();
  } catch (error) {
    const tookMs = performance.now() - startedMs;
    assert.ok(error instanceof LedgerAwayError, String(error));
    assert.ok(tookMs <= MOST_MS, `told after ${Math.round(tookMs)} ms`);
    return error;
  }
  return assert.fail('it was answered');
}

const [first = assert.fail(), second = assert.fail()] = chainOf(2);
const begin: Append = { ...first, expected: headOf(undefined), lease: null, configText: null };
const goOn: Append = { ...second, expected: headOf(first), lease: null, configText: null };

describe('a ledger behind a network with troubles', () => {
  test('that is slow answers later, and correctly', async (t) => {
    const { ledger, link } = await far(t, 2000);
    link.delay(60);
    const startedMs = performance.now();
    assert.deepEqual(await ledger.append(begin), { outcome: 'stored' });
    assert.ok(performance.now() - startedMs >= 110, 'there and back');
    assert.deepEqual(await ledger.head(), headOf(first));
  });

  test('that is slower than an answer may take says so in time, and every question of a crowd at once', async (t) => {
    const { ledger, link } = await far(t);
    link.delay(3 * TIMEOUT_MS);
    await Promise.all(Array.from({ length: 50 }, () => away(() => ledger.head())));
    link.heal();
    await until(() => answers(ledger), 'well again', SETTLE_MS);
  });

  test('that is cut says so in time, keeps no question for later, and answers again when it is whole', async (t) => {
    const { ledger, link } = await far(t);
    link.cut();
    const error = await away(() => ledger.append(begin));
    assert.equal(
      error.maybeDone && (await away(() => ledger.append(begin))).maybeDone,
      false,
      'nothing is sent where nothing is connected',
    );
    link.heal();
    await until(() => answers(ledger), 'well again', SETTLE_MS);
    assert.equal((await ledger.head()).revision, 0, 'what was refused is not done behind the back of who was told so');
  });

  test('whose connections hang for good is reached over new ones', async (t) => {
    const { ledger, link, ahead } = await far(t);
    link.hang();
    await away(() => ledger.head());
    // The way is well again; those connections are not, and nobody says so.
    link.heal();
    await away(() => ledger.head());
    ahead(6000);
    await away(() => ledger.head());
    await until(() => answers(ledger), 'a client was made anew', SETTLE_MS);
    assert.deepEqual(await ledger.append(begin), { outcome: 'stored' });
  });

  test('that loses the answer tells that it may be done; asked again it is done once', async (t) => {
    const { ledger, link } = await far(t);
    link.loseAnswers();
    assert.equal((await away(() => ledger.append(begin))).maybeDone, true);
    link.heal();
    await until(() => answers(ledger), 'well again', SETTLE_MS);
    assert.deepEqual(await ledger.head(), headOf(first), 'it had arrived');
    assert.deepEqual(await ledger.append(begin), { outcome: 'stored' });
    assert.deepEqual(await ledger.append(goOn), { outcome: 'stored' });
    assert.equal((await ledger.entriesAfter(0, 10)).length, 2);
  });

  test('a connection of hints that breaks is a hint, once, and one that is made anew makes up for what was lost', async (t) => {
    const { ledger, link, fleet } = await far(t);
    let hints = 0;
    t.after(ledger.watch(() => (hints += 1)));
    await until(() => hints === 1, 'watching', SETTLE_MS);
    link.cut();
    await until(() => hints === 2, 'it looks since the connection broke', SETTLE_MS);
    execFileSync('redis-cli', ['-p', String(redis.port), 'PUBLISH', `weir:{${fleet}}:hint`, 'lost'], { stdio: 'ignore' });
    // Attempts to connect fail meanwhile, and are no news.
    await away(() => ledger.head());
    assert.equal(hints, 2);
    link.heal();
    await until(() => hints === 3, 'it looks by itself', SETTLE_MS);
  });

  test('a Redis that has forgotten the scripts is told them again', async (t) => {
    const { ledger } = await far(t);
    execFileSync('redis-cli', ['-p', String(redis.port), 'SCRIPT', 'FLUSH'], { stdio: 'ignore' });
    assert.deepEqual(await ledger.append(begin), { outcome: 'stored' });
  });

  test('a Redis that stands still is told of in time, and goes on', async (t) => {
    const { ledger } = await far(t);
    redis.freeze();
    try {
      await away(() => ledger.head());
    } finally {
      redis.thaw();
    }
    await until(() => answers(ledger), 'well again', SETTLE_MS);
  });
});

test('kill -9 of Redis at any instant loses nothing that it has acknowledged, as appendfsync always promises', async (t) => {
  const server = await startRedis(t);
  const { ledger } = await far(t, 1000, server);
  const random = seededRandom(20_26);
  const acknowledged: string[] = [];
  let newest: Snapshot | null = null;
  // Of a busy machine the instants hit fewer of them: it goes on until there were enough.
  for (let round = 0; round < 8 || (acknowledged.length <= 20 && round < 60); round += 1) {
    // The instant within an append is the point here.
    const killed = delay(random() * 60).then(() => server.kill());
    const asked = await appendUntilAway(ledger, newest, (next) => acknowledged.push(next.record.hash));
    await killed;
    await server.start();
    await until(() => answers(ledger), 'well again', SETTLE_MS);
    const head = await ledger.head();
    // The last one may be stored, though nobody heard of it.
    newest = head.hash === asked.unheard.record.hash ? asked.unheard : asked.newest;
    assert.deepEqual(head, headOf(newest));
  }
  const kept = new Set((await ledger.entriesAfter(0, 100_000)).map(({ record }) => record.hash));
  assert.ok(acknowledged.length > 20, `${acknowledged.length} were acknowledged`);
  assert.ok(acknowledged.every((hash) => kept.has(hash)));
});

async function appendUntilAway(
  ledger: Ledger,
  from: Snapshot | null,
  onStored: (next: Snapshot) => void,
): Promise<{ readonly newest: Snapshot | null; readonly unheard: Snapshot }> {
  for (let newest = from; ;) {
    const next: Snapshot = nextOf(newest);
    try {
      assert.deepEqual(await ledger.append({ ...next, expected: headOf(newest), lease: null, configText: null }), { outcome: 'stored' });
    } catch (error) {
      if (error instanceof LedgerAwayError) return { newest, unheard: next };
      throw error;
    }
    onStored(next);
    newest = next;
  }
}
