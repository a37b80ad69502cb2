// Figures, bars and sparklines keep to their width and never round a little to nothing or nearly all to all.
import { equal, match, ok } from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  formatAge,
  formatErrorRatio,
  formatLatency,
  formatOkRatio,
  formatRate,
  formatShare,
  formatTimeOfDay,
} from '../../../../tui/dashboard/format.ts';
import { ASCII_GLYPHS, UNICODE_GLYPHS } from '../../../../tui/dashboard/glyphs.ts';
import { bar, sparkline } from '../../../../tui/dashboard/sparkline.ts';

describe('figures', () => {
  test('keep to the width their column has', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e8, noNaN: true }), (value) => {
        ok(formatRate(value).length <= 5, formatRate(value));
        ok(formatLatency(value).length <= 5, formatLatency(value));
        ok(formatAge(value).length <= 4, formatAge(value));
        const ratio = value / 1e8;
        ok(formatShare(ratio).length <= 4, formatShare(ratio));
        ok(formatErrorRatio(ratio).length <= 4, formatErrorRatio(ratio));
        ok(formatOkRatio(ratio).length <= 6, formatOkRatio(ratio));
      }),
      { seed: 5, numRuns: 2000 },
    );
  });

  test('say 100 % and 0 % only of all and of nothing', () => {
    equal(formatShare(1), '100');
    equal(formatShare(0.999999), '99.9');
    equal(formatShare(0.000001), '<0.1');
    equal(formatShare(0), '0.0');
    equal(formatErrorRatio(0.99999), '99.9');
    equal(formatErrorRatio(0.00001), '<.01');
    equal(formatOkRatio(0), '100%');
    equal(formatOkRatio(0.000001), '99.99%');
    equal(formatOkRatio(0.0003), '99.97%');
    equal(formatRate(0.001), '<0.1');
  });

  test('change unit as they grow', () => {
    equal(formatRate(3.21), '3.2');
    equal(formatRate(99_999), '99999');
    equal(formatRate(123_456), '123k');
    equal(formatRate(1_250_000), '1.3M');
    equal(formatLatency(null), '-');
    equal(formatLatency(3.14), '3.1ms');
    equal(formatLatency(1210), '1.2s');
    equal(formatAge(800), '0.8s');
    equal(formatAge(59_900), '59s');
    equal(formatAge(3_599_000), '59m');
    equal(formatAge(172_800_000), '2d');
    equal(formatTimeOfDay(Date.parse('2026-11-21T12:04:31Z')), '12:04:31');
    equal(formatTimeOfDay(Number.NaN), '--:--:--');
  });
});

describe('charts', () => {
  test('a sparkline shows the newest values against the highest of them', () => {
    equal(sparkline([100, 0, 1, 2, 3, 4, 5, 6, 7], 8, UNICODE_GLYPHS), '▁▂▃▄▅▆▇█');
    equal(sparkline([0, 7], 4, UNICODE_GLYPHS), '  ▁█');
    equal(sparkline([0, 0], 2, ASCII_GLYPHS), '__');
    equal(sparkline([], 3, UNICODE_GLYPHS), '   ');
    equal(sparkline([Number.NaN, -5, 1], 3, UNICODE_GLYPHS), ' ▁█');
  });

  test('a bar is as full as what it shows, to half a cell', () => {
    equal(bar(0.75, 6, UNICODE_GLYPHS), '████▌·');
    equal(bar(0, 4, UNICODE_GLYPHS), '····');
    equal(bar(0.001, 4, UNICODE_GLYPHS), '▌···');
    equal(bar(1.7, 4, ASCII_GLYPHS), '####');
    match(bar(0.5, 5, ASCII_GLYPHS), /^##=\.\.$/);
  });
});
