// Changes that come little by little: where they are at a moment, what ends them, and that intent and time alone say so.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fastCheck from 'fast-check';
import { MILLION } from '../../../balancer/config/config.ts';
import type { DirectChange } from '../../../balancer/intent/apply-change.ts';
import { diffIntent } from '../../../balancer/intent/diff.ts';
import { glided, glidedIntent } from '../../../balancer/intent/glide.ts';
import type { Intent, TimedChange } from '../../../balancer/intent/intent.ts';
import { patchIntent } from '../../../balancer/intent/patch.ts';
import { chainRevision, verifyChain } from '../../../balancer/intent/revision.ts';
import { seedIntent } from '../../../balancer/intent/seed.ts';
import { applyTimed, endOverride } from '../../../balancer/intent/timed-change.ts';
import { undo } from '../../../balancer/intent/undo.ts';
import { decodeIntent, decodeRevision } from '../../../balancer/store/decode.ts';
import { fleetConfig, type ServiceSketch } from '../../support/fleet-config.ts';

const SHOP: ServiceSketch = {
  versions: { blue: { eu: 70, us: 30 }, green: { eu: 1, us: 1 }, red: { us: 1 } },
  split: { blue: 90, green: 10 },
};
const config = fleetConfig({ services: { shop: SHOP }, clusters: { ap: {} } });
const seeded = seedIntent(config, null).intent;
const NOW = Date.parse('2026-01-01T00:00:00.000Z');
const MINUTE = 60_000;
const TEN = 10 * MINUTE;

const shift = (percents: Readonly<Record<string, number>>, overMs?: number): TimedChange => ({
  ...{ kind: 'shift', service: 'shop', percents },
  ...(overMs === undefined ? {} : { overMs }),
});
const dial = (percent: number, overMs?: number): TimedChange => ({
  ...{ kind: 'dial', cluster: 'eu', percent },
  ...(overMs === undefined ? {} : { overMs }),
});
const admin = (state: 'active' | 'drain' | 'maintenance', overMs?: number): TimedChange => ({
  ...{ kind: 'admin', cluster: 'eu', state },
  ...(overMs === undefined ? {} : { overMs }),
});

