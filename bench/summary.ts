// From the rounds of a contender to one line of the table: medians, ratios to the reference of the same round, spread.
import type { Measurement } from './measure.ts';
import { median, medianOfKnown, rangeOf, renderTable, type Range } from './statistics.ts';

/** A round of a contender: what was measured, or why not. */
export type Round = { readonly ok: true; readonly measurement: Measurement } | { readonly ok: false; readonly problem: string };

export interface ContenderRounds {
  readonly contender: string;
  /** By number of round; all contenders have the same rounds. */
  readonly rounds: readonly Round[];
}

export interface ContenderSummary {
  readonly contender: string;
  readonly perSecond: number | null;
  readonly cost: number;
  readonly dataPlaneCost: number | null;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  /** Over all rounds together. */
  readonly failed: number;
  readonly peakMiB: number | null;
  readonly upstreamProtocol: string | null;
  /** Cost over the reference's of the same round; null without the reference. */
  readonly ratio: { readonly median: number; readonly range: Range } | null;
  /** Of the cost, over the rounds. */
  readonly costRange: Range;
}

const measured = (rounds: readonly Round[]): readonly Measurement[] => rounds.flatMap((round) => (round.ok ? [round.measurement] : []));

/** Both sides of a ratio come from the same round, so that a machine that got slower in between does not tilt it. */
function ratioTo(reference: readonly Round[], rounds: readonly Round[]): ContenderSummary['ratio'] {
  const ratios = rounds.flatMap((round, index) => {
    const other = reference[index];
    if (!round.ok || other?.ok !== true || other.measurement.cost === 0) return [];
    return [round.measurement.cost / other.measurement.cost];
  });
  return ratios.length === 0 ? null : { median: median(ratios), range: rangeOf(ratios) };
}

/** Summaries of the contenders that were measured at least once; ratios are taken to the contender `referenceName`. */
export function summarize(all: readonly ContenderRounds[], referenceName: string): readonly ContenderSummary[] {
  const reference = all.find((entry) => entry.contender === referenceName)?.rounds ?? [];
  return all.flatMap(({ contender, rounds }) => {
    const list = measured(rounds);
    if (list.length === 0) return [];
    const of = (read: (one: Measurement) => number | null): number | null => medianOfKnown(list.map(read));
    const costs = list.map(({ cost }) => cost);
    return [
      {
        contender,
        perSecond: of(({ perSecond }) => perSecond),
        cost: median(costs),
        dataPlaneCost: of(({ dataPlaneCost }) => dataPlaneCost),
        p50Ms: of(({ p50Ms }) => p50Ms),
        p99Ms: of(({ p99Ms }) => p99Ms),
        failed: list.reduce((sum, one) => sum + one.failed, 0),
        peakMiB: of(({ peakMiB }) => peakMiB),
        upstreamProtocol: list[0]?.upstreamProtocol ?? null,
        ratio: ratioTo(reference, rounds),
        costRange: rangeOf(costs),
      },
    ];
  });
}

export interface Headings {
  readonly rate: string;
  readonly cost: string;
  /** The contender that ratios are taken to. */
  readonly reference: string;
}

const header = ({ rate, cost, reference }: Headings): readonly string[] => [
  ...['contender', rate, cost, 'min-max', 'data plane', `× ${reference}`],
  ...['min-max', 'p50 ms', 'p99 ms', 'failed', 'peak MiB', 'upstream'],
];

const range = ({ min, max }: Range, digits: number): string => `${min.toFixed(digits)}-${max.toFixed(digits)}`;
const fixed = (value: number | null | undefined, digits: number): string => value?.toFixed(digits) ?? '-';

/** The table of one number of connections. */
export function summaryTable(summaries: readonly ContenderSummary[], headings: Headings): string {
  const rows = summaries.map((one) => [
    one.contender,
    fixed(one.perSecond, 0),
    fixed(one.cost, 1),
    range(one.costRange, 1),
    fixed(one.dataPlaneCost, 1),
    fixed(one.ratio?.median, 2),
    one.ratio === null ? '-' : range(one.ratio.range, 2),
    fixed(one.p50Ms, 2),
    fixed(one.p99Ms, 2),
    String(one.failed),
    fixed(one.peakMiB, 0),
    one.upstreamProtocol ?? '-',
  ]);
  return renderTable(header(headings), rows);
}

/** Below this the origin or the load generator may be what limited the fastest proxy, and figures per second say little. */
const ENOUGH_HEADROOM = 1.3;

/** Whether origin and load generator could do more than the fastest contender asked of them; null when that was not measured. */
export function originHeadroom(summaries: readonly ContenderSummary[]): string | null {
  const ceiling = summaries.find(({ contender }) => contender === 'direct')?.perSecond ?? null;
  const rates = summaries.flatMap(({ contender, perSecond }) => (contender === 'direct' || perSecond === null ? [] : [perSecond]));
  if (ceiling === null || rates.length === 0) return null;
  const times = ceiling / Math.max(...rates);
  const verdict = times >= ENOUGH_HEADROOM ? 'they are not the limit' : 'they may be the limit: compare CPU time, not rates';
  return `origin and load generator reach ${times.toFixed(1)} times the rate of the fastest proxy: ${verdict}`;
}
