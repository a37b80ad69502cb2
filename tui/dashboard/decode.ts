// The border of the dashboard: a status as it came over the network becomes a checked one whose every string is safe to draw.
import type {
  AgentView,
  AlertView,
  ApprovalView,
  ClusterView,
  EdgeView,
  EventView,
  FeedView,
  GlideView,
  LatencyView,
  RegionShareView,
  RevisionLineView,
  RolloutView,
  ServiceView,
  StatusView,
  TargetView,
  TimedView,
  TrafficView,
  WorkerView,
} from '../../balancer/controller/api/views.ts';
import {
  figure,
  flag,
  list,
  listOrNone,
  nullable,
  object,
  oneOf,
  optional,
  record,
  remembered,
  StatusUnreadable,
  text,
} from './decoders.ts';

const traffic = object<TrafficView>({
  windowSeconds: figure,
  rps: figure,
  errorRatio: figure,
  p50Ms: nullable(figure),
  p95Ms: nullable(figure),
  p99Ms: nullable(figure),
});

const health = oneOf('unknown', 'up', 'degraded', 'down');

type Reported = NonNullable<AgentView['reported']>;

const source = object<NonNullable<NonNullable<Reported['sources']>['nodes']>>({
  state: oneOf('fresh', 'stale', 'absent'),
  ageMs: nullable(figure),
});

const reported = object<Reported>({
  utilisation: optional(figure),
  utilisationOf: optional(oneOf('application', 'pods', 'nodes', 'host')),
  growth: optional(figure),
  // Not shown here.
  services: () => undefined,
  nodes: optional(object({ ready: figure, total: figure, pressed: figure, schedulable: figure })),
  pendingPods: optional(figure),
  controlPlane: optional(oneOf('ready', 'degraded', 'away')),
  sources: optional(record(source)),
});

const wish = object<NonNullable<AgentView['wishes']>[number]>({
  ...{ id: text, text, detail: text, endsInSeconds: nullable(figure) },
  state: oneOf('asked', 'taken', 'done', 'unable', 'refused'),
});

/** What a dashboard shows of it. */
const agent = object<Omit<AgentView, 'dialogue'>>({
  reported: optional(reported),
  wishes: optional(list(wish)),
  cluster: text,
  state: oneOf('fresh', 'stale', 'absent'),
  // An older appliance does not tell: then the state is all there is to go by.
  connected: (value) => (value === undefined ? true : flag(value)),
  ageMs: nullable(figure),
  capacityRps: nullable(figure),
  cpuUtilisation: nullable(figure),
  memoryUtilisation: nullable(figure),
  agentVersion: nullable(text),
});

const glides = listOrNone(
  object<GlideView>({
    revision: figure,
    field: text,
    name: text,
    from: figure,
    now: figure,
    to: figure,
    since: text,
    until: text,
    remainingSeconds: figure,
  }),
);

const cluster = remembered(
  object<ClusterView>({
    name: text,
    region: nullable(text),
    admin: oneOf('active', 'drain', 'maintenance'),
    dialPercent: figure,
    health,
    glides,
    returnsInSeconds: nullable(figure),
    running: object({ requests: figure, tunnels: figure }),
    empty: nullable(flag),
    tunnelsCloseInSeconds: nullable(figure),
    failback: oneOf('in', 'out', 'held', 'waiting', 'ramping'),
    ramp: figure,
    agent,
    endpoints: list(object({ id: text, health, reason: text })),
    desiredShare: figure,
    effectiveShare: figure,
    observedShare: figure,
    traffic,
    capacityRps: nullable(figure),
    utilisation: nullable(figure),
    lossShedRps: nullable(figure),
    trend: list(figure),
  }),
);

const reasons = list(
  oneOf(
    'intent',
    'maintenance',
    'drain',
    'dial',
    'gliding',
    'cluster_down',
    'target_ejected',
    'held',
    'redistributed',
    'capacity',
    'standby',
    'panic',
    'brake',
    'awaiting_release',
    'ramp',
    'flapping',
    'errors',
    'slow',
    'stale_capacity',
    'damped',
  ),
);

const target = remembered(
  object<TargetView>({
    version: text,
    cluster: text,
    desiredShare: figure,
    effectiveShare: figure,
    observedShare: figure,
    newShare: nullable(figure),
    observedLow: nullable(figure),
    observedHigh: nullable(figure),
    respected: nullable(flag),
    reasons,
    traffic,
  }),
);

const regionShare = object<RegionShareView>({
  region: text,
  asks: figure,
  version: text,
  cluster: text,
  desiredShare: figure,
  effectiveShare: figure,
  reasons,
});