describe('a change over a time', () => {
  test('begins exactly where it was, ends exactly where it was sent, and is on a straight line between', () => {
    const shares = fastCheck.record({
      from: fastCheck.integer({ min: 0, max: MILLION }),
      rest: fastCheck.integer({ min: 0, max: MILLION }),
      to: fastCheck.integer({ min: 0, max: MILLION }),
      overMs: fastCheck.integer({ min: 1000, max: 86_400_000 }),
    });
    fastCheck.assert(
      fastCheck.property(shares, ({ from, rest, to, overMs }) => {
        const split = { blue: from, green: Math.min(rest, MILLION - from), red: 0 };
        const begun = withSplit({ ...split, red: MILLION - split.blue - split.green });
        const sent = made(begun, shift(percentsOf({ blue: to, green: MILLION - to, red: 0 }), overMs));
        assert.deepEqual(splitAt(sent, NOW - 1), splitAt(begun, NOW));
        assert.deepEqual(splitAt(sent, NOW), splitAt(begun, NOW));
        assert.deepEqual(splitAt(sent, NOW + overMs), { blue: to, green: MILLION - to, red: 0 });
        let before = splitAt(sent, NOW);
        for (let part = 1; part <= 20; part += 1) {
          const at = splitAt(sent, NOW + (overMs * part) / 20);
          assert.equal(sumOf(at), MILLION);
          for (const [version, share] of Object.entries(at)) {
            const [start, end] = [splitAt(sent, NOW)[version] ?? 0, splitAt(sent, Infinity)[version] ?? 0];
            assert.ok(Math.abs(share - (start + ((end - start) * part) / 20)) < 1, 'on the line, to the millionth');
            // The sum is exact, so of three that move one may be a millionth behind.
            assert.ok((share - (before[version] ?? 0)) * Math.sign(end - start) >= -1, 'never back');
          }
          before = at;
        }
      }),
    );
  });

  test('takes weights of clusters there in shares, whatever numbers the file has for them', () => {
    const sent = made(seeded, { kind: 'shift_clusters', service: 'shop', percents: { eu: 10, us: 90 }, overMs: TEN });
    const half = glidedIntent(sent, NOW + TEN / 2).services['shop']?.clusterWeights;
    assert.deepEqual(half?.['blue'], { eu: 400_000, us: 600_000 });
    assert.deepEqual(half['green'], { eu: 300_000, us: 700_000 });
    assert.deepEqual(glidedIntent(sent, NOW + TEN).services, sent.services);
  });

  test('turns a dial, and closes and opens a cluster by turning it down and up', () => {
    assert.deepEqual(clusterAt(made(seeded, dial(40, TEN)), TEN / 4), { admin: 'active', dialPercent: 85 });
    const drained = made(seeded, admin('drain', TEN));
    assert.deepEqual([drained.clusters['eu']?.admin, clusterAt(drained, TEN / 2)], ['drain', { admin: 'active', dialPercent: 50 }]);
    assert.deepEqual(clusterAt(drained, TEN), { admin: 'drain', dialPercent: 100 });
    const dialled = made(made(seeded, dial(60)), admin('maintenance'));
    const back = made(dialled, admin('active', TEN));
    assert.deepEqual(clusterAt(back, TEN / 2), { admin: 'active', dialPercent: 30 });
    const both = made(back, dial(100, TEN), NOW + TEN / 2);
    assert.deepEqual(clusterAt(both, TEN / 2), { admin: 'active', dialPercent: 30 }, 'nothing jumps');
    assert.deepEqual(clusterAt(both, TEN), { admin: 'active', dialPercent: 80 });
    assert.deepEqual(clusterAt(both, 1.5 * TEN), { admin: 'active', dialPercent: 100 });
  });

  test('says so, and is refused below a second, beyond a day, and where it would return first', () => {
    const outcome = applyTimed(seeded, shift({ green: 50 }, 90 * MINUTE), config, { wallMs: NOW, permanent: false });
    assert.ok(outcome.ok);
    assert.equal(outcome.summary, 'shop: blue 90 % → 50 %, green 10 % → 50 %, over 1h30m');
    assert.deepEqual(
      outcome.touched.map(({ path }) => path.join('.')),
      ['services.shop.split', 'glides.2'],
    );
    assert.match(refused(shift({ green: 50 }, 500)), /expected a time from 1 s to 24 h/);
    assert.match(refused(dial(50, 25 * 60 * MINUTE)), /expected a time from 1 s to 24 h/);
    assert.match(refused({ ...shift({ green: 50 }, TEN), forMs: MINUTE }), /it would return before it has arrived/);
  });

  test('that sets what is there already is no change', () => {
    const outcome = applyTimed(seeded, dial(100, TEN), config, { wallMs: NOW, permanent: false });
    assert.ok(outcome.ok);
    assert.deepEqual([outcome.touched, outcome.intent], [[], seeded]);
  });

  test('is stored and read as it was, and its record leads to it and keeps the chain', () => {
    const before = made(seeded, admin('drain', TEN));
    const change = { ...shift({ green: 50 }, TEN), forMs: 6 * TEN };
    const sent = made(before, change);
    assert.deepEqual(decodeIntent(JSON.stringify(sent), 'intent'), sent);
    const touched = diffIntent(before, sent);
    assert.deepEqual(decodeIntent(JSON.stringify(patchIntent(before, { revision: 3, touched })), 'intent'), sent);
    const arrived = made(sent, dial(50), NOW + 6 * TEN);
    const back = diffIntent(sent, arrived);
    assert.deepEqual(decodeIntent(JSON.stringify(patchIntent(sent, { revision: 4, touched: back })), 'intent'), arrived);
    const facts = { at: '', author: { name: 'alice', how: '' }, source: 'operator' as const, reason: '', undoes: null };
    const record = chainRevision({ ...facts, revision: 1, change, touched }, null);
    assert.ok(verifyChain([decodeRevision(JSON.stringify(record), 'record')]).intact);
  });
});

