// What every ledger keeps to: that of a host alone, and Redis as it really is, plain and behind TLS with no more rights than the documented ones.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../../health/clock.ts';
import { EMPTY_INTENT } from '../../balancer/intent/diff.ts';
import { AloneLedger } from '../../balancer/store/alone-ledger.ts';
import { followingIntent } from '../../balancer/store/entry-text.ts';
import {
  EMPTY_HEAD,
  type Announcement,
  type Append,
  type Digest,
  type HostText,
  type Ledger,
  type Snapshot,
} from '../../balancer/store/ledger.ts';
import { RedisLedger } from '../../balancer/store/redis/redis-ledger.ts';
import { Seal } from '../../balancer/store/seal.ts';
import { openSqliteStore } from '../../balancer/store/sqlite.ts';
import { makeCertificate } from '../support/certificates.ts';
import { chainOf, entryOf, headOf, nextOf } from '../support/ledger-chain.ts';
import { leastRights, REDIS_USER } from '../support/redis-rights.ts';
import { startRedis } from '../support/redis-server.ts';
import { until } from '../support/until.ts';

/** A new, empty ledger; `again`: another way into the same one, as another host has it. */
interface Opened {
  readonly ledger: Ledger;
  readonly again: () => Ledger;
}

interface Kind {
  start(): Promise<void>;
  open(): Opened;
  stop(): Promise<void>;
}

/** What is to be ended, last things first. */
function endings(): { readonly after: (end: () => unknown) => void; readonly run: () => Promise<void> } {
  const ends: (() => unknown)[] = [];
  return {
    after: (end) => void ends.unshift(end),
    run: async () => {
      for (const end of ends.splice(0)) await end();
    },
  };
}

function alone(): Kind {
  const ends = endings();
  return {
    start: () => Promise.resolve(),
    open: () => {
      const directory = mkdtempSync(join(tmpdir(), 'weir-ledger-'));
      const store = openSqliteStore(directory);
      ends.after(() => {
        store.close();
        rmSync(directory, { recursive: true, force: true });
      });
      const ledger = new AloneLedger(store, systemClock);
      return { ledger, again: () => ledger };
    },
    stop: ends.run,
  };
}

function redis(options: { readonly tls: boolean }): Kind {
  const ends = endings();
  const seal = new Seal([randomBytes(32)]);
  let port = 0;
  let ca: string | null = null;
  let fleets = 0;
  return {
    start: async () => {
      if (options.tls) {
        const directory = mkdtempSync(join(tmpdir(), 'weir-redis-tls-'));
        ends.after(() => rmSync(directory, { recursive: true, force: true }));
        const { cert, key, pem } = makeCertificate(directory, { names: ['localhost'] });
        ca = pem;
        const files = [`tls-cert-file ${cert}`, `tls-key-file ${key}`, `tls-ca-cert-file ${cert}`];
        ({ port } = await startRedis(ends, ['tls-port PORT', 'tls-auth-clients no', ...files, 'user default off', leastRights()]));
      } else ({ port } = await startRedis(ends));
    },
    open: () => {
      fleets += 1;
      const fleet = `fleet${fleets}`;
      const again = (): Ledger => {
        const ledger = new RedisLedger({
          place: { kind: 'single', node: { host: '127.0.0.1', port } },
          username: options.tls ? REDIS_USER.username : null,
          password: options.tls ? REDIS_USER.password : null,
          database: 0,
          tls: ca === null ? null : { ca, serverName: 'localhost' },
          timeoutMs: 2000,
          connectMs: 4000,
          fleet,
          seal,
          clock: systemClock,
        });
        ends.after(() => ledger.close());
        return ledger;
      };
      return { ledger: again(), again };
    },
    stop: ends.run,
  };
}

const KINDS: Readonly<Record<string, Kind>> = {
  alone: alone(),
  redis: redis({ tls: false }),
  'redis with TLS and least rights': redis({ tls: true }),
};

/** How `next` is asked for on top of `before`. */
function append(next: Snapshot, before: Snapshot | null, more: Partial<Append> = {}): Append {
  return { ...next, expected: headOf(before), lease: null, configText: null, ...more };
}

async function fill(ledger: Ledger, chain: readonly Snapshot[]): Promise<void> {
  for (const [index, next] of chain.entries())
    assert.deepEqual(await ledger.append(append(next, chain[index - 1] ?? null)), { outcome: 'stored' });
}

