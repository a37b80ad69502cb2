// What the admin API may ask of this edge host, answered from its parts.
import { diffIntent } from '../intent/diff.ts';
import type { Intent } from '../intent/intent.ts';
import { inTurns } from '../../health/in-turns.ts';
import { verifyingChain } from '../intent/revision.ts';
import { StoredTextError } from '../store/decode-parts.ts';
import type { Role, Store } from '../store/store.ts';
import type { HistoryRequest, HistorySeriesView } from './api/history-view.ts';
import type {
  AgentView,
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
import type { Appliance, Caller, ConfigApplyResult, ExpectationRequest, Outcome, ResultsRequest } from './appliance.ts';
import { agentViews, clusterViews, edgeViews, listOf, routeViews, serviceViews, statusView, workerViews } from './appliance-views.ts';
import { createToken, revokeToken, shareToken } from './auth/change-tokens.ts';
import { applyConfig } from './apply-config.ts';
import { approvalViews } from './approval/approval-views.ts';
import { cacheViews } from './cache-views.ts';
import { CertificateWatch, type UsedCertificate } from './certificate-watch.ts';
import { decide, type Runs } from './approval/decide.ts';
import { makeChange } from './change.ts';
import { consumerViews } from './consumer-views.ts';
import type { Config } from '../config/config.ts';
import type { DrillDriver } from './driver/drills.ts';
import { expect } from './hub/expect.ts';
import type { RolloutDriver } from './driver/rollouts.ts';
import type { Edge } from './edge.ts';
import { feedView, revisionLines } from './feed-document.ts';
import type { HostHistory } from './host-history.ts';
import type { Renewing } from './renewing.ts';
import { resultsView } from './results-view.ts';
import { rolloutViews, underWay } from './rollout-views.ts';
import { localViews, settleLocal } from './settle-local.ts';
import { Explainer, type ExplainFacts } from './explain.ts';

/** How long a rollback is among the alerts. */
const TOLD_ROLLBACK_MS = 30 * 60_000;

export class EdgeAppliance implements Appliance {
  readonly #edge: Edge;
  readonly #rollouts: RolloutDriver;
  readonly #drills: DrillDriver;
  readonly #renewing: Renewing;
  readonly #hostId: string;
  readonly #startedAt: string;
  readonly #onTaken: (config: Config) => void;
  readonly #explainer: Explainer;
  readonly #history: HostHistory;
  readonly #certificates: CertificateWatch;
  #revisionLines: { readonly revision: number; readonly lines: FeedView['revisions'] } | null = null;
  /** When each was first seen so. */
  #rolledBackAtMs: ReadonlyMap<string, number> = new Map();

  constructor(
    edge: Edge,
    { rollouts, drills, renewing }: { readonly rollouts: RolloutDriver; readonly drills: DrillDriver; readonly renewing: Renewing },
    { hostId, history, onTaken }: { readonly hostId: string; readonly history: HostHistory; readonly onTaken: (config: Config) => void },
  ) {
    this.#edge = edge;
    this.#rollouts = rollouts;
    this.#drills = drills;
    this.#renewing = renewing;
    this.#hostId = hostId;
    this.#startedAt = new Date(edge.options.clock.wallMs()).toISOString();
    this.#onTaken = onTaken;
    this.#history = history;
    this.#certificates = new CertificateWatch(edge.options.clock, () => edge.config);
    const facts = (): ExplainFacts => ({
      config: edge.config,
      planned: edge.loop.planned,
      number: edge.loop.number,
      revision: edge.keeper.intent.revision,
      pinKey: edge.links.pinKey,
      endpoints: (cluster) => edge.prober.endpoints(cluster),
      rolloutOf: (service) => underWay(rolloutViews(edge, rollouts)).find((rollout) => rollout.service === service) ?? null,
    });
    const warn = (problem: string): void => edge.options.log.warn({ problem }, 'regions of clients cannot be explained');
    this.#explainer = new Explainer(facts, { clock: edge.options.clock, warn });
  }

  status(role: Role): StatusView {
    return { ...this.#status(), role };
  }

  feed(): FeedView {
    const { revision } = this.#edge.keeper.intent;
    // The list changes by revisions alone, and reading it takes longer than all the rest.
    if (this.#revisionLines?.revision !== revision) this.#revisionLines = { revision, lines: revisionLines(this.#edge) };
    return feedView(this.#edge, this.#status(), { hostId: this.#hostId, revisions: this.#revisionLines.lines });
  }

  #status(): FeedView['status'] {
    return statusView(this.#edge, { rollouts: this.#rolloutsOfNow(), certificates: this.certificates(), startedAt: this.#startedAt });
  }

  certificates(): readonly UsedCertificate[] {
    return this.#certificates.used();
  }

  /** Without those that were rolled back a while ago: whoever had to know it knows it. */
  #rolloutsOfNow(): readonly RolloutView[] {
    const nowMs = this.#edge.options.clock.nowMs();
    const rollouts = rolloutViews(this.#edge, this.#rollouts);
    const told = new Map<string, number>();
    for (const { service, begunAt, phase } of rollouts) {
      const key = `${service} ${begunAt}`;
      if (phase === 'rolled_back') told.set(key, this.#rolledBackAtMs.get(key) ?? nowMs);
    }
    this.#rolledBackAtMs = told;
    return rollouts.filter(({ service, begunAt }) => nowMs - (told.get(`${service} ${begunAt}`) ?? nowMs) <= TOLD_ROLLBACK_MS);
  }

  clusters(): ListView<ClusterView> {
    return listOf(this.#edge, 'clusters', clusterViews(this.#edge));
  }

  services(): ListView<ServiceView> {
    return listOf(this.#edge, 'services', serviceViews(this.#edge));
  }

  routes(service: string | null): ListView<RouteView> {
    return listOf(this.#edge, 'routes', routeViews(this.#edge, service));
  }

  caches(): ListView<CacheView> {
    return listOf(this.#edge, 'cache', cacheViews(this.#edge));
  }

  rollouts(): ListView<RolloutView> {
    return listOf(this.#edge, 'rollouts', rolloutViews(this.#edge, this.#rollouts));
  }

  drills(): ListView<DrillView> {
    return listOf(this.#edge, 'drills', this.#drills.reports());
  }

  beginDrill(request: DrillRequest, caller: Caller): Promise<Outcome<DrillView>> {
    return this.#edge.changes.run(() => this.#drills.begin(request, { by: caller, approved: null }));
  }

  local(): ListView<LocalView> {
    return listOf(this.#edge, 'local', localViews(this.#edge));
  }

  settleLocal(request: LocalRequest, caller: Caller): Promise<Outcome<ListView<LocalView>>> {
    return this.#edge.changes.run(async () => {
      const problem = await settleLocal(this.#edge, request, caller);
      return problem === null ? { ok: true, value: this.local() } : { ok: false, problem };
    });
  }

  renewals(): ListView<RenewalView> {
    const { last } = this.#renewing;
    return listOf(this.#edge, 'renewals', last === null ? [] : [last]);
  }

  renew(request: RenewalRequest, caller: Caller): Outcome<{ readonly id: string }> {
    return this.#renewing.ask(request, caller);
  }

  abortDrill(id: number, caller: Caller): Promise<Outcome<DrillView>> {
    return this.#edge.changes.run(() => this.#drills.abort(id, caller));
  }

  results(service: string, asked: ResultsRequest): Outcome<ListView<ResultsView>> {
    const results = resultsView(this.#edge, service, asked);
    if (typeof results === 'string') return { ok: false, problem: { code: 'not_found', message: results } };
    return { ok: true, value: listOf(this.#edge, 'results', [results]) };
  }

  history(request: HistoryRequest): Outcome<ListView<HistorySeriesView>> {
    const answer = this.#history.answer(request);
    if (typeof answer === 'string') return { ok: false, problem: { code: 'usage', message: answer } };
    return { ok: true, value: listOf(this.#edge, 'history', answer) };
  }

  async edges(): Promise<ListView<EdgeView>> {
    await this.#edge.fleet.refresh();
    return listOf(this.#edge, 'edges', edgeViews(this.#edge, this.#hostId));
  }

  async consumers(): Promise<ListView<ConsumerView>> {
    return listOf(this.#edge, 'consumers', await consumerViews(this.#edge));
  }

  workers(): ListView<WorkerView> {
    return listOf(this.#edge, 'workers', workerViews(this.#edge));
  }

  agents(): ListView<AgentView> {
    return listOf(this.#edge, 'agents', agentViews(this.#edge));
  }

  expect(request: ExpectationRequest, caller: Caller): Outcome<ListView<AgentView>> {
    const problem = expect(this.#edge, request, caller);
    if (problem !== null) return { ok: false, problem };
    return {
      ok: true,
      value: listOf(
        this.#edge,
        'agents',
        agentViews(this.#edge).filter(({ cluster }) => cluster === request.cluster),
      ),
    };
  }

  events(limit: number): ListView<EventView> {
    return listOf(this.#edge, 'events', this.#edge.events.newest(limit));
  }

  revisions(limit: number, before?: number): ListView<RevisionView> {
    return listOf(this.#edge, 'revisions', this.#edge.options.store.revisions(limit, before));
  }

  diff(from: number, to?: number): Outcome<ListView<FieldDifference>> {
    const { store } = this.#edge.options;
    const now = this.#edge.keeper.intent;
    const [one, other] = [store.intentAt(from), to === undefined ? now : store.intentAt(to)];
    if (one === null || other === null) {
      const message = `there is no revision ${one === null ? from : (to ?? 0)}; the newest is ${now.revision}, weir history shows the others`;
      return { ok: false, problem: { code: 'not_found', message } };
    }
    const differences = diffIntent(one, other).map(({ path, before, after }) => ({ field: path.join('.'), before, after }));
    return { ok: true, value: listOf(this.#edge, 'differences', differences) };
  }

  async explain(request: ExplainRequest): Promise<Outcome<ListView<ExplainView>>> {
    const explained = await this.#explainer.explain(request);
    if (!explained.ok) return { ok: false, problem: { code: 'usage', message: explained.message } };
    return { ok: true, value: listOf(this.#edge, 'explanations', [explained.value]) };
  }

  async recall(requestId: string): Promise<Outcome<ListView<RememberedRequest>>> {
    const { traces, silent } = await this.#edge.links.recall(requestId);
    if (traces.length > 0) return { ok: true, value: listOf(this.#edge, 'requests', traces) };
    const unheard = silent.length === 0 ? '' : ` (${silent.join(', ')} did not answer)`;
    const message = [
      `no worker of ${this.#edge.config.hostName} remembers a request ${JSON.stringify(requestId)}${unheard}.`,
      'Each keeps the last 500 that failed, were retried, refused or answered by weir itself, and up to 20 others a second, the last 500 of these.',
      'So it was not among those, or too long ago, or its worker was restarted since, or another host had it.',
      'The access log has all. A URL to explain begins with http:// or https://.',
    ].join(' ');
    return { ok: false, problem: { code: 'not_found', message } };
  }

  change(request: ChangeRequest, caller: Caller): Promise<Outcome<ChangeResult>> {
    return this.#edge.changes.run(() => makeChange(this.#edge, request, caller));
  }

  async approvals(): Promise<ListView<ApprovalView>> {
    await this.#edge.fleet.refresh();
    return listOf(this.#edge, 'approvals', approvalViews(this.#edge));
  }

  decide(id: string, request: ApprovalRequest, caller: Caller): Promise<Outcome<ApprovalResult>> {
    const runs: Runs = {
      drill: (drill, by, approved) => this.#drills.begin(drill, { by, approved }),
      config: (asked, by, approved) => applyConfig(this.#edge, { ...asked, caller: by, approved }, this.#onTaken),
    };
    return this.#edge.changes.run(() => decide(this.#edge, { ...request, id, caller }, runs));
  }

  applyConfig(text: string, dryRun: boolean, caller: Caller): Promise<Outcome<ConfigApplyResult>> {
    return this.#edge.changes.run(() => applyConfig(this.#edge, { text, dryRun, caller, approved: null }, this.#onTaken));
  }

  configText(): string {
    return this.#edge.served.text;
  }

  verifyAudit(): Promise<AuditVerification> {
    const { store, clock } = this.#edge.options;
    const newest = (): number => this.#edge.keeper.intent.revision;
    return inTurns(
      verifyingChain(store.chain(), newest, (revision) => readableIntent(store, revision)),
      clock,
    );
  }

  tokens(): ListView<TokenView> {
    return listOf(this.#edge, 'tokens', this.#edge.tokens.views());
  }

  createToken(request: TokenRequest, caller: Caller): Promise<Outcome<MadeToken>> {
    return this.#edge.changes.run(() => createToken(this.#edge, request, caller));
  }

  shareToken(name: string, caller: Caller): Promise<Outcome<MadeToken>> {
    return this.#edge.changes.run(() => shareToken(this.#edge, name, caller));
  }

  revokeToken(name: string, local: boolean, caller: Caller): Promise<Outcome<RevokedToken>> {
    return this.#edge.changes.run(() => revokeToken(this.#edge, { name, local, caller }));
  }

  authenticate(secret: string): Caller | null {
    return this.#edge.tokens.caller(secret);
  }

  subscribe(onEvent: (event: EventView) => void): () => void {
    return this.#edge.events.subscribe(onEvent);
  }
}

/** Null: there is none, or its text was damaged. */
function readableIntent(store: Store, revision: number): Intent | null {
  try {
    return store.intentAt(revision);
  } catch (error) {
    if (error instanceof StoredTextError) return null;
    throw error;
  }
}
