// Statuses of an appliance as the dashboard gets them: a busy day with one cluster of every kind of trouble.
import type {
  AgentView,
  ClusterView,
  EventView,
  RolloutView,
  ServiceView,
  StatusView,
  TargetView,
  TrafficView,
} from '../../balancer/controller/api/views.ts';

/** The time the statuses say it is. */
export const STATUS_AT = '2026-11-21T12:04:31.000Z';

export function trafficView(rps: number, errorRatio: number, p95Ms: number | null): TrafficView {
  const p50Ms = p95Ms === null ? null : p95Ms / 3;
  return { windowSeconds: 10, rps, errorRatio, p50Ms, p95Ms, p99Ms: p95Ms === null ? null : p95Ms * 3 };
}

export function clusterView(name: string, change: Partial<ClusterView> = {}): ClusterView {
  return {
    name,
    region: 'eu',
    admin: 'active',
    dialPercent: 100,
    health: 'up',
    agent: {
      cluster: name,
      state: 'fresh',
      connected: true,
      ageMs: 800,
      capacityRps: 3000,
      cpuUtilisation: 0.4,
      memoryUtilisation: 0.5,
      agentVersion: '0.1.0',
    },
    endpoints: [{ id: '10.1.0.10:443', health: 'up', reason: '' }],
    desiredShare: 0.6,
    effectiveShare: 0.578,
    observedShare: 0.576,
    traffic: trafficView(2316, 0.0002, 38),
    capacityRps: 3000,
    utilisation: 0.74,
    glides: [],
    returnsInSeconds: null,
    running: { requests: 0, tunnels: 0 },
    empty: null,
    tunnelsCloseInSeconds: null,
    failback: 'in',
    ramp: 1,
    lossShedRps: null,
    trend: [2, 3, 3, 4, 5, 5, 6, 5].map((level) => level * 400),
    ...change,
  };
}

export function targetView(version: string, cluster: string, share: number, change: Partial<TargetView> = {}): TargetView {
  return {
    version,
    cluster,
    desiredShare: share,
    effectiveShare: share,
    observedShare: share,
    newShare: null,
    observedLow: null,
    observedHigh: null,
    respected: null,
    reasons: ['intent'],
    traffic: trafficView(share * 4000, 0.0001, 40),
    ...change,
  };
}

function serviceViews(): readonly ServiceView[] {
  return [
    {
      name: 'shop',
      policy: 'capacity',
      onUnavailable: 'redistribute',
      split: { blue: 90, green: 10 },
      glides: [],
      targets: [
        targetView('blue', 'eu-west', 0.54, { effectiveShare: 0.6, reasons: ['redistributed'] }),
        targetView('blue', 'us-east', 0.36, { effectiveShare: 0.3, reasons: ['capacity'] }),
        targetView('green', 'us-east', 0.1),
        targetView('blue', 'ap-south', 0, { reasons: ['cluster_down'] }),
      ],
      regions: [],
      lostShare: 0,
      shedShare: 0,
      traffic: trafficView(3900, 0.0003, 41),
    },
    {
      name: 'search',
      policy: 'nearest',
      onUnavailable: 'fail',
      split: { stable: 99.5, canary: 0.5 },
      glides: [],
      targets: [targetView('stable', 'eu-west', 0.995), targetView('canary', 'eu-west', 0.005, { traffic: trafficView(0.6, 0.04, 310) })],
      regions: [],
      lostShare: 0.02,
      shedShare: 0,
      traffic: trafficView(121, 0.021, 87),
    },
  ];
}

export function eventView(sequence: number, kind: EventView['kind'], text: string): EventView {
  return {
    sequence,
    at: new Date(Date.parse(STATUS_AT) - (50 - sequence) * 7000).toISOString(),
    kind,
    code: `${kind}.news`,
    severity: 'info',
    text,
  };
}

/** The third of five steps, in the first of two waves. */
export function rolloutView(service: string, change: Partial<RolloutView> = {}): RolloutView {
  return {
    ...{ service, to: 'green', phase: 'running', begunAt: 41, steps: [1, 5, 25, 50, 100], step: 2, percent: 25 },
    ...{ waves: [['eu-west'], ['us-east', 'ap-south']], wave: 0 },
    ...{ heldSeconds: 45, holdSeconds: 180, requests: 812, minRequests: 100, onFail: 'rollback', note: '' },
    gates: [
      { gate: 'errors<1%', verdict: 'pass', says: '0.1 % of 812' },
      { gate: 'p95<1.2x', verdict: 'insufficient', says: 'too little to tell' },
    ],
    ...change,
  };
}

