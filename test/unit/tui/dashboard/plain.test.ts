// `weir top --plain`: the same tables as text, without anything that only a terminal understands.
import { match, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ASCII_GLYPHS, UNICODE_GLYPHS } from '../../../../tui/dashboard/glyphs.ts';
import { plainReport } from '../../../../tui/dashboard/plain.ts';
import { assertGolden } from '../../../support/golden.ts';
import { busyStatus, changingStatus } from '../../../support/statuses.ts';

describe('the plain report', () => {
  test('is as in its file', () => assertGolden('dashboard/plain.txt', plainReport(busyStatus(), UNICODE_GLYPHS, null).trimEnd()));

  test('has rollouts, what counts down and what waits, as in its file', () =>
    assertGolden('dashboard/plain-changing.txt', plainReport(changingStatus(), UNICODE_GLYPHS, null).trimEnd()));

  test('fits a narrow terminal', () => {
    const report = plainReport(busyStatus(), UNICODE_GLYPHS, 60);
    const rows = report.split('\n').filter((line) => /^(CLUSTER|eu-west|us-east)/.test(line));
    ok(rows.length === 3 && rows.every((line) => line.length <= 60), report);
  });

  test('in ASCII is ASCII and carries no control character', () =>
    match(plainReport(busyStatus(), ASCII_GLYPHS, null), /^[\x20-\x7e\n]*$/));

  test('of an appliance without clusters and services is its totals', () => {
    match(
      plainReport(busyStatus({ clusters: [], services: [], degraded: [] }), UNICODE_GLYPHS, null),
      /^[^\n]+\nRPS [^\n]+\nCLUSTER[^\n]+\n$/,
    );
  });
});
