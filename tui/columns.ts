// The columns of every kind of list, one table of columns per kind.
import type {
  AgentView,
  ApprovalView,
  CacheView,
  ClusterView,
  ConsumerView,
  KeyView,
  DrillView,
  EdgeView,
  EventView,
  LocalView,
  RevisionView,
  ClusterForecast,
  GateView,
  QuotaView,
  RenewalView,
  RolloutView,
  RouteView,
  ServiceView,
  ShareChange,
  TokenView,
  TrafficView,
  WorkerView,
} from '../balancer/controller/api/views.ts';
import type { ReadableDifference } from './difference-text.ts';
import * as text from './format.ts';
import { dialText, splitText } from './glide-text.ts';
import type { Column, Tone } from './table.ts';

const HEALTH_TONE: Readonly<Record<ClusterView['health'], Tone>> = { up: 'good', degraded: 'warning', unknown: 'warning', down: 'bad' };
const AGENT_TONE: Readonly<Record<AgentView['state'], Tone | null>> = { fresh: 'good', stale: 'warning', absent: null };
const WORKER_TONE: Readonly<Record<WorkerView['state'], Tone>> = { ready: 'good', starting: 'warning', draining: 'warning', lost: 'bad' };
const RENEWAL_TONE: Readonly<Record<RenewalView['state'], Tone>> = { running: 'warning', done: 'good', failed: 'bad' };

export const CLUSTER_COLUMNS: readonly Column<ClusterView>[] = [
  { title: 'CLUSTER', of: (item) => item.name },
  { title: 'REGION', of: (item) => item.region ?? text.UNKNOWN, wide: true },
  { title: 'ADMIN', of: adminText, tone: (item) => (item.admin === 'active' ? null : 'warning') },
  { title: 'HEALTH', of: (item) => item.health, tone: (item) => HEALTH_TONE[item.health] },
  { title: 'AGENT', of: (item) => item.agent.state, tone: (item) => AGENT_TONE[item.agent.state] },
  { title: 'DIAL', of: dialText, right: true },
  { title: 'DESIRED', of: (item) => text.share(item.desiredShare), right: true },
  { title: 'EFFECTIVE', of: (item) => text.share(item.effectiveShare), right: true },
  { title: 'OBSERVED', of: (item) => text.ratio(item.observedShare), right: true },
  { title: 'RUNNING', of: (item) => String(item.running.requests), right: true },
  { title: 'TUNNELS', of: (item) => String(item.running.tunnels), right: true },
  ...trafficColumns<ClusterView>((item) => item.traffic),
  { title: 'CAPACITY', of: (item) => text.rate(item.capacityRps), right: true, wide: true },
  { title: 'USED', of: (item) => text.ratio(item.utilisation), right: true, wide: true },
  {
    title: 'ENDPOINTS',
    of: (item) => `${item.endpoints.filter(({ health }) => health === 'up').length}/${item.endpoints.length} up`,
    wide: true,
  },
];

/** Its dial returns too, and stands two columns further on: the time is told once. */
function adminText({ admin, returnsInSeconds }: ClusterView): string {
  return returnsInSeconds === null ? admin : `${admin} (${text.countdown(returnsInSeconds)})`;
}

/** What was measured, version by version; where nothing is measured, nobody knows. */
function byVersion({ targets }: ServiceView, shareOf: (target: ServiceView['targets'][number]) => number | null): string {
  const shares = new Map<string, number>();
  for (const target of targets) {
    const share = shareOf(target);
    if (share === null) return text.UNKNOWN;
    shares.set(target.version, (shares.get(target.version) ?? 0) + share);
  }
  return [...shares].map(([version, share]) => `${version}=${text.ratio(share)}`).join(' ');
}

