// Changes that take two people: which they are, who is a second person, and how they wait.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { silentLog } from '../../../balancer/log.ts';
import { Approvals, MOST_PENDING } from '../../../balancer/controller/approval/approvals.ts';
import { basisOf, undoneBy, type Pending } from '../../../balancer/controller/approval/pending.ts';
import { mayNotWait, notSecond, servicesReconfigured, servicesTouched } from '../../../balancer/controller/approval/rule.ts';
import type { Caller } from '../../../balancer/controller/appliance.ts';
import type { Config } from '../../../balancer/config/config.ts';
import type { TouchedField } from '../../../balancer/intent/intent.ts';
import { load } from '../../support/config-text.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const TEXT = `
version: 1
state: { dir: /tmp/weir }
listeners: { web: { bind: "127.0.0.1:8080" } }
safety: { approval: { services: [shop] } }
clusters:
  eu: { endpoints: ["http://10.0.0.1"] }
  us: { endpoints: ["http://10.0.0.2"] }
services:
  shop: { versions: { blue: { clusters: { eu: {} } }, green: { clusters: { eu: {} } } }, split: { blue: 100, green: 0 } }
  mail: { versions: { v1: { clusters: { us: {} } } } }
routes:
  - { name: shop, match: { path: /shop }, service: shop }
  - { name: mail, match: { path: /mail }, service: mail }
`;

function configOf(text: string): Config {
  const result = load(text);
  assert.ok(result.ok, 'the config is good');
  return result.config;
}

const config = configOf(TEXT);
const field = (...path: string[]): TouchedField => ({ path, before: 1, after: 2 });
const local = (name: string): Caller => ({ author: { name, how: `local, claims ${name}` }, role: 'admin' });
const holder = (person: string): Caller => ({ author: { name: person, how: `token ${person}` }, role: 'operate', person });

describe('what takes two people', () => {
  test('changes of a named service, and of clusters that it runs in; not of others', () => {
    assert.deepEqual(servicesTouched([field('services', 'shop', 'split')], config), ['shop']);
    assert.deepEqual(servicesTouched([field('clusters', 'eu', 'admin')], config), ['shop']);
    assert.deepEqual(servicesTouched([field('services', 'mail', 'split'), field('clusters', 'us', 'admin')], config), []);
  });

  test('what stops a rollout or takes it back does not wait; what moves it on does', () => {
    const waits = (['pause', 'abort', 'resume', 'promote'] as const).map(
      (action) => !mayNotWait({ kind: 'rollout', service: 'shop', action }),
    );
    assert.deepEqual(waits, [false, false, true, true]);
  });

  test('another config, where it changes such a service, its clusters, its routes, or the rule itself', () => {
    const changed = (from: string, to: string): readonly string[] => servicesReconfigured(config, configOf(TEXT.replace(from, to)));
    assert.deepEqual(changed('blue: 100, green: 0', 'blue: 90, green: 10'), ['shop']);
    assert.deepEqual(changed('10.0.0.1', '10.0.0.9'), ['shop']);
    assert.deepEqual(changed('/shop', '/shops'), ['shop']);
    assert.deepEqual(changed('services: [shop]', 'services: []'), ['shop'], 'who takes the rule away needs a second person too');
    assert.deepEqual(changed('10.0.0.2', '10.0.0.9'), []);
  });
});

test('a second person has a token, and is not who asked, whatever that one was called', () => {
  assert.match(notSecond(holder('alice'), local('bob'), '3') ?? '', /unix socket.*rule safety\.approval.*approve 3/);
  assert.match(notSecond(holder('alice'), holder('alice'), '3') ?? '', /alice has asked for it.*weir reject 3/);
  assert.match(notSecond(local('bob'), holder('bob'), '3') ?? '', /bob has asked for it/);
  assert.equal(notSecond(holder('alice'), holder('bob'), '3'), null);
  assert.equal(notSecond(local('alice'), holder('bob'), '3'), null);
});

test('a basis is the fields that are touched with what they are, and not what is held for a time', () => {
  const basis = (touched: readonly TouchedField[]): string => basisOf({ touched, undoes: null, config: null });
  const split = field('services', 'shop', 'split');
  assert.equal(basis([split, field('overrides', '12')]), basis([split, field('overrides', '15')]));
  assert.notEqual(basis([split]), basis([{ ...split, before: 3 }]));
  assert.notEqual(basisOf({ touched: [split], undoes: 4, config: null }), basisOf({ touched: [split], undoes: 5, config: null }));
  assert.deepEqual([undoneBy({ kind: 'undo', to: null }, 4), undoneBy({ kind: 'undo', to: 2 }, 4)], [4, null]);
});

describe('what waits', () => {
  const asked = (basis: string, percent = 10): Omit<Pending, 'id' | 'at' | 'until'> => ({
    caller: holder('alice'),
    waiting: { kind: 'change', request: { change: { kind: 'shift', service: 'shop', percents: { green: percent } }, reason: 'why' } },
    ...{ summary: 'shop', reason: 'why', services: ['shop'], basis },
  });

  function open(values: Map<string, string>, clock: ManualClock): { readonly approvals: Approvals; readonly expired: string[] } {
    const store = {
      getValue: (key: string) => values.get(key) ?? null,
      putValue: (key: string, value: string) => void values.set(key, value),
    };
    const expired: string[] = [];
    const options = { store, clock, log: silentLog, suffix: () => '@edge-2' };
    return { approvals: new Approvals({ ...options, onExpired: ({ id }) => void expired.push(id) }), expired };
  }

  test('outlives the controller, is asked for once, and gives way to the same on another state of things', () => {
    const [values, clock] = [new Map<string, string>(), new ManualClock()];
    const first = open(values, clock).approvals;
    const kept = first.keep(asked('as it was'), 1000);
    assert.equal(kept?.id, '1@edge-2');
    assert.equal(first.keep(asked('as it was'), 1000), kept, 'who asks again does not get another one');
    const { approvals } = open(values, clock);
    assert.deepEqual(approvals.all(), [kept]);
    assert.equal(approvals.keep(asked('as it is'), 1000)?.id, '2@edge-2');
    assert.equal(approvals.find('1@edge-2'), null);
    approvals.drop('2@edge-2');
    assert.deepEqual(open(values, clock).approvals.all(), []);
  });

  test('is dropped when its time is over, which is told once', () => {
    const clock = new ManualClock();
    const { approvals, expired } = open(new Map(), clock);
    approvals.keep(asked('a'), 1000);
    clock.advance(999);
    approvals.tick();
    assert.equal(approvals.all().length, 1);
    clock.advance(1);
    assert.equal(approvals.find('1@edge-2'), null, 'before anybody has tidied up');
    approvals.tick();
    approvals.tick();
    assert.deepEqual(expired, ['1@edge-2']);
  });

  test('is bounded, and what cannot be read in the store is nothing', () => {
    const clock = new ManualClock();
    const { approvals } = open(new Map(), clock);
    for (let percent = 1; percent <= MOST_PENDING; percent += 1) assert.ok(approvals.keep(asked('a', percent / 10), 1000));
    assert.equal(approvals.keep(asked('a', 99), 1000), null);
    assert.deepEqual(open(new Map([['approvals', '{"last":3,"pending":[{"id":"3"}, null]}']]), clock).approvals.all(), []);
    assert.deepEqual(open(new Map([['approvals', 'damaged']]), clock).approvals.all(), []);
  });
});
