// The key of session tickets: kept over restarts, replaced in time, and never taken from where others could have read it.
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { KeptKey } from '../../../balancer/controller/kept-key.ts';
import { RotatingKey } from '../../../balancer/controller/rotating-key.ts';
import { silentLog } from '../../../balancer/log.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const HOUR_MS = 3_600_000;

interface Bench {
  readonly path: string;
  readonly clock: ManualClock;
  /** Starts as another process would; its keys in hex. */
  readonly start: (rotateMs?: number) => { readonly keys: readonly string[]; readonly tickets: RotatingKey };
}

function bench(t: TestContext): Bench {
  const directory = mkdtempSync(join(tmpdir(), 'weir-tickets-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const clock = new ManualClock();
  const path = join(directory, 'ticket.key');
  return {
    path,
    clock,
    start: (rotateMs = 12 * HOUR_MS) => {
      const keys: string[] = [];
      const tickets = new RotatingKey({
        home: new KeptKey({ path, purpose: 'session tickets', clock, log: silentLog }),
        rotateMs,
        clock,
        onKey: (key) => keys.push(key.toString('hex')),
      });
      tickets.start();
      return { keys, tickets };
    },
  };
}

test('the first start makes a key of 48 bytes, in a file for its user alone', (t) => {
  const { path, start } = bench(t);
  const { keys } = start();
  assert.equal(keys.length, 1);
  assert.match(keys[0] ?? '', /^[0-9a-f]{96}$/);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('a key is replaced when its time is over, counted over restarts', (t) => {
  const { clock, start } = bench(t);
  const first = start();
  clock.advance(7 * HOUR_MS);
  first.tickets.close();
  assert.equal(clock.pending, 0);
  const second = start();
  assert.deepEqual(second.keys, first.keys);
  clock.advance(5 * HOUR_MS - 1);
  assert.equal(second.keys.length, 1);
  clock.advance(1);
  assert.equal(second.keys.length, 2);
  assert.notEqual(second.keys[1], second.keys[0]);
  clock.advance(12 * HOUR_MS);
  assert.equal(new Set(second.keys).size, 3);
});

test('a shorter period counts from when the key was made, a longer one too', (t) => {
  const { clock, start } = bench(t);
  const { keys, tickets } = start();
  clock.advance(3 * HOUR_MS);
  tickets.rotateEvery(4 * HOUR_MS);
  assert.equal(keys.length, 1);
  clock.advance(HOUR_MS);
  assert.equal(keys.length, 2);
  tickets.rotateEvery(24 * HOUR_MS);
  clock.advance(23 * HOUR_MS);
  assert.equal(keys.length, 2);
  tickets.rotateEvery(HOUR_MS);
  assert.equal(keys.length, 3);
});

test('a key that others could read, that is broken, too old or from the future is not used', (t) => {
  const { path, clock, start } = bench(t);
  const known = start().keys[0] ?? '';
  const text = readFileSync(path, 'utf8');
  const spoil: Readonly<Record<string, () => void>> = {
    readable: () => chmodSync(path, 0o640),
    junk: () => writeFileSync(path, 'junk'),
    empty: () => writeFileSync(path, ''),
    short: () => writeFileSync(path, JSON.stringify({ madeAtMs: clock.wallMs(), key: 'AAAA' })),
    old: () => writeFileSync(path, text.replace(/[0-9]{13}/, String(clock.wallMs() - 12 * HOUR_MS))),
    future: () => writeFileSync(path, text.replace(/[0-9]{13}/, String(clock.wallMs() + 1))),
    gone: () => rmSync(path),
  };
  for (const [how, change] of Object.entries(spoil)) {
    writeFileSync(path, text, { mode: 0o600 });
    chmodSync(path, 0o600);
    assert.deepEqual(start().keys, [known], `${how}: well before`);
    change();
    const { keys } = start();
    assert.equal(keys.length, 1, how);
    assert.notEqual(keys[0], known, how);
    assert.equal(statSync(path).mode & 0o777, 0o600, how);
  }
});

test('a directory that takes nothing costs the restart its key and nothing else', (t) => {
  const { path, start } = bench(t);
  rmSync(join(path, '..'), { recursive: true });
  assert.equal(start().keys.length, 1);
});
