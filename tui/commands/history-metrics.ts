// weir history metrics: what was counted in the past, for people, for programs and for spreadsheets.
import type { HistoryRequest, HistorySeriesView, HistoryStep } from '../../balancer/controller/api/history-view.ts';
import type { CommandDefinition } from '../command.ts';
import { CommandFailure, EXIT } from '../exit.ts';
import { milliseconds, ratio, rate, share, time } from '../format.ts';
import { isStructured, writeList } from '../output.ts';
import type { Column } from '../table.ts';

const STEPS: readonly HistoryStep[] = ['1s', '10s', '1m', '1h'];
const DEFAULT_SINCE_MS = 600_000;
/** For people: what fits on a screen. */
const TABLE_POINTS = 20;
const CSV_POINTS = 5000;

interface Row {
  readonly at: string;
  readonly series: string;
  readonly rps: number | null;
  readonly errorRatio: number | null;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  readonly desiredShare: number | null;
  readonly effectiveShare: number | null;
  readonly health: string | null;
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'TIME', of: ({ at }) => time(at) },
  { title: 'SERIES', of: ({ series }) => series },
  { title: 'RPS', right: true, of: ({ rps }) => (rps === null ? '?' : rate(rps)) },
  { title: 'ERRORS', right: true, of: ({ errorRatio }) => ratio(errorRatio) },
  { title: 'P50', right: true, of: ({ p50Ms }) => milliseconds(p50Ms) },
  { title: 'P95', right: true, of: ({ p95Ms }) => milliseconds(p95Ms) },
  { title: 'P99', right: true, of: ({ p99Ms }) => milliseconds(p99Ms) },
  { title: 'DESIRED', wide: true, right: true, of: ({ desiredShare }) => (desiredShare === null ? '-' : share(desiredShare)) },
  { title: 'EFFECTIVE', wide: true, right: true, of: ({ effectiveShare }) => (effectiveShare === null ? '-' : share(effectiveShare)) },
  { title: 'HEALTH', of: ({ health }) => health ?? '-' },
];

export const historyMetricsCommand: CommandDefinition = {
  examples: [
    'weir history metrics',
    'weir history metrics service/shop --since 24h',
    "weir history metrics 'version/shop/*' --since 7d --step 1h --csv > shop.csv",
    "weir history metrics 'cluster/*' --since 1h -o json",
  ],
  notes: `Series are all, service/NAME, version/SERVICE/VERSION and cluster/NAME; a * for the last part is all of them, those with the most requests
first. Kept are steps of 1s for 10 minutes, 10s for 6 hours, 1m for 7 days and 1h for 400 days; without --step the finest that reaches as far
back. A rate of ? is of a time when the host did not run. Percentiles are of the requests of a step, estimated from a histogram.`,
  arguments: [{ name: 'SERIES', summary: 'which series (default all)', optional: true, variadic: true }],
  options: [
    { flags: '--since <AGO>', summary: 'how far back it begins (default 10m)' },
    { flags: '--until <AGO>', summary: 'how far back it ends (default now)' },
    { flags: '--step <STEP>', summary: 'how long a step is, of those that are kept', choices: STEPS },
    { flags: '--points <N>', summary: `at most so many for each series (default ${TABLE_POINTS}, with --csv ${CSV_POINTS})` },
    { flags: '--limit <N>', summary: 'at most so many series' },
    { flags: '--csv', summary: 'comma-separated values with a line of names' },
  ],
  run: async (call) => {
    const { values, format, terminal } = call;
    const csv = values.flag('csv');
    if (csv && isStructured(format)) throw new CommandFailure(EXIT.usage, '--csv and -o json or yaml are two formats; choose one of them');
    const nowMs = Date.now();
    const sinceMs = values.durationMs('since') ?? DEFAULT_SINCE_MS;
    const untilMs = values.durationMs('until') ?? 0;
    if (untilMs >= sinceMs) throw new CommandFailure(EXIT.usage, '--until has to be less far back than --since');
    const points = values.number('points', { min: 1, max: 5000, integer: true });
    const limit = values.number('limit', { min: 1, max: 1000, integer: true });
    const step = STEPS.find((one) => one === values.text('step'));
    const request: HistoryRequest = {
      series: values.arguments.length === 0 ? 'all' : values.arguments.join(','),
      from: String(nowMs - sinceMs),
      to: String(nowMs - untilMs),
      ...stepOf(step),
      points: points ?? (csv ? CSV_POINTS : isStructured(format) ? 600 : TABLE_POINTS),
      ...(limit === null ? {} : { limit }),
    };
    const client = await call.connect();
    const list = await client.history(request);
    if (isStructured(format)) {
      await writeList(call, list, []);
      return EXIT.ok;
    }
    const rows = list.items.flatMap(rowsOf);
    if (csv) await terminal.data(csvOf(rows));
    else await writeList(call, { ...list, items: rows }, COLUMNS);
    return EXIT.ok;
  },
};

const stepOf = (step: HistoryStep | undefined): { readonly step?: HistoryStep } => (step === undefined ? {} : { step });

function rowsOf(view: HistorySeriesView): readonly Row[] {
  return view.rps.map((rps, index) => ({
    at: new Date(view.startMs + index * view.stepMs).toISOString(),
    series: view.series,
    rps,
    errorRatio: view.errorRatio[index] ?? null,
    p50Ms: view.p50Ms[index] ?? null,
    p95Ms: view.p95Ms[index] ?? null,
    p99Ms: view.p99Ms[index] ?? null,
    desiredShare: view.desiredShare?.[index] ?? null,
    effectiveShare: view.effectiveShare?.[index] ?? null,
    health: view.health?.[index] ?? null,
  }));
}

const CSV_NAMES = ['at', 'series', 'rps', 'errorRatio', 'p50Ms', 'p95Ms', 'p99Ms', 'desiredShare', 'effectiveShare', 'health'] as const;

/** RFC 4180, but for the line ends, which are those of the system's other tools. No value has a comma, a quote or a line end in it. */
function csvOf(rows: readonly Row[]): string {
  return [CSV_NAMES, ...rows.map((row) => CSV_NAMES.map((name) => row[name] ?? ''))].map((cells) => `${cells.join(',')}\n`).join('');
}
