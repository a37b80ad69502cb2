// Purges as changes: what may be named, how it is kept in the intent, and that nothing takes one back.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { applyChange } from '../../../balancer/intent/apply-change.ts';
import { diffIntent, EMPTY_INTENT } from '../../../balancer/intent/diff.ts';
import type { Intent, PurgeChange } from '../../../balancer/intent/intent.ts';
import { patchIntent } from '../../../balancer/intent/patch.ts';
import { MOST_PURGES, type Purge } from '../../../balancer/intent/purge.ts';
import { seedIntent } from '../../../balancer/intent/seed.ts';
import { applyTimed } from '../../../balancer/intent/timed-change.ts';
import { undo, type History } from '../../../balancer/intent/undo.ts';
import { decodeIntent } from '../../../balancer/store/decode.ts';
import { fleetConfig } from '../../support/fleet-config.ts';
import { recordOf } from '../../support/revision-chain.ts';

const config = fleetConfig({
  services: { shop: { versions: { blue: { one: 1 }, green: { one: 1 } }, split: { blue: 90, green: 10 } } },
  routes: { shop: 'shop', plain: 'shop' },
});
const routes = config.routes.map((route) => (route.name === 'shop' ? { ...route, filters: [{ name: 'cache', options: {} }] } : route));
const facts = { ...config, routes, wallMs: Date.UTC(2026, 10, 21) };
const seeded = seedIntent(config, null).intent;

function purged(intent: Intent, change: Omit<PurgeChange, 'kind'>): Intent {
  const outcome = applyChange(intent, { kind: 'purge', ...change }, facts);
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.refusal.message);
  return outcome.intent;
}

/** As a store has it: each intent by the record of what it changed. */
function historyOf(intents: readonly Intent[]): History {
  const records = intents.slice(1).map((intent, index) => {
    const touched = diffIntent(intents[index] ?? EMPTY_INTENT, intent);
    return { ...recordOf(intent.revision, null), touched };
  });
  return { revisions: records.toReversed(), intentAt: (revision) => intents.find((intent) => intent.revision === revision) ?? null };
}

const lastOf = ({ purges = {}, revision }: Intent): Purge | undefined => purges[String(revision)];

function refused(change: Omit<PurgeChange, 'kind'>): string {
  const outcome = applyChange(seeded, { kind: 'purge', ...change }, facts);
  return outcome.ok ? '' : `${outcome.refusal.kind}: ${outcome.refusal.message}`;
}

describe('a purge', () => {
  it('is kept as requests are told apart: by canonical path, without scheme and port', () => {
    const urls = ['https://Shop.example:8443/a/../img/%6Cogo.png?B=1', 'http://shop.example', 'http://[::1]:80/x?'];
    assert.deepEqual(
      lastOf(purged(seeded, { urls, prefixes: ['/img/', 'Shop.example./p'], tags: ['News', 'a-b'], soft: true, route: 'shop' })),
      {
        ...{ at: '2026-11-21T00:00:00.000Z', soft: true, route: 'shop', tags: ['News', 'a-b'] },
        ...{ urls: ['shop.example/img/logo.png?B=1', 'shop.example/', '[::1]/x?'], prefixes: ['/img/', 'shop.example/p'] },
      },
    );
  });

  it('says what is wrong with what is asked for', () => {
    assert.match(refused({}), /^usage: nothing is named: say what is to be purged by --url, --prefix, --tag or --route, or --all/);
    assert.match(refused({ all: true, tags: ['a'] }), /^usage: --all is everything/);
    for (const url of ['shop', 'ftp://a/b', 'http:///a', 'http://a b/', 'http://a/%zz', 'http://a/#b', 'http://u@a/'])
      assert.match(refused({ urls: [url] }), /^usage: .* is no URL as clients ask for it; expected for example https:/, url);
    for (const prefix of ['img', '', '/a?b', 'a b/c'])
      assert.match(refused({ prefixes: [prefix] }), /^usage: .* is no beginning of a path/, prefix);
    for (const tag of ['', 'a b', 'a,b', 'ä', 'x'.repeat(257)])
      assert.match(refused({ tags: [tag] }), /^usage: .* is no tag; expected up to 256/, tag);
    assert.match(
      refused({ route: 'shp' }),
      /^not_found: there is no route "shp"; did you mean "shop"\?; routes with the filter cache: shop/,
    );
    assert.match(refused({ route: 'plain' }), /^usage: route "plain" stores nothing; routes with the filter cache: shop/);
    assert.match(
      refused({ tags: Array.from({ length: 17 }, (_, i) => String(i).padEnd(256, 'x')) }),
      /^usage: one purge takes at most 4096 characters/,
    );
  });

  it('is one field of the intent, which every store reads back', () => {
    const before = purged(seeded, { tags: ['a'] });
    const after = purged(before, { urls: ['http://a/'] });
    const touched = diffIntent(before, after);
    assert.deepEqual(
      touched.map(({ path, before: was }) => [path, was]),
      [[['purges', String(after.revision)], null]],
    );
    assert.deepEqual(patchIntent(before, { revision: after.revision, touched }), after);
    assert.deepEqual(decodeIntent(JSON.stringify(after), 'intent'), after);
  });

  it('goes when many others have come', () => {
    let intent = seeded;
    for (let turn = 0; turn < MOST_PURGES + 10; turn += 1) intent = purged(intent, { tags: [`t${turn}`] });
    const kept = Object.values(intent.purges ?? {}).map(({ tags }) => tags[0]);
    assert.deepEqual([kept.length, kept.includes('t9'), kept.includes('t10')], [MOST_PURGES, false, true]);
  });

  it('stays, whatever else changes or is taken back', () => {
    const shift = { kind: 'shift', service: 'shop', percents: { green: 50 } } as const;
    const shifted = applyTimed(purged(seeded, { tags: ['a'] }), { ...shift, forMs: 60_000 }, facts, {
      wallMs: facts.wallMs,
      permanent: false,
    });
    assert.ok(shifted.ok && shifted.touched.length > 0);
    const now = purged(shifted.intent, { tags: ['b'] });
    assert.deepEqual(seedIntent(config, now).intent, now);
    const history = historyOf([seeded, purged(seeded, { tags: ['a'] }), shifted.intent, now]);
    const undone = undo(now, { to: null }, history, facts);
    assert.ok(undone.ok && undone.undoes === shifted.intent.revision);
    assert.deepEqual(undone.intent.purges, now.purges);
    assert.equal(undone.intent.services['shop']?.split['green'], 100_000);
    const back = undo(now, { to: seeded.revision }, history, facts);
    assert.ok(back.ok);
    assert.deepEqual(back.intent.purges, now.purges);
  });
});
