// What the admin API may ask of the controller: the border between transport (api/) and the parts that know and do (controller.ts).
import type { Author } from '../intent/intent.ts';
import type { Role } from '../store/store.ts';
import type { HistoryRequest, HistorySeriesView } from './api/history-view.ts';
import type {
  AgentView,
  ApiProblem,
  ApprovalRequest,
  ApprovalResult,
  ApprovalView,
  AuditVerification,
  CacheView,
  ChangeRequest,
  ChangeResult,
  ClusterView,
  ConsumerView,
  DrillRequest,
  DrillView,
  EdgeView,
  EventView,
  ExplainRequest,
  ExplainView,
  FeedView,
  FleetAppliedView,
  FieldDifference,
  ListView,
  LocalRequest,
  LocalView,
  MadeToken,
  RememberedRequest,
  RenewalRequest,
  RenewalView,
  ResultsView,
  RevisionView,
  RevokedToken,
  RolloutView,
  RouteView,
  ServiceView,
  StatusView,
  TokenRequest,
  TokenView,
  WorkerView,
} from './api/views.ts';

/** Who calls, as the transport established it. */
export interface Caller {
  readonly author: Author;
  readonly role: Role;
  /** Whom a token stands for; absent: nobody has shown who it is. */
  readonly person?: string;
}

export type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: ApiProblem };

export interface ConfigApplyResult {
  readonly revision: number;
  readonly generation: number;
  readonly changed: boolean;
  readonly dryRun: boolean;
  /** One line per thing that changes. */
  readonly differences: readonly string[];
  /** Host settings that only a restart brings in. */
  readonly needsRestart: readonly string[];
  /** Of a dry run: services for whose sake it would wait for a second person. */
  readonly needsApproval: readonly string[];
  /** Hosts that serve it; null: this one is alone, or nothing was changed. */
  readonly fleet: FleetAppliedView | null;
}

export interface ResultsRequest {
  readonly windowSeconds: number;
  readonly baseline?: string;
}

/** `POST /v1/expectations`. */
export interface ExpectationRequest {
  readonly cluster: string;
  readonly service: string;
  /** 0: nothing any more. */
  readonly rps: number;
  /** When they come; 0: now. */
  readonly inMs: number;
  /** How long they are expected for, from then on. */
  readonly forMs: number;
}

export interface Appliance {
  status(role: Role): StatusView;
  /** All that a dashboard draws, but for what differs by caller. */
  feed(): FeedView;
  clusters(): ListView<ClusterView>;
  services(): ListView<ServiceView>;
  /** `service`: those that lead to it; null: all. */
  routes(service: string | null): ListView<RouteView>;
  /** Of the routes that store responses. */
  caches(): ListView<CacheView>;
  /** The newest of each service. */
  rollouts(): ListView<RolloutView>;
  /** Newest first. */
  drills(): ListView<DrillView>;
  beginDrill(request: DrillRequest, caller: Caller): Promise<Outcome<DrillView>>;
  /** Brings the cluster back before the time is over. */
  abortDrill(id: number, caller: Caller): Promise<Outcome<DrillView>>;
  /** What this host alone was asked for, oldest first. */
  local(): ListView<LocalView>;
  /** Merges or discards it; answers with what became of each. */
  settleLocal(request: LocalRequest, caller: Caller): Promise<Outcome<ListView<LocalView>>>;
  /** The last one, or none. */
  renewals(): ListView<RenewalView>;
  /** Begins one; what becomes of it is in `renewals()`. */
  renew(request: RenewalRequest, caller: Caller): Outcome<{ readonly id: string }>;
  /** The versions of a service side by side; without `baseline` against the one with the largest share. */
  results(service: string, asked: ResultsRequest): Outcome<ListView<ResultsView>>;
  /** What was counted in the past. */
  history(request: HistoryRequest): Outcome<ListView<HistorySeriesView>>;
  edges(): Promise<ListView<EdgeView>>;
  /** With what they have used of their quotas. */
  consumers(): Promise<ListView<ConsumerView>>;
  workers(): ListView<WorkerView>;
  agents(): ListView<AgentView>;
  /** Tells the agent of a cluster what will come, so that it is ready when it does; answers with the agent. */
  expect(request: ExpectationRequest, caller: Caller): Outcome<ListView<AgentView>>;
  /** Newest first. */
  events(limit: number): ListView<EventView>;
  /** Newest first; `before`: only those before it. */
  revisions(limit: number, before?: number): ListView<RevisionView>;
  /** The fields in which the intent at one revision differs from that at another; without `to`: from the present one. */
  diff(from: number, to?: number): Outcome<ListView<FieldDifference>>;
  /** The way of a request that is not sent: a list of one. */
  explain(request: ExplainRequest): Promise<Outcome<ListView<ExplainView>>>;
  /** What became of a recent request. */
  recall(requestId: string): Promise<Outcome<ListView<RememberedRequest>>>;
  /** Changes that wait for a second person. */
  approvals(): Promise<ListView<ApprovalView>>;
  /** Makes one of them, or drops it. */
  decide(id: string, request: ApprovalRequest, caller: Caller): Promise<Outcome<ApprovalResult>>;
  change(request: ChangeRequest, caller: Caller): Promise<Outcome<ChangeResult>>;
  applyConfig(text: string, dryRun: boolean, caller: Caller): Promise<Outcome<ConfigApplyResult>>;
  /** The text that is served now. */
  configText(): string;
  verifyAudit(): Promise<AuditVerification>;
  tokens(): ListView<TokenView>;
  /** The secret is shown this once. */
  createToken(request: TokenRequest, caller: Caller): Promise<Outcome<MadeToken>>;
  /** A token of this host alone becomes one of the fleet. */
  shareToken(name: string, caller: Caller): Promise<Outcome<MadeToken>>;
  /** `local`: on this host alone. */
  revokeToken(name: string, local: boolean, caller: Caller): Promise<Outcome<RevokedToken>>;
  /** The caller a bearer secret stands for; null: none. */
  authenticate(secret: string): Caller | null;
  /** Calls back on each event until the returned function is called. */
  subscribe(onEvent: (event: EventView) => void): () => void;
}
