// The border of the hub: what counts as a report, and the one word for everything that does not.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { decodeMessage, decodeSnapshot, type Expectation } from '../../../../balancer/controller/hub/decode-snapshot.ts';
import { snapshot } from '../../../support/snapshot.ts';

const FIRST: Expectation = { cluster: 'eu', protocol: 2, session: null, last: null };

const reasonOf = (value: unknown, expected: Expectation = FIRST): string => {
  const decoded = decodeSnapshot(value, expected);
  return decoded.ok ? 'accepted' : decoded.reason;
};

test('a snapshot in order is taken as it is, without what is not known', () => {
  const decoded = decodeMessage(JSON.stringify({ ...snapshot(), news: { of: 'later versions' } }), FIRST);
  assert.deepEqual(decoded, { ok: true, snapshot: snapshot() });
  assert.equal(reasonOf(snapshot({ capacityRps: null })), 'accepted');
});

describe('numbers', () => {
  /** What no number of a report may be. NaN and infinities cannot stand in JSON, but 1e999 is read as an infinity. */
  const malformed: readonly unknown[] = [
    NaN,
    Infinity,
    -Infinity,
    -1,
    -0.001,
    1e300,
    Number.MAX_VALUE,
    '1',
    '',
    null,
    true,
    [],
    [1],
    {},
    undefined,
  ];
  const fields = ['sentAtMs', 'periodMs', 'cpuUtilisation', 'memoryUtilisation', 'cores', 'loadAverage1m'] as const;

  for (const field of fields) {
    test(`a malformed ${field} is refused, whatever is wrong with it`, () => {
      for (const value of malformed) assert.equal(reasonOf({ ...snapshot(), [field]: value }), 'number', inspect(value));
    });
  }

  test('a malformed capacity is refused, and so is none at all; null is a capacity that is not declared', () => {
    for (const value of malformed.filter((one) => one !== null)) {
      assert.equal(reasonOf({ ...snapshot(), capacityRps: value }), 'number', inspect(value));
    }
    assert.equal(reasonOf({ ...snapshot(), capacityRps: 0 }), 'number', 'an agent cannot take its cluster out of service');
    assert.equal(reasonOf({ ...snapshot(), capacityRps: null }), 'accepted');
  });

  test('a number too large for JSON is an infinity and refused', () => {
    const text = JSON.stringify(snapshot()).replace('"cpuUtilisation":0.25', '"cpuUtilisation":1e999');
    assert.deepEqual(decodeMessage(text, FIRST), { ok: false, reason: 'number', sequence: 1 });
  });

  test('the bounds themselves are taken', () => {
    assert.equal(reasonOf(snapshot({ periodMs: 100, cpuUtilisation: 0, memoryUtilisation: 0, cores: 1, loadAverage1m: 0 })), 'accepted');
    assert.equal(reasonOf(snapshot({ periodMs: 60_000, cpuUtilisation: 100, capacityRps: 1e9, loadAverage1m: 1e6 })), 'accepted');
    assert.equal(reasonOf(snapshot({ periodMs: 60_001 })), 'number');
    assert.equal(reasonOf(snapshot({ cores: 1.5 })), 'number');
  });
});

describe('order', () => {
  const { epoch = 0 } = snapshot();
  const last = { said: { bootId: '0123456789abcdef', sequence: 7, epoch }, isAlive: true };

  test('within a boot only a higher number counts', () => {
    assert.equal(reasonOf(snapshot({ sequence: 8 }), { ...FIRST, last }), 'accepted');
    assert.equal(reasonOf(snapshot({ sequence: 7 }), { ...FIRST, last }), 'sequence');
    assert.equal(reasonOf(snapshot({ sequence: 1 }), { ...FIRST, last }), 'sequence');
  });

  test('a new boot starts to count again', () => {
    assert.equal(reasonOf(snapshot({ bootId: 'fedcba9876543210', sequence: 1, epoch: epoch + 1 }), { ...FIRST, last }), 'accepted');
  });

  test('what is no whole number from 0 on is no sequence', () => {
    for (const value of [-1, 1.5, NaN, 2 ** 53, '1', null])
      assert.equal(reasonOf({ ...snapshot(), sequence: value }), 'sequence', String(value));
  });
});

test('the other members are checked too, each with its own word', () => {
  const table: readonly (readonly [Readonly<Record<string, unknown>>, string])[] = [
    [{ protocol: 1 }, 'protocol'],
    [{ protocol: 3 }, 'protocol'],
    [{ protocol: '2' }, 'protocol'],
    [{ cluster: 'us' }, 'cluster'],
    [{ cluster: null }, 'cluster'],
    [{ bootId: 'short' }, 'boot_id'],
    [{ bootId: 'x'.repeat(65) }, 'boot_id'],
    [{ bootId: 'line\nbreaks in here' }, 'boot_id'],
    [{ agentVersion: '' }, 'agent_version'],
    [{ agentVersion: 'x'.repeat(65) }, 'agent_version'],
    [{ agentVersion: '\u001b[31m' }, 'agent_version'],
  ];
  for (const [change, expected] of table) assert.equal(reasonOf({ ...snapshot(), ...change }), expected, JSON.stringify(change));
});

test('what is not an object is refused', () => {
  for (const value of [null, 1, 'x', true, [], [snapshot()], undefined]) assert.equal(reasonOf(value), 'not_object');
  assert.deepEqual(decodeMessage('{', FIRST), { ok: false, reason: 'not_json', sequence: null });
});

test('whatever is decoded, it is refused or a snapshot whose numbers are all finite', () => {
  const value = fc.oneof(fc.jsonValue(), fc.double(), fc.constant(null));
  const nearly = fc.record({ field: fc.constantFrom(...Object.keys(snapshot()), '__proto__', 'other'), value });
  fc.assert(
    fc.property(nearly, fc.jsonValue(), (change, other) => {
      for (const input of [{ ...snapshot(), [change.field]: change.value }, other]) {
        const decoded = decodeMessage(JSON.stringify(input), FIRST);
        if (!decoded.ok) continue;
        assert.ok(Object.values(decoded.snapshot).every((one) => typeof one !== 'number' || Number.isFinite(one)));
        assert.equal(decoded.snapshot.cluster, 'eu');
      }
    }),
    { numRuns: 300, seed: 5 },
  );
});