export const SERVICE_COLUMNS: readonly Column<ServiceView>[] = [
  { title: 'SERVICE', of: (item) => item.name },
  { title: 'SPLIT', of: splitText },
  { title: 'LOST', of: (item) => text.share(item.lostShare), right: true },
  { title: 'POLICY', of: (item) => item.policy, wide: true },
  { title: 'ON UNAVAILABLE', of: (item) => item.onUnavailable, wide: true },
  { title: 'OBSERVED', of: (item) => byVersion(item, ({ observedShare }) => observedShare), wide: true },
  { title: 'NEW CLIENTS', of: (item) => byVersion(item, ({ newShare }) => newShare), wide: true },
  ...trafficColumns<ServiceView>((item) => item.traffic),
];

export const ROUTE_COLUMNS: readonly Column<RouteView>[] = [
  { title: 'ROUTE', of: (item) => item.name },
  { title: 'HOSTS', of: (item) => (item.hosts.length === 0 ? 'any' : item.hosts.join(',')) },
  { title: 'PATH', of: (item) => item.path },
  { title: 'SERVICE', of: (item) => item.service },
  ...trafficColumns<RouteView>((item) => item.traffic),
];

export const CACHE_COLUMNS: readonly Column<CacheView>[] = [
  { title: 'ROUTE', of: (item) => item.route },
  { title: 'SERVICE', of: (item) => item.service },
  { title: 'OBJECTS', of: (item) => String(item.objects), right: true },
  { title: 'BYTES', of: (item) => text.bytes(item.bytes), right: true },
  { title: 'HIT RATIO', of: (item) => text.ratio(item.hitRatio), right: true },
  { title: 'HITS', of: (item) => String(item.hits), right: true },
  { title: 'MISSES', of: (item) => String(item.misses), right: true, wide: true },
  { title: 'STALE', of: (item) => String(item.stale), right: true, wide: true },
  { title: 'BYPASSED', of: (item) => String(item.bypassed), right: true, wide: true },
  { title: 'SERVED STALE', of: (item) => String(item.servedStale), right: true },
  { title: 'EVICTED', of: (item) => String(item.evicted), right: true, wide: true },
  { title: 'PURGED', of: (item) => String(item.purged), right: true },
];

function edgeState({ silentMs, problem, leads, servedRevision, revision, localFields }: EdgeView): keyof typeof EDGE_TONE {
  if (silentMs !== null) return 'away';
  if (localFields.length > 0) return 'divergent';
  if (problem !== null) return 'problem';
  if (servedRevision < revision) return 'behind';
  return leads ? 'leads' : 'ok';
}

const EDGE_TONE = { away: 'bad', divergent: 'bad', problem: 'bad', behind: 'warning', leads: 'good', ok: 'good' } as const;

export const EDGE_COLUMNS: readonly Column<EdgeView>[] = [
  { title: 'EDGE', of: (item) => item.name },
  { title: 'STATE', of: edgeState, tone: (item) => EDGE_TONE[edgeState(item)] },
  { title: 'WORKERS', of: (item) => `${item.workersReady}/${item.workers}`, right: true },
  { title: 'REVISION', of: (item) => String(item.revision), right: true },
  { title: 'GENERATION', of: (item) => String(item.generation), right: true },
  { title: 'SERVED', of: (item) => String(item.servedRevision), right: true },
  { title: 'PLAN', of: (item) => String(item.plan), right: true },
  { title: 'SKEW', of: (item) => (item.skewMs === null ? '-' : `${item.skewMs} ms`), right: true },
  { title: 'VERSION', of: (item) => item.version },
  { title: 'CONFIG', of: (item) => item.configHash.slice(0, 12) },
  { title: 'LOCAL', of: (item) => item.localFields.join(','), wide: true },
  { title: 'PROBLEM', of: (item) => item.problem ?? '', wide: true },
  { title: 'ID', of: (item) => item.id, wide: true },
];

