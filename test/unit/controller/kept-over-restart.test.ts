// What a controller keeps for the next one: numbers that only rise, the health it knew, which config text was served.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ConfigSource } from '../../../balancer/controller/config-source.ts';
import { LastFailback } from '../../../balancer/controller/last-failback.ts';
import { LastHealth } from '../../../balancer/controller/last-health.ts';
import { GenerationNumbers, RisingNumber } from '../../../balancer/controller/numbers.ts';
import { openSqliteStore } from '../../../balancer/store/sqlite.ts';
import { SMALL_CONFIG, TEST_ENVIRONMENT, TEST_EXTENSIONS } from '../../support/config-text.ts';
import type { FailbackMemory } from '../../../balancer/steer/failback.ts';
import { healthView } from '../../support/fleet-config.ts';
import { ManualClock } from '../../support/manual-clock.ts';

function stateDir(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'weir-state-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

const NOW_MS = Date.parse('2026-11-26T10:00:00Z');

test('plan numbers rise over restarts, whenever the controller was killed', (t) => {
  const directory = stateDir(t);
  let last = 0;
  for (const taken of [1, 1, 1500, 3]) {
    const store = openSqliteStore(directory);
    const numbers = new RisingNumber(store, 'plan', () => NOW_MS);
    for (let count = 0; count < taken; count += 1) {
      const next = numbers.next();
      assert.ok(next > last, `${next} after ${last}`);
      last = next;
    }
    // No orderly end: whatever the object knows beyond the store is lost.
    store.close();
  }
});

/** Values in memory, until it is full. */
function storeThatFills() {
  const values = new Map<string, string>();
  return {
    isFull: false,
    getValue: (key: string) => values.get(key) ?? null,
    putValue(key: string, value: string) {
      if (this.isFull) throw new Error('database or disk is full');
      values.set(key, value);
    },
  };
}

test('a store that takes nothing for a while stops neither numbers nor health, and nothing goes back afterwards', () => {
  const store = storeThatFills();
  const numbers = new RisingNumber(store, 'plan', () => NOW_MS);
  const health = new LastHealth(store);
  let last = numbers.next();
  store.isFull = true;
  for (let count = 0; count < 900; count += 1) {
    const next = numbers.next();
    assert.equal(next, last + 1);
    last = next;
  }
  assert.ok(new RisingNumber({ ...store, putValue: () => undefined }, 'plan', () => NOW_MS).next() > last, 'a restart goes on above');
  const view = healthView({ one: 'down' }, []);
  assert.throws(() => health.write(view), /disk is full/);
  store.isFull = false;
  health.write(view);
  assert.deepEqual(health.read(), view, 'what could not be stored is stored later');
});

test('a disk that is full for longer than a block lasts stops no plan, nor a controller that starts meanwhile', () => {
  const values = new Map<string, string>();
  const store = {
    getValue: (key: string) => values.get(key) ?? null,
    putValue: () => {
      throw new Error('database or disk is full');
    },
  };
  let wallMs = NOW_MS;
  let last = 0;
  for (let restart = 0; restart < 3; restart += 1) {
    const numbers = new RisingNumber(store, 'plan', () => wallMs);
    // A plan a second at most.
    for (let count = 0; count < 3000; count += 1) {
      const next = numbers.next();
      assert.ok(next > last, `${next} after ${last}`);
      last = next;
    }
    wallMs += 3_000_000;
  }
});

test('a config keeps its generation number over a restart; another one gets the next', (t) => {
  const directory = stateDir(t);
  const open = (): GenerationNumbers => {
    const store = openSqliteStore(directory);
    t.after(() => store.close());
    return new GenerationNumbers(store);
  };
  const numbers = open();
  assert.equal(numbers.of('aa'), 1);
  assert.equal(numbers.of('aa'), 1);
  assert.equal(numbers.of('bb'), 2);
  assert.equal(numbers.next('aa'), 3, 'going back is a new number');
  assert.equal(numbers.of('aa'), 3);
});

test('a store that takes nothing stops no config, and the numbers go on when it takes something again', () => {
  const store = storeThatFills();
  const numbers = new GenerationNumbers(store);
  assert.equal(numbers.of('aa'), 1);
  store.isFull = true;
  assert.deepEqual([numbers.of('bb'), numbers.next('aa'), numbers.of('aa')], [2, 3, 3]);
  store.isFull = false;
  assert.equal(numbers.of('cc'), 4);
  assert.equal(new GenerationNumbers(store).of('cc'), 4);
});

test('the health that was known is known after a restart, and nothing is made up from what cannot be read', (t) => {
  const directory = stateDir(t);
  const store = openSqliteStore(directory);
  t.after(() => store.close());
  const health = new LastHealth(store);
  assert.equal(health.read(), null);
  const view = healthView({ one: 'down', two: 'up' }, ['shop/blue/two']);
  health.write(view);
  assert.deepEqual(new LastHealth(store).read(), view);
  for (const text of [
    '',
    'null',
    '{}',
    '{"clusters":{"one":{"state":"fine","endpoints":[]}},"ejectedTargets":[]}',
    '{"clusters":{},"ejectedTargets":[1]}',
  ]) {
    store.putValue('health', text);
    assert.equal(new LastHealth(store).read(), null, text);
  }
});

test('an applied config is served until the file changes', (t) => {
  const directory = stateDir(t);
  const configFile = join(directory, 'weir.yaml');
  writeFileSync(configFile, SMALL_CONFIG);
  const store = openSqliteStore(directory);
  t.after(() => store.close());
  const source = new ConfigSource({ configFile, store, extensions: TEST_EXTENSIONS, environment: TEST_ENVIRONMENT });
  const text = (): string => {
    const read = source.read();
    assert.ok(read.ok);
    return read.value.text;
  };
  assert.equal(text(), SMALL_CONFIG);
  const applied = `${SMALL_CONFIG}# applied\n`;
  store.putServed({ text: SMALL_CONFIG, applied: source.appliedOver(applied, '2026-11-21T10:00:00.000Z') });
  assert.equal(text(), applied);
  const changed = `${SMALL_CONFIG}# by hand\n`;
  writeFileSync(configFile, changed);
  assert.equal(text(), changed);
});

test('an applied config that is valid no more gives way to the file, and a missing file is a problem that names it', (t) => {
  const directory = stateDir(t);
  const configFile = join(directory, 'weir.yaml');
  writeFileSync(configFile, SMALL_CONFIG);
  const store = openSqliteStore(directory);
  t.after(() => store.close());
  const source = new ConfigSource({ configFile, store, extensions: TEST_EXTENSIONS, environment: TEST_ENVIRONMENT });
  store.putServed({
    text: SMALL_CONFIG,
    applied: source.appliedOver(SMALL_CONFIG.replace('one:', 'one-more:'), '2026-11-21T10:00:00.000Z'),
  });
  const read = source.read();
  assert.ok(read.ok);
  assert.equal(read.value.text, SMALL_CONFIG);
  assert.match(read.note ?? '', /is not valid any more/);
  rmSync(configFile);
  const missing = source.read();
  assert.ok(!missing.ok);
  assert.match(missing.problems[0] ?? '', /weir\.yaml: the file cannot be read/);
});

test('holds, ramps and relapses go on after a restart, by the time that has passed meanwhile', () => {
  const values = new Map<string, string>();
  const store = {
    getValue: (key: string) => values.get(key) ?? null,
    putValue: (key: string, value: string) => void values.set(key, value),
  };
  const failback: FailbackMemory = {
    state: 'held',
    relapses: 3,
    holdMs: 60_000,
    upSinceMs: 90_000,
    returnedAtMs: -Infinity,
    rampedMs: 0,
    steppedBackAtMs: -Infinity,
    releases: 2,
    returned: 7,
  };
  const memory = { atMs: 100_000, clusters: { eu: { failback, capacity: null } }, errors: {}, slowness: {}, services: {} };
  const before = new ManualClock(100_000);
  assert.equal(new LastFailback(store, before).read(), null);
  new LastFailback(store, before).write(memory);
  const after = new ManualClock(5000, before.wallMs() + 7000);
  const restored = new LastFailback(store, after).read();
  assert.deepEqual(restored?.clusters['eu']?.failback, { ...failback, upSinceMs: 5000 - 17_000 });
  for (const damaged of ['', '{', '{"wallMs":1,"clusters":{"eu":{"state":"gone"}}}', '[]']) {
    values.set('failback', damaged);
    assert.equal(new LastFailback(store, after).read(), null);
  }
});

test('what comes back is stored when it changes, and not for time alone', () => {
  let writes = 0;
  const store = { getValue: () => null, putValue: () => void (writes += 1) };
  const last = new LastFailback(store, new ManualClock());
  const failback = {
    state: 'in',
    relapses: 0,
    holdMs: 0,
    upSinceMs: 0,
    returnedAtMs: 0,
    rampedMs: 0,
    steppedBackAtMs: 0,
    releases: 0,
    returned: 0,
  } as const;
  const write = (other: Partial<FailbackMemory>): void =>
    last.write({
      atMs: 0,
      clusters: { eu: { failback: { ...failback, ...other }, capacity: null } },
      errors: {},
      slowness: {},
      services: {},
    });
  for (const other of [
    {},
    {},
    { upSinceMs: 9 },
    { state: 'ramping' as const, rampedMs: 1000 },
    { state: 'ramping' as const, rampedMs: 2000 },
  ])
    write(other);
  assert.equal(writes, 2);
});
