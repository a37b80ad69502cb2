// Edge hosts and workers: which revision each serves, how late its event loop is, what it holds of memory and sockets, how often it was replaced.
import type { EdgeView, WorkerView } from '../../../balancer/controller/api/views.ts';
import { byText } from '../arrange.ts';
import type { Column, Table } from '../columns.ts';
import { formatAge } from '../format.ts';
import { cell, type Frame, type Line, type Style } from '../frame.ts';
import { fitColumns, headLine, rowLine } from '../columns.ts';
import { listScreen, type Looking, type Sight } from '../screen-definition.ts';
import { ruleLine } from '../views/parts.ts';

const MIB = 1024 * 1024;
/** From here on a loop is so late that clients notice. */
const LATE_MS = 50;

const STATE_STYLE: Readonly<Record<WorkerView['state'], Style>> = { starting: 'warn', ready: 'good', draining: 'warn', lost: 'bad' };
const STATE_RANK: Readonly<Record<WorkerView['state'], number>> = { lost: 0, draining: 1, starting: 2, ready: 3 };

function workersOf({ snapshot }: Pick<Looking, 'snapshot'>): readonly WorkerView[] {
  return snapshot.extras?.workers ?? [];
}

/** `w10` after `w9`. */
function byNumber(a: WorkerView, b: WorkerView): number {
  return a.name.length - b.name.length || byText(a.name, b.name);
}

export const edgesScreen = listScreen<WorkerView>({
  name: 'edges',
  label: 'edges',
  key: '5',
  noun: 'workers',
  id: ({ name }) => name,
  search: (row) => ({
    text: `${row.name} ${row.state}`,
    fields: { name: [row.name], state: [row.state] },
    figures: {
      ...{ loop: row.eventLoopDelayMs, memory: row.residentBytes / MIB, heap: row.heapBytes / MIB, restarts: row.restarts },
      ...{ clients: row.sockets.clients, endpoints: row.sockets.endpoints, sockets: socketsOf(row) },
    },
  }),
  sorts: {
    name: byNumber,
    state: (a, b) => STATE_RANK[a.state] - STATE_RANK[b.state],
    loop: (a, b) => b.eventLoopDelayMs - a.eventLoopDelayMs,
    memory: (a, b) => b.residentBytes - a.residentBytes,
    sockets: (a, b) => socketsOf(b) - socketsOf(a),
  },
  rows: workersOf,
  none: ({ snapshot }) =>
    snapshot.extras === null ? 'this appliance does not tell of its workers here: weir get workers' : 'no worker has reported yet',
  subject: () => ({}),
  table: workerTable,
  above: edgeLines,
});

const column = <Row>(id: string, title: string, width: number, value: (row: Row) => string): Column<Row> => ({
  ...{ id, title, align: 'right' as const, narrow: width, wide: width },
  value,
});

/** A worker that serves another generation or plan than the controller has is behind. */
function workerTable({ snapshot: { status }, glyphs }: Sight): Table<WorkerView> {
  return {
    columns: [
      { id: 'name', sort: 'name', title: 'WORKER', align: 'left', narrow: 8, wide: 8, value: ({ name }) => name },
      {
        id: 'state',
        sort: 'state',
        title: 'STATE',
        align: 'left',
        narrow: 8,
        wide: 8,
        value: ({ state }) => state,
        style: ({ state }) => STATE_STYLE[state],
      },
      column('pid', 'PID', 8, ({ pid }) => String(pid)),
      {
        ...column<WorkerView>('generation', 'GENER', 5, ({ generation }) => String(generation)),
        style: (row) => (row.generation === status.generation ? 'plain' : 'bad'),
      },
      // One behind is on its way.
      {
        ...column<WorkerView>('plan', 'PLAN', 8, ({ plan }) => String(plan)),
        style: (row) => (row.plan >= status.plan - 1 ? 'plain' : 'bad'),
      },
      {
        ...column<WorkerView>('loop', 'LOOP', 8, (row) => `${row.eventLoopDelayMs.toFixed(1)}ms`),
        sort: 'loop',
        style: (row) => (row.eventLoopDelayMs >= LATE_MS ? 'bad' : 'plain'),
      },
      { ...column<WorkerView>('memory', 'MEMORY', 8, (row) => `${Math.round(row.residentBytes / MIB)}MiB`), sort: 'memory' },
      { ...column<WorkerView>('heap', 'HEAP', 7, (row) => `${Math.round(row.heapBytes / MIB)}MiB`), optional: true },
      { ...column<WorkerView>('clients', 'CLIENTS', 7, (row) => String(row.sockets.clients)), sort: 'sockets', optional: true },
      { ...column<WorkerView>('endpoints', 'ENDPOINTS', 9, (row) => String(row.sockets.endpoints)), optional: true },
      {
        ...column<WorkerView>('restarts', 'RESTARTS', 8, ({ restarts }) => String(restarts)),
        style: ({ restarts }) => (restarts > 0 ? 'warn' : 'plain'),
      },
      {
        ...{ id: 'skew', title: 'SERVES', align: 'left', narrow: 14, wide: 14, optional: true },
        value: (row) =>
          row.plan >= status.plan - 1 && row.generation === status.generation ? `${glyphs.health.up} what holds` : 'an older plan',
        style: (row) => (row.plan >= status.plan - 1 && row.generation === status.generation ? 'good' : 'bad'),
      },
    ],
    steps: ['clients', 'heap', 'skew', 'endpoints'],
  };
}