export const WORKER_COLUMNS: readonly Column<WorkerView>[] = [
  { title: 'WORKER', of: (item) => item.name },
  { title: 'STATE', of: (item) => item.state, tone: (item) => WORKER_TONE[item.state] },
  { title: 'PID', of: (item) => String(item.pid), right: true },
  { title: 'GENERATION', of: (item) => String(item.generation), right: true },
  { title: 'PLAN', of: (item) => String(item.plan), right: true },
  { title: 'RESTARTS', of: (item) => String(item.restarts), right: true },
  { title: 'MEMORY', of: (item) => text.bytes(item.residentBytes), right: true },
  { title: 'HEAP', of: (item) => text.bytes(item.heapBytes), right: true, wide: true },
  { title: 'CLIENTS', of: (item) => String(item.sockets.clients), right: true, wide: true },
  { title: 'ENDPOINTS', of: (item) => String(item.sockets.endpoints), right: true, wide: true },
  { title: 'LOOP DELAY', of: (item) => text.milliseconds(item.eventLoopDelayMs), right: true, wide: true },
];

export const AGENT_COLUMNS: readonly Column<AgentView>[] = [
  { title: 'CLUSTER', of: (item) => item.cluster },
  { title: 'STATE', of: (item) => item.state, tone: (item) => AGENT_TONE[item.state] },
  { title: 'AGE', of: (item) => text.age(item.ageMs), right: true },
  // Of a claim above its ceiling what it counts as.
  { title: 'CAPACITY', of: (item) => text.rate(item.dialogue?.heldAtRps ?? item.capacityRps), right: true },
  { title: 'CPU', of: (item) => text.ratio(item.cpuUtilisation), right: true },
  { title: 'MEMORY', of: (item) => text.ratio(item.memoryUtilisation), right: true },
  { title: 'CLOCK', of: (item) => clockText(item.dialogue?.clockSkewMs ?? null), right: true, wide: true },
  { title: 'WISHES', of: (item) => item.wishes?.map(({ state }) => state).join(',') ?? text.UNKNOWN, wide: true },
  { title: 'VERSION', of: (item) => item.agentVersion ?? text.UNKNOWN, wide: true },
];

/** How far a clock is ahead of this host's, or behind it. */
function clockText(skewMs: number | null): string {
  return skewMs === null ? text.UNKNOWN : `${skewMs < 0 ? '-' : '+'}${text.age(Math.abs(skewMs))}`;
}

const DRILL_TONE: Readonly<Record<DrillView['state'], Tone | null>> = {
  ...{ running: 'warning', settling: 'warning', passed: 'good', failed: 'bad', aborted: 'warning', refused: 'warning' },
};

export const DRILL_COLUMNS: readonly Column<DrillView>[] = [
  { title: 'DRILL', of: (item) => String(item.id), right: true },
  { title: 'WHAT', of: (item) => (item.act === 'drain' ? `drain ${item.cluster}` : `dial ${item.cluster} ${item.percent}`) },
  { title: 'GRADE', of: (item) => item.state, tone: (item) => DRILL_TONE[item.state] },
  { title: 'BEGUN', of: (item) => text.time(item.begunAt) },
  { title: 'LASTED', of: (item) => text.countdown(item.seconds), right: true },
  { title: 'BY', of: (item) => item.schedule ?? item.by },
  { title: 'WHY', of: (item) => item.reasons.at(item.state === 'settling' ? 1 : 0) ?? '' },
];

export const CONSUMER_COLUMNS: readonly Column<ConsumerView>[] = [
  { title: 'CONSUMER', of: (item) => item.name },
  { title: 'PLAN', of: (item) => item.plan },
  { title: 'SOURCE', of: (item) => (item.shadows ? `${item.source} (one of the store is hidden)` : item.source) },
  { title: 'KEYS', of: (item) => String(item.keys.filter(({ expired }) => !expired).length), right: true },
  { title: 'LAST USED', of: (item) => item.lastUsedAt ?? text.UNKNOWN },
  { title: 'GROUPS', of: (item) => item.groups.join(',') },
  { title: 'SCOPES', of: (item) => item.scopes.join(','), wide: true },
  { title: 'TAGS', of: (item) => item.tags.join(','), wide: true },
];

export const KEY_COLUMNS: readonly Column<KeyView>[] = [
  { title: 'KEY', of: (item) => item.id },
  { title: 'ISSUED', of: (item) => item.issuedAt ?? 'in the config' },
  { title: 'EXPIRES', of: (item) => (item.expired ? `${item.expiresAt ?? ''} (over)` : (item.expiresAt ?? 'never')) },
  { title: 'LAST USED', of: (item) => item.lastUsedAt ?? text.UNKNOWN },
  { title: 'FROM', of: (item) => item.from.join(',') },
  { title: 'SCOPES', of: (item) => item.scopes.join(','), wide: true },
];

