// From rounds to the table: medians, ratios within a round, and what a failed round does to them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { median, renderTable } from '../../../bench/statistics.ts';
import { originHeadroom, summarize, summaryTable, type Round } from '../../../bench/summary.ts';

const round = (cost: number, failed = 0): Round => ({
  ok: true,
  measurement: {
    perSecond: 1e6 / cost,
    cost,
    dataPlaneCost: cost / 2,
    p50Ms: 1,
    p99Ms: null,
    failed,
    peakMiB: 80,
    upstreamProtocol: 'HTTP/1.1',
  },
});
const broken: Round = { ok: false, problem: 'did not start' };

test('the median of an even number of values is the mean of the middle two', () => {
  assert.equal(median([5, 1, 3]), 3);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.throws(() => median([]), RangeError);
});

test('a ratio compares the two sides of the same round', () => {
  // The machine halves its speed in round 2: both double, and no ratio moves.
  const [weir] = summarize(
    [
      { contender: 'weir', rounds: [round(15), round(30), round(15)] },
      { contender: 'nginx', rounds: [round(10), round(20), round(10)] },
    ],
    'nginx',
  );
  assert.deepEqual(weir?.ratio, { median: 1.5, range: { min: 1.5, max: 1.5 } });
  assert.deepEqual(weir.costRange, { min: 15, max: 30 });
});

test('a failed round leaves the others, and its partner has no ratio in that round', () => {
  const [weir, nginx] = summarize(
    [
      { contender: 'weir', rounds: [round(15, 2), broken, round(12, 1)] },
      { contender: 'nginx', rounds: [broken, round(20), round(10)] },
    ],
    'nginx',
  );
  assert.equal(weir?.cost, 13.5);
  assert.equal(weir.failed, 3);
  assert.equal(weir.ratio?.median, 1.2);
  assert.equal(nginx?.ratio?.median, 1);
});

test('without the reference there is no ratio, without a good round no line', () => {
  const summaries = summarize(
    [
      { contender: 'weir', rounds: [round(15)] },
      { contender: 'haproxy', rounds: [broken] },
    ],
    'nginx',
  );
  assert.deepEqual(
    summaries.map(({ contender, ratio }) => [contender, ratio]),
    [['weir', null]],
  );
  assert.match(
    summaryTable(summaries, { rate: 'req/s', cost: 'CPU µs/req', reference: 'nginx' }),
    /^contender .*\nweir +66667 +15\.0 +15\.0-15\.0 +7\.5 +- +- +1\.00 +- +0 +80 +HTTP\/1\.1\n$/,
  );
});

test('table columns are as wide as their widest cell, the first to the left', () => {
  assert.equal(renderTable(['a', 'bb'], [['ccc', '1']]), 'a    bb\nccc   1\n');
});

test('the ceiling tells whether origin and load generator were the limit', () => {
  const told = (direct: number): string | null =>
    originHeadroom(
      summarize(
        [
          { contender: 'weir', rounds: [round(20)] },
          { contender: 'nginx', rounds: [round(10)] },
          { contender: 'direct', rounds: [round(direct)] },
        ],
        'nginx',
      ),
    );
  assert.match(told(5) ?? '', /reach 2\.0 times the rate of the fastest proxy: they are not the limit/);
  assert.match(told(9) ?? '', /reach 1\.1 times .* may be the limit/);
  assert.equal(originHeadroom(summarize([{ contender: 'weir', rounds: [round(20)] }], 'nginx')), null);
});