/** While much is going on: two rollouts, a drain and a dial that return by themselves, a change that waits for a second person. */
export function changingStatus(): StatusView {
  const status = busyStatus();
  const returns: Readonly<Record<string, number>> = { 'ap-south': 7140, 'us-east': 45 };
  const failing = [{ gate: 'errors<1%', verdict: 'fail' as const, says: '6 % of 90' }];
  return {
    ...status,
    clusters: status.clusters.map((cluster) => ({ ...cluster, returnsInSeconds: returns[cluster.name] ?? null })),
    rollouts: [
      rolloutView('shop'),
      rolloutView('search', { to: 'canary', phase: 'frozen', waves: null, step: 0, percent: 0.5, gates: failing }),
    ],
    approvals: [
      {
        ...{ id: '3', host: 'edge-3', kind: 'change', summary: 'shop: blue 90 % → 70 %, green 10 % → 30 %', services: ['shop'] },
        ...{ by: 'alice', how: 'token alice', reason: '', at: STATUS_AT, until: STATUS_AT, remainingSeconds: 3120 },
      },
    ],
  };
}

/** Of an agent in Kubernetes: a node is missing, pods find no place, and one source is old. */
const SIGNALS: NonNullable<AgentView['reported']> = {
  ...{ utilisation: 0.62, utilisationOf: 'pods', growth: 1.5, pendingPods: 3, controlPlane: 'degraded' },
  nodes: { ready: 11, total: 12, pressed: 1, schedulable: 9 },
  sources: { nodes: { state: 'fresh', ageMs: 900 }, pods: { state: 'stale', ageMs: 42_000 } },
};

const WISHES: NonNullable<AgentView['wishes']> = [
  {
    ...{ id: 'shop-s12', text: 'expect 1800 requests/s of shop (step 3 of the rollout of shop to green)', state: 'taken' },
    ...{ detail: 'shop/web: 22 of 36 replicas run', endsInSeconds: 540 },
  },
  { id: 'drain', text: 'nothing new comes', state: 'taken', detail: '', endsInSeconds: null },
];

/** Four clusters: busy, dialled down with an old agent report, draining and degraded, down in maintenance without an agent. */
export function busyStatus(change: Partial<StatusView> = {}): StatusView {
  const east = clusterView('us-east', { dialPercent: 50, region: 'us', desiredShare: 0.4, effectiveShare: 0.392, observedShare: 0.394 });
  const south = clusterView('ap-south', { admin: 'drain', health: 'degraded', region: 'ap', desiredShare: 0, effectiveShare: 0.03 });
  return {
    host: 'edge-3',
    version: '0.1.0',
    at: STATUS_AT,
    startedAt: '2026-11-21T10:00:00.000Z',
    revision: 42,
    generation: 3,
    plan: 118,
    localChanges: 0,
    warnings: [],
    degraded: ['cluster za-cape is down: 3 probes in a row failed, connection refused'],
    alerts: [{ code: 'cluster_down', severity: 'problem', text: 'cluster za-cape is down: 3 probes in a row failed, connection refused' }],
    workersReady: 8,
    workers: 8,
    inFlight: 188,
    timed: [],
    rollouts: [],
    approvals: [],
    headroom: 'unknown: no cluster has a known capacity',
    traffic: trafficView(4021, 0.0003, 41),
    clusters: [
      clusterView('eu-west'),
      { ...east, agent: { ...east.agent, state: 'stale', ageMs: 12_400 }, traffic: trafficView(1585, 0.0005, 49), utilisation: 0.41 },
      {
        ...south,
        agent: { ...south.agent, reported: SIGNALS, wishes: WISHES },
        ...{ observedShare: 0.03, traffic: trafficView(120, 0.013, 1210), utilisation: 0.18, trend: [7, 6, 5, 4, 3, 2, 1, 1] },
      },
      clusterView('za-cape', {
        admin: 'maintenance',
        health: 'down',
        region: null,
        agent: { ...south.agent, cluster: 'za-cape', state: 'absent', connected: false, ageMs: null },
        desiredShare: 0,
        effectiveShare: 0,
        observedShare: 0,
        traffic: trafficView(0, 0, null),
        capacityRps: null,
        utilisation: null,
        failback: 'in',
        ramp: 1,
        lossShedRps: null,
        trend: [],
      }),
    ],
    services: serviceViews(),
    lastRevision: { revision: 42, at: '2026-11-21T12:01:20.000Z', author: 'alice', text: 'shift shop green=10' },
    events: [
      eventView(50, 'health', 'cluster za-cape is down'),
      eventView(49, 'ejection', 'worker-2 ejected 10.3.0.7:443: 5 errors in a row'),
      eventView(48, 'revision', 'revision 42 by alice: shop blue 100 → 90, green 0 → 10'),
      eventView(47, 'agent', 'agent of us-east is stale'),
      eventView(46, 'worker', 'worker-7 started'),
      eventView(45, 'config', 'generation 3 is served by all workers'),
    ],
    role: 'operate',
    ...change,
  };
}