export const QUOTA_COLUMNS: readonly Column<QuotaView>[] = [
  { title: 'CONSUMER', of: (item) => item.consumer },
  { title: 'QUOTA', of: (item) => item.quota },
  { title: 'PLAN', of: (item) => item.plan },
  { title: 'PER', of: (item) => item.window },
  { title: 'SCOPE', of: (item) => item.scope, wide: true },
  { title: 'ALLOWED', of: (item) => String(item.allow), right: true },
  { title: 'USED', of: (item) => String(item.used ?? text.UNKNOWN), right: true },
  { title: 'LEFT', of: (item) => String(item.left ?? text.UNKNOWN), right: true, tone: (item) => (item.left === 0 ? 'bad' : null) },
  { title: 'RESETS', of: (item) => text.time(item.resetsAt) },
];

export const RENEWAL_COLUMNS: readonly Column<RenewalView>[] = [
  { title: 'RENEWAL', of: (item) => item.id, wide: true },
  { title: 'OF', of: (item) => item.of },
  { title: 'STATE', of: (item) => item.state, tone: (item) => RENEWAL_TONE[item.state] },
  { title: 'VERSION', of: (item) => item.version },
  { title: 'WHY', of: (item) => item.problem ?? '' },
];

export const APPROVAL_COLUMNS: readonly Column<ApprovalView>[] = [
  { title: 'APPROVAL', of: (item) => item.id },
  { title: 'WHAT', of: (item) => item.summary },
  { title: 'SERVICES', of: (item) => item.services.join(',') },
  { title: 'BY', of: (item) => item.by },
  { title: 'KNOWN BY', of: (item) => item.how, wide: true },
  { title: 'LEFT', of: (item) => text.countdown(item.remainingSeconds), right: true },
  { title: 'HOST', of: (item) => item.host, wide: true },
  { title: 'REASON', of: (item) => item.reason },
];

export const DRILL_SERVICE_COLUMNS: readonly Column<DrillView['services'][number]>[] = [
  { title: 'SERVICE', of: (item) => item.service },
  { title: 'REQUESTS', of: (item) => String(Math.round(item.requests)), right: true },
  { title: 'RPS BEFORE', of: (item) => text.rate(item.before.rps), right: true },
  { title: 'RPS', of: (item) => text.rate(item.during.rps), right: true },
  { title: 'ERRORS BEFORE', of: (item) => text.ratio(item.before.errorRatio), right: true },
  { title: 'ERRORS', of: (item) => text.ratio(item.during.errorRatio), right: true },
  { title: 'P95 BEFORE', of: (item) => text.milliseconds(item.before.p95Ms), right: true },
  { title: 'P95 WORST', of: (item) => text.milliseconds(item.during.p95Ms), right: true },
];

export const DRILL_CLUSTER_COLUMNS: readonly Column<DrillView['clusters'][number]>[] = [
  { title: 'CLUSTER', of: (item) => item.cluster },
  { title: 'BEFORE', of: (item) => text.ratio(item.shareBefore), right: true },
  { title: 'FORETOLD', of: (item) => text.ratio(item.shareForetold), right: true },
  { title: 'DURING', of: (item) => text.ratio(item.shareDuring), right: true },
  { title: 'AFTER', of: (item) => text.ratio(item.shareAfter), right: true },
];

export const EVENT_COLUMNS: readonly Column<EventView>[] = [
  { title: 'TIME', of: (item) => text.time(item.at) },
  { title: 'SEQUENCE', of: (item) => String(item.sequence), right: true, wide: true },
  { title: 'KIND', of: (item) => item.kind },
  { title: 'EVENT', of: (item) => item.text },
];

