// The dashboard for pipes, logs and terminals that cannot be drawn on: one table of text per interval.
import type { StatusView } from '../../balancer/controller/api/views.ts';
import { fitColumns, headLine, rowLine, type Table } from './columns.ts';
import { formatLatency, formatOkRatio, formatRate } from './format.ts';
import { type Frame, frameText, type Line } from './frame.ts';
import { type Glyphs, toAscii } from './glyphs.ts';
import { arrange } from './arrange.ts';
import { CLUSTERS } from './screens/overview.ts';
import { approvalText } from './views/header.ts';
import { clusterTable, returnsOf } from './views/cluster-table.ts';
import { rolloutRows, rolloutTable } from './views/rollout-table.ts';
import { SERVICE_TABLE } from './views/service-tables.ts';

/** Without a terminal nothing is cut to its width. */
const UNBOUNDED_COLUMNS = 132;

/** The status as text that ends in a line break; `columns` null: the output is no terminal. */
export function plainReport(status: StatusView, glyphs: Glyphs, columns: number | null): string {
  const width = columns ?? UNBOUNDED_COLUMNS;
  const clusters = arrange(status.clusters, { filter: '', sort: 'name', reverse: false }, CLUSTERS);
  const table = clusterTable({ glyphs, snapshotAgeMs: 0, stale: false, returns: returnsOf(clusters) });
  const { traffic } = status;
  const lines = [
    `${status.at}  ${status.host}  rev ${status.revision}  workers ${status.workersReady}/${status.workers}`,
    [
      `RPS ${formatRate(traffic.rps)}`,
      `ok ${formatOkRatio(traffic.errorRatio)}`,
      `p50 ${formatLatency(traffic.p50Ms)}`,
      `p95 ${formatLatency(traffic.p95Ms)}`,
      `p99 ${formatLatency(traffic.p99Ms)}`,
      `in flight ${status.inFlight}`,
    ].join('  '),
    ...status.degraded.map((text) => `! ${text}`),
    ...status.warnings.map((text) => `~ ${text}`),
    ...status.approvals.map((approval) => `? ${approvalText(approval, 0)}`),
    ...tableText(table, clusters, { width, glyphs }),
    ...(status.rollouts.length === 0 ? [] : tableText(rolloutTable(0), rolloutRows(status.rollouts), { width, glyphs })),
    ...(status.services.length === 0 ? [] : tableText(SERVICE_TABLE, status.services, { width, glyphs })),
  ];
  return `${lines.map((line) => (glyphs.ascii ? toAscii(line) : line)).join('\n')}\n`;
}

function tableText<Row>(
  table: Table<Row>,
  rows: readonly Row[],
  { width, glyphs }: { readonly width: number; readonly glyphs: Glyphs },
): string[] {
  const columns = fitColumns(table, width, rows);
  const frame: Frame = [headLine(columns, glyphs), ...rows.map((row): Line => rowLine(columns, row, glyphs))];
  return frameText(frame).split('\n');
}
