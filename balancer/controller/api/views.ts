// What the admin API answers with. The command and the dashboard import these types and nothing else of the controller.
import type { AgentView } from './agent-view.ts';
import type { ApprovalView } from './approval-view.ts';
import type { AlertView } from './feed-view.ts';
import type { FleetAppliedView } from './fleet-views.ts';
import type { GlideView } from './glide-view.ts';
import type { Forecast, ShareChange } from './forecast-view.ts';
import type { RolloutView } from './rollout-views.ts';
import type { RolloutConfig } from '../../config/rollout-config.ts';
import type { AdminState, Change, Intent, Revision } from '../../intent/intent.ts';
import type { Renewal, RenewalOf } from '../../ipc-life-cycle.ts';
import type { FailbackState } from '../../steer/failback.ts';
import type { DrillReport } from '../drill/report.ts';
import type { EventKind, EventSeverity } from '../../event-codes.ts';
import type { HealthState, ShareReason } from '../../steer/plan-shape.ts';

/** Every list: `GET /v1/<kind>` and `GET /v1/<kind>/<name>` (a list of one). */
export interface ListView<T> {
  readonly kind: string;
  readonly revision: number;
  readonly items: readonly T[];
}

/** Figures over the last `windowSeconds`. Percentiles in milliseconds; null: no request in the window. */
export interface TrafficView {
  readonly windowSeconds: number;
  readonly rps: number;
  /** 0 to 1: 5xx and broken answers over all. */
  readonly errorRatio: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
}

export interface EndpointView {
  readonly id: string;
  readonly health: HealthState;
  /** Why it is not up; empty when it is. */
  readonly reason: string;
}

/** The three axes stay apart. Shares are 0 to 1 over all services, weighted by their demand. */
export interface ClusterView {
  readonly name: string;
  readonly region: string | null;
  readonly admin: AdminState;
  readonly dialPercent: number;
  readonly health: HealthState;
  /** Its dial and its admin state, while they are on their way. */
  readonly glides: readonly GlideView[];
  /** Until its admin state or dial returns by itself; null: it stays. */
  readonly returnsInSeconds: number | null;
  /** What runs there now, on all workers of the host. */
  readonly running: { readonly requests: number; readonly tunnels: number };
  /** Of a cluster that is not active: whether nothing runs there any more, and nothing new can; null: it is active. */
  readonly empty: boolean | null;
  /** Until its tunnels are closed, one by one; 0: they are being closed; null: they stay. */
  readonly tunnelsCloseInSeconds: number | null;
  /** How it comes back after it was down. */
  readonly failback: FailbackState;
  /** 0 to 1: how far its ramp is; 1 without one. */
  readonly ramp: number;
  readonly agent: AgentView;
  readonly endpoints: readonly EndpointView[];
  readonly desiredShare: number;
  readonly effectiveShare: number;
  readonly observedShare: number;
  readonly traffic: TrafficView;
  /** Requests per second it can take; null: unknown. */
  readonly capacityRps: number | null;
  /** Demand over capacity; null: unknown. */
  readonly utilisation: number | null;
  /** Requests per second that would be refused if it were lost now; null: unknown. */
  readonly lossShedRps: number | null;
  /** Requests per second, one per second, oldest first, up to 60. */
  readonly trend: readonly number[];
}

/** A change that returns by itself. */
export interface TimedView {
  /** The one that made it. */
  readonly revision: number;
  /** ISO 8601, UTC. */
  readonly until: string;
  readonly remainingSeconds: number;
  readonly fields: readonly TimedFieldView[];
}

export interface TimedFieldView {
  /** `eu-west.admin`, `shop.split` */
  readonly field: string;
  readonly cluster: string | null;
  readonly service: string | null;
  /** As what it is held, and what it is then; a split as JSON, in millionths. */
  readonly held: string;
  readonly before: string;
}

export interface TargetView {
  readonly version: string;
  readonly cluster: string;
  readonly desiredShare: number;
  readonly effectiveShare: number;
  /** Over the last 10 s; 0 without traffic. */
  readonly observedShare: number;
  /** The same of new clients, where clients keep their place: it meets the split at once, requests follow as old clients go. Null: they do not. */
  readonly newShare: number | null;
  /**
   * Between these the observed share is with 99 % certainty, since the shares last changed, at most a minute: that of new clients where
   * clients keep their place. Null: too little was seen.
   */
  readonly observedLow: number | null;
  readonly observedHigh: number | null;
  /** Whether the effective share is among them, as far as chance and the schedules of the workers can tell; null: too little was seen. */
  readonly respected: boolean | null;
  readonly reasons: readonly ShareReason[];
  readonly traffic: TrafficView;
}

