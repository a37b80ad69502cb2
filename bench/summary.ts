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
  readonly requestsPerSecond: number;
  readonly cpuPerRequest: number;
  readonly dataPlaneCpuPerRequest: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  /** Over all rounds together. */
  readonly failed: number;
  /** CPU per request over the reference's of the same round; null without the reference. */
  readonly ratio: { readonly median: number; readonly range: Range } | null;
  /** Of the CPU per request, over the rounds. */
  readonly cpuRange: Range;
}

const measured = (rounds: readonly Round[]): readonly Measurement[] => rounds.flatMap((round) => (round.ok ? [round.measurement] : []));

/** Both sides of a ratio come from the same round, so that a machine that got slower in between does not tilt it. */
function ratioTo(reference: readonly Round[], rounds: readonly Round[]): ContenderSummary['ratio'] {
  const ratios = rounds.flatMap((round, index) => {
    const other = reference[index];
    if (!round.ok || other?.ok !== true || other.measurement.cpuPerRequest === 0) return [];
    return [round.measurement.cpuPerRequest / other.measurement.cpuPerRequest];
  });
  return ratios.length === 0 ? null : { median: median(ratios), range: rangeOf(ratios) };
}

/** Summaries of the contenders that were measured at least once; ratios are taken to the contender `referenceName`. */
export function summarize(all: readonly ContenderRounds[], referenceName: string): readonly ContenderSummary[] {
  const reference = all.find((entry) => entry.contender === referenceName)?.rounds ?? [];
  return all.flatMap(({ contender, rounds }) => {
    const list = measured(rounds);
    if (list.length === 0) return [];
    const cpu = list.map((one) => one.cpuPerRequest);
    return [
      {
        contender,
        requestsPerSecond: median(list.map((one) => one.requestsPerSecond)),
        cpuPerRequest: median(cpu),
        dataPlaneCpuPerRequest: median(list.map((one) => one.dataPlaneCpuPerRequest)),
        p50Ms: medianOfKnown(list.map((one) => one.p50Ms)),
        p99Ms: medianOfKnown(list.map((one) => one.p99Ms)),
        failed: list.reduce((sum, one) => sum + one.failed, 0),
        ratio: ratioTo(reference, rounds),
        cpuRange: rangeOf(cpu),
      },
    ];
  });
}

const header = (reference: string): readonly string[] => [
  ...['contender', 'req/s', 'CPU µs/req', 'min-max', 'data plane', `× ${reference}`],
  ...['min-max', 'p50 ms', 'p99 ms', 'failed'],
];

const range = ({ min, max }: Range, digits: number): string => `${min.toFixed(digits)}-${max.toFixed(digits)}`;
const milliseconds = (value: number | null): string => value?.toFixed(2) ?? '-';

/** The table of one number of connections. */
export function summaryTable(summaries: readonly ContenderSummary[], reference: string): string {
  const rows = summaries.map((one) => [
    one.contender,
    one.requestsPerSecond.toFixed(0),
    one.cpuPerRequest.toFixed(1),
    range(one.cpuRange, 1),
    one.dataPlaneCpuPerRequest.toFixed(1),
    one.ratio?.median.toFixed(2) ?? '-',
    one.ratio === null ? '-' : range(one.ratio.range, 2),
    milliseconds(one.p50Ms),
    milliseconds(one.p99Ms),
    String(one.failed),
  ]);
  return renderTable(header(reference), rows);
}