/** Open now, to both sides. */
function socketsOf({ sockets }: WorkerView): number {
  return sockets.clients + sockets.endpoints;
}

/** A host that serves another revision, or another config, than this one stands out. */
function edgeTable(edges: readonly EdgeView[], revision: number): Table<EdgeView> {
  return {
    columns: [
      {
        id: 'name',
        title: 'EDGE',
        align: 'left',
        narrow: 10,
        wide: 10,
        upTo: (rows) => Math.min(30, Math.max(0, ...rows.map(({ name }) => name.length))),
        value: ({ name }) => name,
      },
      {
        id: 'state',
        title: 'STATE',
        align: 'left',
        narrow: 10,
        wide: 10,
        value: stateOf,
        style: (row) => (row.silentMs === null && row.problem === null ? 'good' : 'bad'),
      },
      {
        ...column<EdgeView>('revision', 'REV', 6, (row) => String(row.revision)),
        style: (row) => (row.revision === revision ? 'plain' : 'warn'),
      },
      {
        ...column<EdgeView>('served', 'SERVES', 6, (row) => String(row.servedRevision)),
        style: (row) => (row.servedRevision >= revision ? 'plain' : 'warn'),
      },
      {
        ...column<EdgeView>('workers', 'WORKERS', 7, (row) => `${row.workersReady}/${row.workers}`),
        style: (row) => (row.workersReady < row.workers ? 'bad' : 'plain'),
      },
      {
        id: 'config',
        title: 'CONFIG',
        align: 'left',
        narrow: 8,
        wide: 8,
        value: (row) => row.configHash.slice(0, 8),
        style: (row) => (row.configHash === edges[0]?.configHash ? 'dim' : 'bad'),
      },
      { id: 'version', title: 'VERSION', align: 'left', narrow: 8, wide: 8, optional: true, value: ({ version }) => version },
      { ...column<EdgeView>('skew', 'CLOCK', 7, ({ skewMs }) => (skewMs === null ? '-' : `${Math.round(skewMs)}ms`)), optional: true },
      {
        id: 'problem',
        title: 'NOTE',
        align: 'left',
        narrow: 10,
        wide: 10,
        optional: true,
        upTo: () => Number.MAX_SAFE_INTEGER,
        value: noteOf,
        style: () => 'warn',
      },
    ],
    steps: ['problem', 'version', 'skew'],
  };
}

function edgeLines(sight: Sight, height: number): Frame {
  const { state, snapshot, glyphs } = sight;
  const edges = snapshot.extras?.edges ?? [];
  const { revision } = snapshot.status;
  const table = edgeTable(edges, revision);
  const rows = edges.slice(0, Math.max(1, height - 2));
  const columns = fitColumns(table, state.size.columns - 2, rows);
  const lines = rows.map((row): Line => [cell('  '), ...rowLine(columns, row, glyphs)]);
  const hidden = edges.length - rows.length;
  return [
    ruleLine(`edge hosts ${edges.length}${hidden > 0 ? `, ${hidden} more` : ''}, revision ${revision}`, state.size.columns, glyphs),
    [cell('  '), ...headLine(columns, glyphs)],
    ...lines,
  ];
}

function stateOf({ silentMs, leads }: EdgeView): string {
  if (silentMs !== null) return `gone ${formatAge(silentMs)}`;
  return leads ? 'leads' : 'follows';
}

function noteOf({ problem, localFields }: EdgeView): string {
  return [problem ?? '', ...(localFields.length === 0 ? [] : [`LOCAL ${localFields.join(', ')}`])].filter(Boolean).join('; ');
}