/** What the clients of one region get of a place. */
export interface RegionShareView {
  /** Empty: clients that are found nowhere. */
  readonly region: string;
  /** 0 to 1: of the requests of the service. */
  readonly asks: number;
  readonly version: string;
  readonly cluster: string;
  /** 0 to 1: of the requests from the region. */
  readonly desiredShare: number;
  readonly effectiveShare: number;
  readonly reasons: readonly ShareReason[];
}

export interface ServiceView {
  readonly name: string;
  readonly policy: string;
  readonly onUnavailable: string;
  /** Percent per version, now. */
  readonly split: Readonly<Record<string, number>>;
  /** Its split and the weights of its versions, while they are on their way. */
  readonly glides: readonly GlideView[];
  readonly targets: readonly TargetView[];
  /** By region of clients and place, where shares differ by region; else empty. */
  readonly regions: readonly RegionShareView[];
  /** 0 to 1: what is answered 503 for want of a place. */
  readonly lostShare: number;
  /** Of it, what is refused as overload. */
  readonly shedShare: number;
  readonly traffic: TrafficView;
}

export interface RouteView {
  readonly name: string;
  readonly hosts: readonly string[];
  readonly path: string;
  readonly service: string;
  readonly traffic: TrafficView;
}

export type RolloutPlanView = RolloutConfig;

export interface WorkerView {
  readonly name: string;
  readonly pid: number;
  readonly state: 'starting' | 'ready' | 'draining' | 'lost';
  readonly generation: number;
  readonly plan: number;
  readonly restarts: number;
  readonly residentBytes: number;
  /** Of JavaScript, in use. */
  readonly heapBytes: number;
  /** Open now, to clients and to endpoints. */
  readonly sockets: { readonly clients: number; readonly endpoints: number };
  readonly eventLoopDelayMs: number;
}

export interface EventView {
  readonly sequence: number;
  readonly at: string;
  readonly kind: EventKind;
  /** Of docs/events.md. */
  readonly code: string;
  readonly severity: EventSeverity;
  /** One line, no control characters. */
  readonly text: string;
}

/** The last one that was asked for since the host was started: `GET /v1/renewals`. */
export type RenewalView = Renewal;

/** `POST /v1/renewals`. */
export interface RenewalRequest {
  readonly of: RenewalOf;
  readonly timeoutMs: number;
  /** Workers that drain since renewals before are ended first, and what they have is cut off. */
  readonly endDraining?: boolean;
}

/** `GET /v1/status`: also what `GET /v1/watch` sends as one JSON line a second. */
export interface StatusView {
  readonly host: string;
  readonly version: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly startedAt: string;
  readonly revision: number;
  readonly generation: number;
  readonly plan: number;
  /** Ok, or one line per thing that is wrong: the problems among the alerts. */
  readonly degraded: readonly string[];
  /** What is wrong, and what will be, each with the code that its section of the runbook has. */
  readonly alerts: readonly AlertView[];
  /** What this host holds against the intent of its fleet. */
  readonly localChanges: number;
  /** One line per limit of the machine that the host may run into, and per thing that will be wrong if nobody acts. */
  readonly warnings: readonly string[];
  readonly workersReady: number;
  readonly workers: number;
  readonly inFlight: number;
  readonly traffic: TrafficView;
  /** Can any one cluster be lost now, in words, beginning with yes, no or unknown. */
  readonly headroom: string;
  readonly clusters: readonly ClusterView[];
  readonly services: readonly ServiceView[];
  /** Changes that return by themselves, the next one first. */
  readonly timed: readonly TimedView[];
  /** Under way, on this host's figures. */
  readonly rollouts: readonly RolloutView[];
  /** Changes that wait for a second person, on all hosts, the next to be dropped first. */
  readonly approvals: readonly ApprovalView[];
  readonly lastRevision: { readonly revision: number; readonly at: string; readonly author: string; readonly text: string } | null;
  /** Newest first, up to 50. */
  readonly events: readonly EventView[];
  /** What the caller may do. */
  readonly role: 'read' | 'operate' | 'admin';
}

/** A change as it is asked for: what a rollout leaves out is as the config says. */
export type AskedChange =
  | Exclude<Change, { readonly kind: 'rollout_start' }>
  | ({ readonly kind: 'rollout_start'; readonly service: string; readonly to: string; readonly overMs?: number } & Partial<RolloutConfig>);