const service = remembered(
  object<ServiceView>({
    name: text,
    policy: text,
    onUnavailable: text,
    split: record(figure),
    glides,
    targets: list(target),
    regions: list(regionShare),
    lostShare: figure,
    shedShare: figure,
    traffic,
  }),
);

const event = remembered(
  object<EventView>({
    sequence: figure,
    at: text,
    kind: oneOf(
      'revision',
      'config',
      'health',
      'plan',
      'ejection',
      'agent',
      'worker',
      'rollout',
      'drill',
      'fleet',
      'security',
      'controller',
    ),
    code: text,
    severity: oneOf('info', 'warning', 'critical'),
    text,
  }),
);

const timed = object<TimedView>({
  revision: figure,
  until: text,
  remainingSeconds: figure,
  fields: list(object({ field: text, cluster: nullable(text), service: nullable(text), held: text, before: text })),
});

const rollout = object<RolloutView>({
  service: text,
  to: text,
  phase: oneOf('running', 'paused', 'frozen', 'promoted', 'rolled_back', 'aborted'),
  begunAt: figure,
  steps: list(figure),
  step: figure,
  waves: nullable(list(list(text))),
  wave: figure,
  percent: figure,
  heldSeconds: figure,
  holdSeconds: figure,
  requests: figure,
  minRequests: figure,
  onFail: text,
  gates: list(object({ gate: text, verdict: oneOf('pass', 'fail', 'insufficient'), says: text })),
  note: text,
});

const approval = object<ApprovalView>({
  id: text,
  host: text,
  kind: oneOf('change', 'drill', 'config'),
  summary: text,
  services: list(text),
  by: text,
  how: text,
  reason: text,
  at: text,
  until: text,
  remainingSeconds: figure,
});

const alert = object<AlertView>({ code: text, severity: oneOf('problem', 'warning'), text });

const status = object<StatusView>({
  host: text,
  version: text,
  at: text,
  startedAt: text,
  revision: figure,
  generation: figure,
  plan: figure,
  degraded: list(text),
  alerts: listOrNone(alert),
  localChanges: figure,
  warnings: list(text),
  workersReady: figure,
  workers: figure,
  inFlight: figure,
  traffic,
  headroom: text,
  clusters: list(cluster),
  services: list(service),
  timed: list(timed),
  rollouts: listOrNone(rollout),
  approvals: listOrNone(approval),
  lastRevision: nullable(object({ revision: figure, at: text, author: text, text })),
  events: list(event),
  role: oneOf('read', 'operate', 'admin'),
});

const sockets = object<WorkerView['sockets']>({ clients: figure, endpoints: figure });
const NO_SOCKETS: WorkerView['sockets'] = { clients: 0, endpoints: 0 };

const worker = object<WorkerView>({
  name: text,
  pid: figure,
  state: oneOf('starting', 'ready', 'draining', 'lost'),
  generation: figure,
  plan: figure,
  restarts: figure,
  residentBytes: figure,
  // An older appliance does not tell.
  heapBytes: (value) => (value === undefined ? 0 : figure(value)),
  sockets: (value) => (value === undefined ? NO_SOCKETS : sockets(value)),
  eventLoopDelayMs: figure,
});

const edge = object<EdgeView>({
  ...{ name: text, id: text, configHash: text, generation: figure, plan: figure, revision: figure, workersReady: figure, workers: figure },
  ...{ version: text, servedRevision: figure, leads: flag, skewMs: nullable(figure), silentMs: nullable(figure), problem: nullable(text) },
  localFields: list(text),
});

const revisionLine = remembered(
  object<RevisionLineView>({
    ...{ revision: figure, at: text, author: text, how: text, source: text, reason: text, fields: list(text), what: listOrNone(text) },
    ...{ undoes: nullable(figure), approvedBy: nullable(text) },
  }),
);

const latency = object<LatencyView>({
  second: figure,
  boundsMs: list(figure),
  lines: list(remembered(object<LatencyView['lines'][number]>({ of: text, counts: list(figure) }))),
});

const extras = object<FeedExtras>({ workers: list(worker), edges: list(edge), revisions: list(revisionLine), latency });

/** What the feed has beside the status. */
export type FeedExtras = Omit<FeedView, 'status'>;

/** A document of the feed for a caller of that role. Throws StatusUnreadable. */
export function decodeFeed(value: unknown, role: StatusView['role']): { readonly status: StatusView; readonly extras: FeedExtras } {
  if (typeof value !== 'object' || value === null || !('status' in value))
    throw new StatusUnreadable('', 'a document with a status', value);
  const bare = typeof value.status === 'object' && value.status !== null ? { ...value.status, role } : value.status;
  return { status: status(bare), extras: extras(value) };
}

/** Throws StatusUnreadable. */
export function decodeStatus(value: unknown): StatusView {
  return status(value);
}