/** Local changes of the host stand among the revisions of its fleet, by their time. */
export const REVISION_COLUMNS: readonly Column<RevisionView | LocalView>[] = [
  { title: 'REVISION', of: (item) => ('local' in item ? `LOCAL ${item.local}` : String(item.revision)), right: true },
  { title: 'TIME', of: (item) => text.time(item.at) },
  { title: 'AUTHOR', of: authorText },
  { title: 'KNOWN BY', of: howText, wide: true },
  { title: 'CHANGE', of: (item) => text.changeText(item.change) },
  { title: 'UNDOES', of: (item) => (item.undoes === null ? text.UNKNOWN : String(item.undoes)), wide: true },
  { title: 'REASON', of: reasonText },
];

/** Both, where it took two. */
function authorText({ author, approvedBy }: RevisionView): string {
  return approvedBy === undefined ? author.name : `${author.name}, approved by ${approvedBy.name}`;
}

function howText({ author, approvedBy }: RevisionView): string {
  return approvedBy === undefined ? author.how : `${author.how}; ${approvedBy.how}`;
}

function reasonText(item: RevisionView | LocalView): string {
  const { reason, overruled } = item;
  const said = overruled === undefined ? reason : `GLASS BROKEN (${overruled.join(', ')}): ${reason}`;
  return 'local' in item ? `${localText(item)}${said === '' ? '' : `: ${said}`}` : said;
}

function localText({ host, state, note }: LocalView): string {
  return state === 'held' ? `on ${host} alone, not in the fleet` : `on ${host} alone, ${note}`;
}

const LOCAL_TONE = { held: 'bad', unfit: 'warning', ended: null } as const;

export const LOCAL_COLUMNS: readonly Column<LocalView>[] = [
  { title: 'LOCAL', of: (item) => String(item.local), right: true },
  { title: 'STATE', of: (item) => item.state, tone: (item) => LOCAL_TONE[item.state] },
  { title: 'TIME', of: (item) => text.time(item.at) },
  { title: 'AUTHOR', of: (item) => item.author.name },
  { title: 'CHANGE', of: (item) => text.changeText(item.change) },
  { title: 'FIELDS', of: (item) => item.fields.join(','), wide: true },
  { title: 'UNTIL', of: (item) => (item.until === null ? text.UNKNOWN : text.time(item.until)), wide: true },
  { title: 'BESIDE', of: (item) => `revision ${item.revision}`, wide: true },
  {
    title: 'NOTE',
    of: (item) =>
      [item.note, ...item.conflicts.map((conflict) => `the fleet has changed ${conflict}`)].filter((part) => part !== '').join('; '),
  },
  { title: 'REASON', of: (item) => item.reason },
];

/** The audit shows how the author is known and the chain; history shows what was done. */
export const AUDIT_COLUMNS: readonly Column<RevisionView | LocalView>[] = [
  ...REVISION_COLUMNS.map((column) => (column.title === 'KNOWN BY' ? { ...column, wide: false } : column)),
  { title: 'TOUCHED', of: (item) => item.touched.map((field) => field.path.join('.')).join(','), wide: true },
  { title: 'HASH', of: (item) => item.hash.slice(0, 12) },
];

export const DIFFERENCE_COLUMNS: readonly Column<ReadableDifference>[] = [
  { title: 'FIELD', of: (item) => item.field },
  { title: 'BEFORE', of: (item) => item.before },
  { title: 'AFTER', of: (item) => item.after },
];

export const TOKEN_COLUMNS: readonly Column<TokenView>[] = [
  { title: 'TOKEN', of: (item) => item.name },
  { title: 'OWNER', of: (item) => item.owner ?? text.UNKNOWN },
  { title: 'ROLE', of: (item) => item.role },
  { title: 'CLUSTER', of: (item) => item.cluster ?? text.UNKNOWN },
  { title: 'GOOD ON', of: (item) => (item.refused ? 'other hosts' : item.scope === 'fleet' ? 'all hosts' : 'this host') },
  { title: 'CREATED', of: (item) => text.time(item.createdAt) },
  { title: 'EXPIRES', of: (item) => (item.expiresAt === null ? 'never' : text.time(item.expiresAt)) },
  { title: 'USED HERE', of: (item) => (item.lastUsedAt === null ? text.UNKNOWN : text.time(item.lastUsedAt)) },
];