/** `POST /v1/changes`. */
export interface ChangeRequest {
  readonly change: AskedChange;
  readonly reason?: string;
  readonly dryRun?: boolean;
  /** Refused with `conflict` unless the intent is at this revision. */
  readonly ifRevision?: number;
  /** The caller means it to stay, where the config asks for a time; needs a reason. */
  readonly permanent?: boolean;
  /** Safety rules of the config are overruled; needs a reason, and the audit says which. */
  readonly breakGlass?: boolean;
  /** With a rollout that begins: refused unless its version is up and its clusters take so many times the requests of now. */
  readonly growth?: number;
  /** Of this host alone, while it is cut off from its fleet. */
  readonly local?: boolean;
  /** The caller has accepted a dangerous act. */
  readonly yes?: boolean;
  /** On the unix socket: the name the caller gives itself. */
  readonly claims?: string;
}

export interface ChangeResult {
  /** The new revision; the present one on a dry run or when nothing changed. */
  readonly revision: number;
  readonly previousRevision: number;
  readonly changed: boolean;
  readonly dryRun: boolean;
  /** The intent of the fleet is as before: only this host does otherwise. */
  readonly local: boolean;
  /** One line: what was done. */
  readonly summary: string;
  readonly shares: readonly ShareChange[];
  /** Of a dry run; null for a change that is made. */
  readonly forecast: Forecast | null;
  /** Of a dry run: services for whose sake it would wait for a second person. */
  readonly needsApproval: readonly string[];
  /** Of a dry run: why it would be refused, with the rule; empty: it would not. */
  readonly refusals: readonly string[];
  /** Null on a dry run. */
  readonly applied: AppliedView | null;
  /** The command that takes it back; empty: nothing does. */
  readonly undo: string;
}

/** Which workers of this host serve the change. */
export interface WorkersAppliedView {
  readonly workers: number;
  readonly acknowledged: number;
  /** Names of those that have not within the time allowed. */
  readonly laggards: readonly string[];
  readonly tookMs: number;
}

export interface AppliedView extends WorkersAppliedView {
  /** Null: this host is alone. */
  readonly fleet: FleetAppliedView | null;
}

/** Every failure of the admin API. `code` decides the exit code of the command. */
export interface ApiProblem {
  readonly code:
    | 'usage'
    | 'unauthorized'
    | 'forbidden'
    | 'not_found'
    | 'conflict'
    | 'unreachable'
    | 'unsafe'
    | 'confirm'
    | 'approval'
    | 'timeout'
    | 'internal';
  /** Teaches: what, where, what was expected, how to fix. */
  readonly message: string;
  /** With `confirm`: the question. With `conflict`: the present revision. */
  readonly question?: string;
  readonly revision?: number;
  /** With `approval`: as what it waits for a second person. */
  readonly approval?: string;
  /** Config problems, one per line `file:line:column: …`. */
  readonly problems?: readonly string[];
}

export interface AuditVerification {
  readonly records: number;
  readonly intact: boolean;
  /** The first revision whose hash does not fit; null when intact. */
  readonly brokenAt: number | null;
}

/** Null: it is not there. */
export interface FieldDifference {
  /** `services.shop.split` */
  readonly field: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** `POST /v1/drills`. */
export interface DrillRequest {
  readonly cluster: string;
  readonly act: 'drain' | 'dial';
  /** What a dial is set to; absent for a drain. */
  readonly percent?: number;
  readonly forMs: number;
  readonly abortIf?: readonly string[];
  readonly reason?: string;
  readonly breakGlass?: boolean;
}

export type DrillView = DrillReport;
export type RevisionView = Revision;
export type IntentView = Intent;
export type ChangeView = Change;
export type RoleView = StatusView['role'];
export type { RememberedRequest } from '../recent-questions.ts';
export type { ExplainRequest, ExplainView } from './explain-view.ts';
export type { DifferenceView, MirroredView, ResultsView, VersionResultView } from './results-view.ts';
export type { CacheView } from './cache-view.ts';
export type { ConsumerView, KeyView, QuotaView } from './consumer-view.ts';
export type { AgentView, AgentWishView } from './agent-view.ts';
export type { ApprovalRequest, ApprovalResult, ApprovalView } from './approval-view.ts';
export type { ClusterForecast, Forecast, MovedShare, ShareChange, SpillView } from './forecast-view.ts';
export type { EdgeView, FleetAppliedView, LocalRequest, LocalView } from './fleet-views.ts';
export type { MadeToken, RevokedToken, TokenRequest, TokenView } from './token-view.ts';
export type { ConfigApplyResult, ExpectationRequest } from '../appliance.ts';
export type { GateView, RolloutView } from './rollout-views.ts';
export type { GlideView } from './glide-view.ts';
export type { AlertView, Delta, FeedMessage, FeedView, LatencyLineView, LatencyView, RevisionLineView } from './feed-view.ts';