/** Connections are made in the background: the first question waits for one. */
async function reachable(ledger: Ledger): Promise<Ledger> {
  await until(
    () =>
      ledger.head().then(
        () => true,
        () => false,
      ),
    'the ledger answers',
  );
  return ledger;
}

for (const [name, kind] of Object.entries(KINDS)) {
  describe(`a ledger: ${name}`, () => {
    before(() => kind.start());
    after(() => kind.stop());
    const open = async (): Promise<Ledger> => reachable(kind.open().ledger);

    test('begins empty', async () => {
      const ledger = await open();
      assert.deepEqual(await ledger.head(), EMPTY_HEAD);
      assert.deepEqual(await ledger.entriesAfter(0, 10), []);
      assert.equal(await ledger.snapshot(), null);
    });

    test('hands out what was appended, and each entry leads to the intent that its maker had', async () => {
      const ledger = await open();
      const chain = chainOf(5);
      await fill(ledger, chain);
      assert.deepEqual(await ledger.head(), headOf(chain[4]));
      assert.deepEqual(await ledger.entriesAfter(2, 2), chain.slice(2, 4).map(entryOf));
      assert.deepEqual(await ledger.snapshot(), chain[4]);
      let intent = EMPTY_INTENT;
      for (const entry of await ledger.entriesAfter(0, 100)) intent = followingIntent(intent, entry);
      assert.deepEqual(intent, chain[4]?.intent);
    });

    test('takes a revision only on the one it was made on', async () => {
      const ledger = await open();
      const [first, second] = chainOf(2);
      assert.ok(first !== undefined && second !== undefined);
      await fill(ledger, [first]);
      const other = nextOf(null, 'bob');
      assert.deepEqual(await ledger.append(append(other, null)), { outcome: 'moved', head: headOf(first) });
      assert.deepEqual(await ledger.append(append(nextOf(other, 'bob'), other)), { outcome: 'moved', head: headOf(first) });
      assert.deepEqual(await ledger.append(append(second, first)), { outcome: 'stored' });
    });

    test('takes the same revision twice as one', async () => {
      const ledger = await open();
      const [first] = chainOf(1);
      assert.ok(first !== undefined);
      await fill(ledger, [first]);
      assert.deepEqual(await ledger.append(append(first, null)), { outcome: 'stored' });
      assert.deepEqual(await ledger.head(), headOf(first));
    });

    test('lets exactly one of many that change at once succeed', async () => {
      const { ledger, again } = kind.open();
      const ledgers = await Promise.all([ledger, again(), again()].map(reachable));
      const wishes = ledgers.flatMap((one, index) => [0, 1, 2].map((n) => one.append(append(nextOf(null, `host${index}-${n}`), null))));
      const outcomes = (await Promise.all(wishes)).map(({ outcome }) => outcome);
      assert.equal(outcomes.filter((outcome) => outcome === 'stored').length, 1);
      assert.equal((await ledger.head()).revision, 1);
    });

    test('keeps the text of a config beside the revision that names it', async () => {
      const ledger = await open();
      const first = nextOf(null);
      await ledger.append(append(first, null, { configText: { fingerprint: 'abc', text: 'version: 1 # ü' } }));
      assert.equal(await ledger.configText('abc'), 'version: 1 # ü');
      assert.equal(await ledger.configText('other'), null);
    });

    test('puts a higher end in place of the one that is there', async () => {
      const ledger = await open();
      const common = chainOf(2);
      const lost = chainOf(1, 'bob', common[1]);
      const winning = chainOf(2, 'carol', common[1]);
      await fill(ledger, [...common, ...lost]);
      const newest = winning[1];
      assert.ok(newest !== undefined);
      const replacement = { over: headOf(lost[0]), after: 2, entries: winning.map(entryOf), newest };
      assert.deepEqual(await ledger.replace(replacement), { outcome: 'stored' });
      assert.deepEqual(await ledger.replace(replacement), { outcome: 'stored' });
      assert.deepEqual(await ledger.entriesAfter(0, 100), [...common, ...winning].map(entryOf));
      assert.deepEqual(await ledger.snapshot(), newest);
    });

    test('keeps the end that stands above, at one revision that with the lower hash', async () => {
      const ledger = await open();
      const [low, high] = [nextOf(null, 'alice'), nextOf(null, 'bob')].sort((a, b) => (a.record.hash < b.record.hash ? -1 : 1));
      assert.ok(low !== undefined && high !== undefined);
      await fill(ledger, [low]);
      const worse = { over: headOf(low), after: 0, entries: [entryOf(high)], newest: high };
      assert.deepEqual(await ledger.replace(worse), { outcome: 'moved', head: headOf(low) });
      const other = await open();
      await fill(other, [high]);
      assert.deepEqual(await other.replace({ over: headOf(high), after: 0, entries: [entryOf(low)], newest: low }), { outcome: 'stored' });
      assert.deepEqual(await other.head(), headOf(low));
    });

    const host = (id: string, more: Partial<Announcement> = {}): Announcement => ({
      ...{
        id,
        text: `text of ${id}, ü`,
        instance: `place of ${id}`,
        served: 1,
        counts: `counts of ${id}, ü`,
        demand: `demand of ${id}, ü`,
      },
      ...more,
    });
    const texts = (hosts: readonly HostText[]): readonly string[] => hosts.map(({ id, text }) => `${id}: ${text}`).sort();

    test('knows the hosts that live, and no others', async () => {
      const ledger = await open();
      const [first] = chainOf(1);
      assert.ok(first !== undefined);
      await fill(ledger, [first]);
      const announced = await ledger.announce(host('a'), 60_000, 0);
      assert.ok(announced.outcome === 'announced');
      assert.deepEqual([announced.head, announced.digest, announced.twin], [headOf(first), null, null]);
      assert.ok(Math.abs(announced.wallMs - Date.now()) < 5000);
      await ledger.announce(host('b'), 60_000, 0);
      await ledger.announce(host('gone'), 1, 0);
      await until(async () => (await ledger.hosts()).length === 2, 'the deadline of one is over');
      assert.deepEqual(texts(await ledger.hosts()), ['a: text of a, ü', 'b: text of b, ü']);
      assert.deepEqual(texts(await ledger.counts()), ['a: counts of a, ü', 'b: counts of b, ü']);
      await ledger.withdraw(host('b', { instance: 'another place' }));
      assert.equal((await ledger.hosts()).length, 2);
      await ledger.withdraw(host('b'));
      assert.deepEqual(texts(await ledger.hosts()), ['a: text of a, ü']);
      assert.deepEqual(texts(await ledger.counts()), ['a: counts of a, ü']);
    });

    test('hands out what was told of demands since a number, of those that live, and all of it when the number is of another ledger', async () => {
      const ledger = await open();
      for (const id of ['a', 'b', 'c']) await ledger.announce(host(id), 60_000, 0);
      await ledger.announce(host('gone'), 1, 0);
      await ledger.announce(host('a', { demand: 'another demand' }), 60_000, 0);
      await ledger.announce(host('b', { demand: null }), 60_000, 0);
      await until(async () => (await ledger.hosts()).length === 3, 'the deadline of one is over');
      const first = await ledger.demandsAfter(0, 2);
      assert.deepEqual(
        first.map(({ id, text }) => `${id}: ${text}`),
        ['b: demand of b, ü', 'c: demand of c, ü'],
      );
      const [last] = await ledger.demandsAfter(first.at(-1)?.number ?? 0, 2);
      assert.deepEqual([last?.id, last?.text], ['a', 'another demand']);
      assert.deepEqual(await ledger.demandsAfter(last?.number ?? 0, 2), []);
      assert.equal((await ledger.demandsAfter(1_000_000, 10)).length, 3);
      await ledger.withdraw(host('c'));
      assert.deepEqual(
        (await ledger.demandsAfter(0, 10)).map(({ id }) => id),
        ['b', 'a'],
      );
    });

    test('names those that live and serve less than a revision', async () => {
      const ledger = await open();
      await ledger.announce(host('a', { served: 9 }), 60_000, 0);
      await ledger.announce(host('b', { served: 10 }), 60_000, 0);
      await ledger.announce(host('gone', { served: 1 }), 1, 0);
      await until(async () => (await ledger.hosts()).length === 2, 'the deadline of one is over');
      assert.deepEqual(texts(await ledger.hostsBehind(10)), ['a: text of a, ü']);
      await ledger.announce(host('a', { served: 10 }), 60_000, 0);
      assert.deepEqual(await ledger.hostsBehind(10), []);
    });

    test('lets one place have an id, names it to the second one, and the second one to it', async () => {
      const ledger = await open();
      await ledger.announce(host('a'), 60_000, 0);
      const second = host('a', { instance: 'a copy', text: 'text of the copy' });
      assert.deepEqual(await ledger.announce(second, 60_000, 0), { outcome: 'taken', by: 'text of a, ü' });
      assert.deepEqual(texts(await ledger.hosts()), ['a: text of a, ü']);
      const told = await ledger.announce(host('a'), 60_000, 0);
      assert.equal(told.outcome === 'announced' ? told.twin : '', 'text of the copy');
      const again = await ledger.announce(host('a'), 1, 0);
      assert.equal(again.outcome === 'announced' ? again.twin : '', null);
      await until(async () => (await ledger.announce(second, 60_000, 0)).outcome === 'announced', 'the first one is gone');
    });

    test('hands the digest of the leader to each host once, and takes none of who does not lead', async () => {
      const ledger = await open();
      const digestFor = async (known: number): Promise<Digest | null> => {
        const announced = await ledger.announce(host('a'), 60_000, known);
        return announced.outcome === 'announced' ? announced.digest : null;
      };
      assert.equal(await digestFor(0), null);
      const lease = await ledger.takeLease('lead', 'a', 60_000);
      assert.ok(lease !== null);
      assert.equal(await ledger.publishDigest(lease, 'the first, ü'), true);
      const first = await digestFor(0);
      assert.equal(first?.text, 'the first, ü');
      assert.equal(await digestFor(first.version), null);
      await ledger.publishDigest(lease, 'the second');
      const second = await digestFor(first.version);
      assert.ok(second !== null && second.version > first.version && second.text === 'the second');
      await ledger.releaseLease(lease);
      assert.equal(await ledger.publishDigest(lease, 'the third'), false);
      assert.equal(await digestFor(second.version), null);
    });

    test('gives a lease to one, and a higher fence to the next', async () => {
      const { ledger, again } = kind.open();
      const other = again();
      await Promise.all([ledger, other].map(reachable));
      const lease = await ledger.takeLease('lead', 'a', 60_000);
      assert.ok(lease !== null);
      assert.equal(await other.takeLease('lead', 'b', 60_000), null);
      assert.equal(await ledger.renewLease(lease, 60_000), true);
      assert.equal(await other.renewLease({ ...lease, holder: 'a', fence: lease.fence + 1 }, 60_000), false);
      await ledger.releaseLease(lease);
      const next = await other.takeLease('lead', 'b', 60_000);
      assert.ok(next !== null && next.fence > lease.fence);
    });

    test('lets nobody act on a lease that is not his any more', async () => {
      const { ledger, again } = kind.open();
      const other = again();
      await Promise.all([ledger, other].map(reachable));
      const [first, second] = chainOf(2);
      assert.ok(first !== undefined && second !== undefined);
      const lease = await ledger.takeLease('lead', 'a', 60_000);
      assert.ok(lease !== null);
      assert.deepEqual(await ledger.append(append(first, null, { lease })), { outcome: 'stored' });
      await ledger.releaseLease(lease);
      assert.deepEqual(await ledger.append(append(second, first, { lease })), { outcome: 'fenced' });
      const next = await other.takeLease('lead', 'b', 60_000);
      assert.deepEqual(await ledger.append(append(second, first, { lease })), { outcome: 'fenced' });
      assert.deepEqual(await other.append(append(second, first, { lease: next })), { outcome: 'stored' });
    });

    test('ends a lease that is not renewed', async () => {
      const ledger = await open();
      const lease = await ledger.takeLease('lead', 'a', 1);
      assert.ok(lease !== null);
      await until(async () => (await ledger.takeLease('lead', 'b', 60_000)) !== null, 'the lease is free again');
      assert.equal(await ledger.renewLease(lease, 60_000), false);
    });

    test('tells watchers that the chain has grown', async () => {
      const { ledger, again } = kind.open();
      const other = again();
      await Promise.all([ledger, other].map(reachable));
      let hints = 0;
      const end = other.watch(() => (hints += 1));
      // Of a subscription that is made: what came before it is not told.
      if (name !== 'alone') await until(() => hints === 1, 'the subscription');
      const before = hints;
      await fill(ledger, chainOf(1));
      await until(() => hints > before, 'a hint');
      end();
    });
  });
}
