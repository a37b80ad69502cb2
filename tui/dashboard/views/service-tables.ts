// Services as one line each (overview) and as targets, one line per version and cluster (services screen).
import type { ServiceView, TargetView } from '../../../balancer/controller/api/views.ts';
import type { Column, Table } from '../columns.ts';
import { formatErrorRatio, formatLatency, formatRate, formatShare } from '../format.ts';
import type { Style } from '../frame.ts';
import { HIGH_ERROR_RATIO } from './cluster-table.ts';

export interface TargetRow {
  readonly service: ServiceView;
  readonly target: TargetView;
}

/** `blue 90  green 10`, in the order of the config; on their way the last digits would only flicker. */
export function splitText(service: ServiceView): string {
  const decimals = service.glides.length > 0 ? 1 : 4;
  return Object.entries(service.split)
    .map(([version, percent]) => `${version} ${Number(percent.toFixed(decimals))}`)
    .join('  ');
}

const longest = (texts: readonly string[]): number => Math.max(0, ...texts.map((text) => text.length));

export const SERVICE_TABLE: Table<ServiceView> = {
  columns: [
    { id: 'name', title: 'SERVICE', align: 'left', narrow: 10, wide: 16, value: (row) => row.name },
    {
      id: 'split',
      title: 'SPLIT %',
      align: 'left',
      narrow: 20,
      wide: 30,
      upTo: (rows) => Math.min(50, longest(rows.map(splitText))),
      value: splitText,
    },
    { id: 'policy', title: 'POLICY', align: 'left', narrow: 9, wide: 9, optional: true, value: (row) => row.policy },
    {
      id: 'lost',
      title: 'LOST%',
      align: 'right',
      narrow: 5,
      wide: 5,
      value: (row) => formatShare(row.lostShare),
      style: (row) => (row.lostShare > 0 ? 'bad' : 'plain'),
    },
    ...trafficColumns<ServiceView>((row) => row),
  ],
  steps: ['name', 'policy', 'split'],
};

export const TARGET_TABLE: Table<TargetRow> = {
  columns: [
    { ...named<TargetRow>('version', 'VERSION', 7, (row) => row.target.version), sort: 'name' },
    named('cluster', 'CLUSTER', 8, (row) => row.target.cluster),
    share('desired', 'DES%', (row) => row.target.desiredShare),
    { ...share<TargetRow>('effective', 'EFF%', (row) => row.target.effectiveShare, departs), sort: 'share' },
    share('observed', 'OBS%', (row) => row.target.observedShare),
    ...trafficColumns<TargetRow>((row) => row.target),
    {
      id: 'why',
      title: 'WHY',
      align: 'left',
      narrow: 12,
      wide: 20,
      optional: true,
      upTo: (rows) => longest(rows.map(whyText)),
      value: whyText,
      style: (row) => (row.target.reasons.every((reason) => reason === 'intent') ? 'dim' : 'warn'),
    },
  ],
  steps: ['why', 'why'],
};

/** A name: grows to the longest there is, as far as there is room. */
export function named<Row>(id: string, title: string, narrow: number, value: (row: Row) => string): Column<Row> {
  return { id, title, align: 'left', narrow, wide: narrow, upTo: (rows) => Math.min(32, longest(rows.map(value))), value };
}

/** Where the plan departs from what was asked by more than a percentage point. */
function departs({ target }: TargetRow): Style {
  return Math.abs(target.effectiveShare - target.desiredShare) > 0.01 ? 'warn' : 'plain';
}

function whyText({ target }: TargetRow): string {
  return target.reasons.join(', ').replaceAll('_', ' ');
}

export function share<Row>(id: string, title: string, of: (row: Row) => number, style?: (row: Row) => Style): Column<Row> {
  return { id, title, align: 'right', narrow: 4, wide: 4, value: (row) => formatShare(of(row)), ...(style === undefined ? {} : { style }) };
}

export function trafficColumns<Row>(of: (row: Row) => Pick<ServiceView, 'traffic'>): readonly Column<Row>[] {
  return [
    { id: 'rps', sort: 'rps', title: 'RPS', align: 'right', narrow: 5, wide: 5, value: (row) => formatRate(of(row).traffic.rps) },
    {
      id: 'errors',
      sort: 'err',
      title: 'ERR%',
      align: 'right',
      narrow: 4,
      wide: 4,
      value: (row) => formatErrorRatio(of(row).traffic.errorRatio),
      style: (row) => (of(row).traffic.errorRatio >= HIGH_ERROR_RATIO ? 'bad' : 'plain'),
    },
    { id: 'p95', sort: 'p95', title: 'P95', align: 'right', narrow: 5, wide: 5, value: (row) => formatLatency(of(row).traffic.p95Ms) },
  ];
}
