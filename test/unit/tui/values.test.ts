// What was typed: numbers, durations and percentages, each refusal with what was expected.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parsePercent, parsePercents } from '../../../tui/change.ts';
import { CommandFailure } from '../../../tui/exit.ts';
import { CommandValues, parseDurationMs, parseNumber } from '../../../tui/values.ts';

const usage = (message: RegExp) => (error: unknown) =>
  error instanceof CommandFailure && error.exitCode === 2 && message.test(error.message);

describe('values', () => {
  test('durations have a unit', () => {
    const cases = { '500ms': 500, '2s': 2000, '1.5s': 1500, '5m': 300_000, '1h': 3_600_000, '90d': 7_776_000_000 };
    for (const [text, ms] of Object.entries(cases)) assert.equal(parseDurationMs(text, '--timeout'), ms, text);
    for (const bad of ['', '5', 's', '-1s', '1w', '1 s', '1e3s', 'Infinity']) {
      assert.throws(() => parseDurationMs(bad, '--timeout'), usage(/^--timeout: expected a duration such as/), bad);
    }
  });

  test('numbers are plain decimals within their range', () => {
    assert.equal(parseNumber('12.5', 'x', { min: 0, max: 100 }), 12.5);
    for (const bad of ['', 'NaN', 'Infinity', '1e2', '0x10', '--1', '101', '-0.1', ' 1']) {
      assert.throws(() => parseNumber(bad, 'x', { min: 0, max: 100 }), usage(/^x: expected a number from 0 to 100/), bad);
    }
    assert.throws(
      () => parseNumber('1.5', 'x', { min: 1, max: Number.MAX_SAFE_INTEGER, integer: true }),
      usage(/a whole number of at least 1/),
    );
    assert.throws(
      () => parseNumber('9007199254740993', 'x', { min: 1, max: Number.MAX_SAFE_INTEGER, integer: true }),
      usage(/whole number/),
    );
  });

  test('percentages go down to a millionth', () => {
    assert.equal(parsePercent('0.0001', 'green'), 0.0001);
    assert.equal(parsePercent('50%', 'green'), 50);
    assert.throws(() => parsePercent('0.00001', 'green'), usage(/at most 4 decimals/));
    assert.deepEqual(parsePercents(['blue=90', 'green=10'], 'VERSION'), { blue: 90, green: 10 });
    assert.throws(() => parsePercents(['green=1', 'green=2'], 'VERSION'), usage(/green is named twice/));
    for (const bad of ['green', '=5', 'green=', 'green=1=2', 'green=five'])
      assert.throws(() => parsePercents([bad], 'VERSION'), usage(/expected/), bad);
  });

  test('a flag in a message is spelt as it was typed', () => {
    const values = new CommandValues([], { ifRevision: 'x', timeout: 'soon', dryRun: true, clusters: ['a=1', 'b=2'] });
    assert.throws(() => values.number('ifRevision', { min: 0, max: 10 }), usage(/^--if-revision: /));
    assert.throws(() => values.durationMs('timeout'), usage(/^--timeout: /));
    assert.equal(values.flag('dryRun'), true);
    assert.deepEqual(values.texts('clusters'), ['a=1', 'b=2']);
    assert.equal(values.text('missing'), null);
  });
});
