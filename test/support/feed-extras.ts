// What the feed tells beside the status, as a host with eight workers in a fleet of two would.
import type { EdgeView, FeedView, LatencyLineView, RevisionLineView, StatusView, WorkerView } from '../../balancer/controller/api/views.ts';
import { STATUS_AT } from './statuses.ts';

const MIB = 1024 * 1024;

function workerView(number: number, status: StatusView): WorkerView {
  const late = number === 7;
  return {
    ...{ name: `w${number}`, pid: 4000 + number, state: late ? 'starting' : 'ready', restarts: late ? 1 : 0 },
    ...{ generation: status.generation, plan: late ? status.plan - 5 : status.plan },
    ...{ heapBytes: (20 + number) * MIB, sockets: { clients: late ? 0 : 400 + 7 * number, endpoints: late ? 0 : 60 + number } },
    ...{ residentBytes: (90 + number) * MIB, eventLoopDelayMs: late ? 61.2 : 0.4 + number / 10 },
  };
}

function edgeView(name: string, status: StatusView, change: Partial<EdgeView>): EdgeView {
  return {
    ...{ name, id: `id-of-${name}`, configHash: 'ab12cd34'.repeat(8), generation: status.generation, plan: status.plan },
    ...{ revision: status.revision, servedRevision: status.revision, workersReady: 8, workers: 8, version: status.version, leads: false },
    ...{ skewMs: 2.4, silentMs: null, problem: null, localFields: [] },
    ...change,
  };
}

function revisionLine(revision: number, change: Partial<RevisionLineView>): RevisionLineView {
  return {
    ...{ revision, at: new Date(Date.parse(STATUS_AT) - (43 - revision) * 3_600_000).toISOString(), author: 'alice', how: 'token alice' },
    ...{
      source: 'operator',
      reason: '',
      fields: ['shop.split'],
      what: ['shop: blue 100 % → 90 %, green 0 % → 10 %'],
      undoes: null,
      approvedBy: null,
    },
    ...change,
  };
}

const BOUNDS_MS = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000];

function latencyLine(of: string, most: number): LatencyLineView {
  return { of, counts: BOUNDS_MS.map((_, bucket) => Math.max(0, 120 - 40 * Math.abs(bucket - most))).concat(0) };
}

export function extrasView(status: StatusView, second = 1): Omit<FeedView, 'status'> {
  return {
    workers: Array.from({ length: 8 }, (_, index) => workerView(index + 1, status)),
    edges: [
      edgeView('edge-3', status, { leads: true }),
      edgeView('edge-4', status, {
        revision: status.revision - 1,
        servedRevision: status.revision - 1,
        problem: 'the store of this host takes nothing',
      }),
    ],
    revisions: [
      revisionLine(42, { reason: 'new checkout' }),
      revisionLine(41, {
        fields: ['ap-south.admin'],
        what: ['ap-south: active → drain'],
        author: 'bob',
        how: 'local, claims bob',
        approvedBy: 'carol',
      }),
      revisionLine(40, { undoes: 39 }),
      revisionLine(39, { source: 'rollout', author: 'weir', fields: ['shop.split', 'shop.rollout'], what: [] }),
    ],
    latency: {
      second,
      boundsMs: BOUNDS_MS,
      lines: [
        latencyLine('all', 4),
        ...status.clusters.map(({ name }, index) => latencyLine(`cluster/${name}`, 4 + (index % 3))),
        ...status.services.map(({ name }, index) => latencyLine(`service/${name}`, 3 + index)),
      ],
    },
  };
}
