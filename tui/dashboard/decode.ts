// The border of the dashboard: a status as it came over the network becomes a checked one whose every string is safe to draw.
import type {
  AgentView,
  ApprovalView,
  ClusterView,
  EventView,
  RegionShareView,
  RolloutView,
  ServiceView,
  StatusView,
  TargetView,
  TimedView,
  TrafficView,
} from '../../balancer/controller/api/views.ts';
import { cleanText } from './text.ts';

/** The appliance sent something that is no status; says where and what was expected. */
export class StatusUnreadable extends Error {
  constructor(path: string, expected: string, got: unknown) {
    const shown = (JSON.stringify(got) as string | undefined) ?? 'nothing';
    super(`the appliance sent a status this version cannot read: ${path} should be ${expected}, got ${cleanText(shown).slice(0, 60)}`);
    this.name = 'StatusUnreadable';
  }
}

type Decoder<T> = (value: unknown, path: string) => T;

const text: Decoder<string> = (value, path) => {
  if (typeof value !== 'string') throw new StatusUnreadable(path, 'text', value);
  return cleanText(value);
};

const figure: Decoder<number> = (value, path) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new StatusUnreadable(path, 'a number', value);
  return value;
};

const flag: Decoder<boolean> = (value, path) => {
  if (typeof value !== 'boolean') throw new StatusUnreadable(path, 'true or false', value);
  return value;
};

function nullable<T>(decode: Decoder<T>): Decoder<T | null> {
  return (value, path) => (value === null || value === undefined ? null : decode(value, path));
}

function list<T>(decode: Decoder<T>): Decoder<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw new StatusUnreadable(path, 'a list', value);
    return value.map((item: unknown, index) => decode(item, `${path}[${index}]`));
  };
}

/** What an older appliance does not send is nothing. */
function listOrNone<T>(decode: Decoder<T>): Decoder<readonly T[]> {
  return (value, path) => (value === undefined ? [] : list(decode)(value, path));
}

function record<T>(decode: Decoder<T>): Decoder<Readonly<Record<string, T>>> {
  return (value, path) => {
    const fields = entries(value, path).map(([name, item]) => [cleanText(name), decode(item, `${path}.${name}`)] as const);
    return Object.fromEntries(fields);
  };
}

function oneOf<const T extends string>(...words: readonly T[]): Decoder<T> {
  return (value, path) => {
    const word = words.find((each) => each === value);
    if (word === undefined) throw new StatusUnreadable(path, `one of ${words.join(', ')}`, value);
    return word;
  };
}

function entries(value: unknown, path: string): readonly (readonly [string, unknown])[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new StatusUnreadable(path, 'an object', value);
  return Object.entries(value);
}

/** Every field of T with its decoder; fields that are not named are left out, so an appliance may send more than this version knows. */
type Fields<T> = { readonly [Name in keyof T]-?: Decoder<T[Name]> };

function object<T>(fields: Fields<T>): Decoder<T> {
  return (value, path) => {
    const given = new Map(entries(value, path));
    const decoded: Partial<T> = {};
    for (const name in fields) decoded[name] = fields[name](given.get(name), path === '' ? name : `${path}.${name}`);
    // A decoding border: the loop has set every key of Fields<T>, which are the keys of T.
    return decoded as T;
  };
}

const traffic = object<TrafficView>({
  windowSeconds: figure,
  rps: figure,
  errorRatio: figure,
  p50Ms: nullable(figure),
  p95Ms: nullable(figure),
  p99Ms: nullable(figure),
});

const health = oneOf('unknown', 'up', 'degraded', 'down');

/** What a dashboard shows of it. */
const agent = object<Omit<AgentView, 'dialogue' | 'reported' | 'wishes'>>({
  cluster: text,
  state: oneOf('fresh', 'stale', 'absent'),
  ageMs: nullable(figure),
  capacityRps: nullable(figure),
  cpuUtilisation: nullable(figure),
  memoryUtilisation: nullable(figure),
  agentVersion: nullable(text),
});

const cluster = object<ClusterView>({
  name: text,
  region: nullable(text),
  admin: oneOf('active', 'drain', 'maintenance'),
  dialPercent: figure,
  health,
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
});

const reasons = list(
  oneOf(
    'intent',
    'maintenance',
    'drain',
    'dial',
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

const target = object<TargetView>({
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
});

const regionShare = object<RegionShareView>({
  region: text,
  asks: figure,
  version: text,
  cluster: text,
  desiredShare: figure,
  effectiveShare: figure,
  reasons,
});

const service = object<ServiceView>({
  name: text,
  policy: text,
  onUnavailable: text,
  split: record(figure),
  targets: list(target),
  regions: list(regionShare),
  lostShare: figure,
  shedShare: figure,
  traffic,
});

const event = object<EventView>({
  sequence: figure,
  at: text,
  kind: oneOf('revision', 'config', 'health', 'ejection', 'agent', 'worker', 'rollout', 'drill', 'fleet', 'controller'),
  code: text,
  severity: oneOf('info', 'warning', 'critical'),
  text,
});

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

const status = object<StatusView>({
  host: text,
  version: text,
  at: text,
  startedAt: text,
  revision: figure,
  generation: figure,
  plan: figure,
  degraded: list(text),
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

/** Throws StatusUnreadable. */
export function decodeStatus(value: unknown): StatusView {
  return status(value, '');
}