export const ROLLOUT_COLUMNS: readonly Column<RolloutView>[] = [
  { title: 'SERVICE', of: (item) => item.service },
  { title: 'TO', of: (item) => item.to },
  { title: 'PHASE', of: (item) => item.phase.replace('_', ' '), tone: (item) => PHASE_TONES[item.phase] },
  { title: 'PERCENT', of: (item) => text.percent(item.percent), right: true },
  { title: 'STEP', of: (item) => `${item.step + 1}/${item.steps.length}`, right: true },
  {
    title: 'WAVE',
    of: (item) => (item.waves === null ? '' : `${item.wave + 1}/${item.waves.length} ${(item.waves[item.wave] ?? []).join('+')}`),
  },
  { title: 'STEPS', of: (item) => item.steps.map((step) => String(Number(step.toFixed(4)))).join(','), wide: true },
  { title: 'HELD', of: (item) => (item.gates.length === 0 ? '' : `${item.heldSeconds}/${item.holdSeconds} s`), right: true },
  { title: 'REQUESTS', of: (item) => (item.gates.length === 0 ? '' : `${item.requests}/${item.minRequests}`), right: true },
  { title: 'ON-FAIL', of: (item) => item.onFail, wide: true },
  { title: 'BEGUN', of: (item) => `revision ${item.begunAt}`, wide: true },
  { title: 'NOTE', of: (item) => item.note, wide: true },
];

const PHASE_TONES: Readonly<Record<RolloutView['phase'], Tone>> = {
  running: 'good',
  promoted: 'good',
  paused: 'warning',
  frozen: 'bad',
  rolled_back: 'bad',
  aborted: 'warning',
};

export const GATE_COLUMNS: readonly Column<GateView>[] = [
  { title: 'GATE', of: (item) => item.gate },
  { title: 'VERDICT', of: (item) => item.verdict, tone: (item) => GATE_TONES[item.verdict] },
  { title: 'MEASURED', of: (item) => item.says },
];

const GATE_TONES: Readonly<Record<GateView['verdict'], Tone>> = { pass: 'good', insufficient: 'warning', fail: 'bad' };

/** Shares now → after. */
export const SHARE_CHANGE_COLUMNS: readonly Column<ShareChange>[] = [
  { title: 'SERVICE', of: (item) => item.service },
  { title: 'VERSION', of: (item) => item.version },
  { title: 'CLUSTER', of: (item) => item.cluster },
  { title: 'DESIRED', of: (item) => step(item.before.desired, item.after.desired), right: true },
  { title: 'EFFECTIVE', of: (item) => step(item.before.effective, item.after.effective), right: true },
  { title: 'WHY', of: (item) => item.reasons.join(' ') },
];

/** Requests a second now → after. */
export const FORECAST_COLUMNS: readonly Column<ClusterForecast>[] = [
  { title: 'CLUSTER', of: (item) => item.cluster },
  { title: 'RPS', of: (item) => `${text.rate(item.before.rps)} → ${text.rate(item.after.rps)}`, right: true },
  { title: 'UTILISATION', of: (item) => `${text.ratio(item.before.utilisation)} → ${text.ratio(item.after.utilisation)}`, right: true },
];

function step(before: number, after: number): string {
  return before === after ? text.share(after) : `${text.share(before)} → ${text.share(after)}`;
}

function trafficColumns<T>(of: (item: T) => TrafficView): readonly Column<T>[] {
  return [
    { title: 'RPS', of: (item) => text.rate(of(item).rps), right: true },
    { title: 'ERRORS', of: (item) => text.ratio(of(item).errorRatio), right: true },
    { title: 'P50', of: (item) => text.milliseconds(of(item).p50Ms), right: true, wide: true },
    { title: 'P95', of: (item) => text.milliseconds(of(item).p95Ms), right: true, wide: true },
    { title: 'P99', of: (item) => text.milliseconds(of(item).p99Ms), right: true },
  ];
}