describe('what is on its way', () => {
  const sent = made(seeded, shift({ green: 50 }, TEN));

  test('goes on from where it is when it is sent elsewhere', () => {
    const again = made(sent, shift({ green: 100, blue: 0 }, TEN), NOW + TEN / 2);
    assert.deepEqual(splitAt(again, NOW + TEN / 2), { blue: 700_000, green: 300_000, red: 0 });
    assert.deepEqual(splitAt(again, NOW + TEN), { blue: 350_000, green: 650_000, red: 0 });
    assert.deepEqual(Object.keys(again.glides ?? {}), ['3']);
  });

  test('is there at once, or stays where it is, when that is asked for', () => {
    const there = made(sent, shift({ green: 50 }), NOW + TEN / 2);
    assert.deepEqual([there.glides, splitAt(there, NOW + TEN / 2)['green']], [undefined, 500_000]);
    const stopped = made(sent, shift({ green: 30 }), NOW + TEN / 2);
    assert.deepEqual([stopped.glides, splitAt(stopped, Infinity)['green']], [undefined, 300_000]);
    const slower = made(sent, shift({ green: 50 }, TEN), NOW + TEN / 2);
    assert.deepEqual(splitAt(slower, NOW + TEN)['green'], 400_000);
  });

  test('goes on while other things change, and costs nothing when it has arrived', () => {
    const other = made(sent, { kind: 'dial', cluster: 'us', percent: 50 }, NOW + MINUTE);
    assert.deepEqual(other.glides, sent.glides);
    const later = made(sent, { kind: 'dial', cluster: 'us', percent: 50 }, NOW + TEN);
    assert.equal(later.glides, undefined);
    const unchanged = applyTimed(sent, { kind: 'dial', cluster: 'us', percent: 100 }, config, { wallMs: NOW + TEN, permanent: false });
    assert.ok(unchanged.ok);
    assert.deepEqual(unchanged.touched, [], 'to have arrived is no change');
  });

  test('ends when the file says something else, and a version that still has requests may not leave it', () => {
    const file = fleetConfig({ services: { shop: { ...SHOP, split: { blue: 60, green: 40 } } }, clusters: { ap: {} } });
    assert.equal(seedIntent(file, sent).intent.glides, undefined);
    const whole = made(seeded, shift({ green: 100, blue: 0 }, TEN));
    const { blue, ...versions } = SHOP.versions;
    assert.ok(blue !== undefined);
    const without = fleetConfig({ services: { shop: { versions, split: { green: 1 } } }, clusters: { ap: {} } });
    const same = { ...without, services: { shop: { ...without.services['shop'], split: { green: 100_000, blue: 900_000 } } } };
    const kept = same as typeof without;
    assert.match(seedIntent(kept, whole, NOW + TEN / 2).problems[0]?.message ?? '', /left the file while it has 45 %/);
    assert.deepEqual(seedIntent(kept, whole, NOW + TEN).problems, []);
  });

  test('keeps what does not glide the same object, so that what followed from it still does', () => {
    const two = fleetConfig({ services: { shop: SHOP, mail: SHOP } });
    const outcome = applyTimed(seedIntent(two, null).intent, shift({ green: 50 }, TEN), two, { wallMs: NOW, permanent: false });
    assert.ok(outcome.ok);
    const at = glided(outcome.intent, NOW + MINUTE, NOW);
    assert.equal(at.intent.services['mail'], outcome.intent.services['mail']);
    assert.equal(at.intent.clusters, outcome.intent.clusters);
    assert.deepEqual([[...at.services], [...at.clusters]], [['shop'], []]);
    assert.deepEqual([...glided(outcome.intent, NOW + TEN + 500, NOW + TEN - 500).services], ['shop'], 'the last step');
    assert.deepEqual([...glided(outcome.intent, NOW + TEN + 1500, NOW + TEN + 500).services], []);
  });
});

describe('ways back', () => {
  const sent = made(seeded, shift({ green: 50 }, TEN));
  const record = { at: '', author: { name: 'alice', how: '' }, reason: '', undoes: null, previousHash: '', hash: '' };
  const revision = { ...record, revision: 2, source: 'operator' as const, change: shift({ green: 50 }, TEN) };
  const history = {
    revisions: [{ ...revision, touched: diffIntent(seeded, sent) }],
    intentAt: (at: number): Intent => (at === 1 ? seeded : sent),
  };
  const facts = { ...config, wallMs: NOW + TEN / 2 };

  test('undo is back at once, or over a time from where it has come to', () => {
    const back = undo(sent, { to: null }, history, facts);
    assert.ok(back.ok);
    assert.deepEqual(back.intent, { ...seeded, revision: 3 });
    const slowly = undo(sent, { to: null, overMs: TEN }, history, facts);
    assert.ok(slowly.ok);
    assert.equal(slowly.summary, 'took back revision 2, over 10m');
    assert.equal(splitAt(slowly.intent, NOW + TEN / 2)['green'], 300_000);
    assert.equal(splitAt(slowly.intent, NOW + TEN)['green'], 200_000);
  });

  test('undo to a revision has it just as it was, where it would be by now', () => {
    const other = made(sent, shift({ green: 0 }), NOW + MINUTE);
    const back = undo(other, { to: 2 }, history, facts);
    assert.ok(back.ok);
    assert.deepEqual({ ...back.intent, revision: 2 }, sent);
    const later = undo(other, { to: 2 }, history, { ...facts, wallMs: NOW + 2 * TEN });
    assert.ok(later.ok);
    assert.deepEqual({ ...later.intent, revision: 2 }, sent, 'bit for bit, although it has arrived');
  });

  test('the end of a time takes a shift back as slowly as it came, or within a quarter of the time and a minute at most', () => {
    for (const [change, overMs] of [
      [{ ...shift({ green: 50 }, TEN), forMs: 3 * TEN }, TEN],
      [{ ...shift({ green: 50 }), forMs: 3 * TEN }, MINUTE],
      [{ ...shift({ green: 50 }), forMs: 100_000 }, 25_000],
      [{ ...shift({ green: 50 }), forMs: 1000 }, 1000],
    ] as const) {
      const held = made(seeded, change);
      const ended = endOverride(held, 2, { ...config, wallMs: NOW + change.forMs });
      assert.ok(ended.ok);
      assert.equal(ended.intent.glides?.['3']?.overMs, overMs);
      assert.deepEqual(decodeIntent(JSON.stringify(ended.intent), 'intent'), ended.intent);
      assert.equal(splitAt(ended.intent, NOW + change.forMs)['green'], 500_000);
      assert.equal(splitAt(ended.intent, NOW + change.forMs + overMs / 2)['green'], 300_000);
      assert.deepEqual(ended.intent.services, seeded.services);
    }
  });

  test('a cluster that went over a time comes back over it, and begins no ramp beside that', () => {
    const ended = endOverride(made(seeded, { ...admin('drain', TEN), forMs: 2 * TEN }), 2, { ...config, wallMs: NOW + 2 * TEN });
    assert.ok(ended.ok);
    assert.deepEqual(clusterAt(ended.intent, 2.5 * TEN), { admin: 'active', dialPercent: 50 });
    assert.equal(ended.intent.clusters['eu']?.returned, undefined);
  });
});

function made(intent: Intent, change: DirectChange, wallMs = NOW): Intent {
  const outcome = applyTimed(intent, change, config, { wallMs, permanent: false });
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.refusal.message);
  return outcome.intent;
}

function refused(change: DirectChange): string {
  const outcome = applyTimed(seeded, change, config, { wallMs: NOW, permanent: false });
  assert.ok(!outcome.ok);
  return outcome.refusal.message;
}

function withSplit(split: Readonly<Record<string, number>>): Intent {
  const shop = seeded.services['shop'];
  assert.ok(shop !== undefined);
  return { ...seeded, services: { shop: { ...shop, split } } };
}

function splitAt(intent: Intent, wallMs: number): Readonly<Record<string, number>> {
  return glidedIntent(intent, wallMs).services['shop']?.split ?? {};
}

function clusterAt(intent: Intent, afterMs: number): unknown {
  return glidedIntent(intent, NOW + afterMs).clusters['eu'];
}

function percentsOf(split: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(split).map(([version, share]) => [version, share / 10_000]));
}

function sumOf(split: Readonly<Record<string, number>>): number {
  return Object.values(split).reduce((sum, share) => sum + share, 0);
}
