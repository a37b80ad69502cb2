// An appliance for tests of the admin API and the command: keeps real state by the rules of the interface, records what it was asked,
// and emits events on demand. It balances nothing.
import { AT_ONCE } from '../../balancer/config/rollout-config.ts';
import { randomBytes } from 'node:crypto';
import type {
  Appliance,
  Caller,
  ConfigApplyResult,
  ExpectationRequest,
  Outcome,
  ResultsRequest,
} from '../../balancer/controller/appliance.ts';
import type { HistoryRequest } from '../../balancer/controller/api/history-view.ts';
import type {
  AgentView,
  ApiProblem,
  ApprovalResult,
  ChangeRequest,
  ChangeResult,
  ClusterView,
  DrillRequest,
  DrillView,
  EventView,
  FeedView,
  ListView,
  LocalRequest,
  LocalView,
  MadeToken,
  RenewalView,
  ResultsView,
  RevisionView,
  RevokedToken,
  RolloutView,
  ServiceView,
  ShareChange,
  StatusView,
  TokenRequest,
  TokenView,
} from '../../balancer/controller/api/views.ts';
import { callerOfToken, findToken, mintToken, tokenView } from '../../balancer/controller/auth/tokens.ts';
import type { AdminState } from '../../balancer/intent/intent.ts';
import { extrasView } from './feed-extras.ts';
import { BUSY, FORECAST, sampleAgent, sampleCluster, sampleServices, sampleWorkers } from './sample-views.ts';
import type { Role, StoredToken } from '../../balancer/store/store.ts';
import { RecordedEvents } from './recorded-events.ts';
import { twoPoints } from './two-points.ts';
import { twoResults } from './two-results.ts';

const STARTED_AT = '2026-11-21T10:00:00.000Z';

/** One call that would change something, with the caller the API established. */
export interface RecordedCall {
  readonly what: 'change' | 'config' | 'local' | 'expect' | 'token_create' | 'token_share' | 'token_delete' | 'drill';
  readonly caller: Caller;
  readonly input: unknown;
}

/** A service `demo` with versions blue and green in clusters one and two, and a service `lonely` that nothing may empty. */
export class RecordingAppliance extends RecordedEvents implements Appliance {
  readonly calls: RecordedCall[] = [];
  /** Worker names that never acknowledge. */
  laggards: readonly string[] = [];
  degraded: readonly string[] = [];
  /** What the next change is refused with. */
  refuseWith: ApiProblem | null = null;
  brokenAudit: number | null = null;
  /** To see what streams cost. */
  statusCalls = 0;
  agentState: AgentView['state'] = 'fresh';
  localChanges: readonly LocalView[] = [];
  /** The one that begins, and is under way; null: none does. */
  drill: DrillView | null = null;
  #split: Readonly<Record<string, number>> = { blue: 100, green: 0 };
  #admin: AdminState = 'active';
  #dial = 100;
  #config = 'version: 1\n';
  readonly #revisions: RevisionView[] = [];
  readonly #tokens = new Map<string, StoredToken>();

  constructor() {
    super();
    this.#record('config', 'seeded from weir.yaml', { author: { name: 'weir', how: 'config file' }, role: 'admin' }, null);
  }

  get revision(): number {
    return this.#revisions.length;
  }
  status(role: Role): StatusView {
    this.statusCalls += 1;
    const last = this.#revisions.at(-1);
    return {
      host: 'edge-1',
      version: '0.1.0',
      at: STARTED_AT,
      startedAt: STARTED_AT,
      revision: this.revision,
      generation: 1,
      plan: this.revision,
      degraded: this.degraded,
      alerts: this.degraded.map((text) => ({ code: 'cluster_down', severity: 'problem' as const, text })),
      ...{ localChanges: 0, warnings: [] },
      ...{ workersReady: 4 - this.laggards.length, workers: 4 },
      inFlight: 3,
      headroom: 'unknown: no cluster has a known capacity',
      traffic: BUSY,
      clusters: this.clusters().items,
      services: this.services().items,
      ...{ timed: [], rollouts: [], approvals: [] },
      lastRevision: last ? { revision: last.revision, at: last.at, author: last.author.name, text: last.reason } : null,
      events: this.events(50).items,
      role,
    };
  }

  feed(): FeedView {
    return { status: this.status('read'), ...extrasView(this.status('read'), this.statusCalls) };
  }

  clusters(): ListView<ClusterView> {
    return this.#list('clusters', [
      sampleCluster('one', { admin: this.#admin, dialPercent: this.#dial }, sampleAgent('one', this.agentState)),
      sampleCluster('two', { admin: 'active', dialPercent: 100 }, sampleAgent('two', this.agentState)),
    ]);
  }

  readonly drills = (): ListView<DrillView> => this.#list('drills', this.drill === null ? [] : [this.drill]);
  beginDrill(request: DrillRequest, caller: Caller): Promise<Outcome<DrillView>> {
    this.calls.push({ what: 'drill', caller, input: request });
    if (this.drill !== null) return Promise.resolve({ ok: true, value: this.drill });
    return Promise.resolve({ ok: false, problem: { code: 'unsafe', message: 'no drill begins here' } });
  }

  local(): ListView<LocalView> {
    return this.#list('local', this.localChanges);
  }

  settleLocal(request: LocalRequest, caller: Caller): Promise<Outcome<ListView<LocalView>>> {
    this.calls.push({ what: 'local', caller, input: request });
    return Promise.resolve({ ok: true, value: this.local() });
  }

  renewals(): ListView<RenewalView> {
    return { kind: 'renewals', revision: this.revision, items: [] };
  }

  renew(): Outcome<{ readonly id: string }> {
    return { ok: false, problem: { code: 'unsafe', message: 'nothing is renewed here' } };
  }

  readonly consumers = (): ReturnType<Appliance['consumers']> => Promise.resolve(this.#list('consumers', []));
  readonly approvals = (): ReturnType<Appliance['approvals']> => Promise.resolve(this.#list('approvals', []));
  decide(id: string): Promise<Outcome<ApprovalResult>> {
    return Promise.resolve({ ok: false, problem: { code: 'not_found', message: `nothing waits as ${id}` } });
  }

  abortDrill(): Promise<Outcome<DrillView>> {
    return Promise.resolve({ ok: false, problem: { code: 'not_found', message: 'no drill is under way' } });
  }

  readonly rollouts = (): ListView<RolloutView> => this.#list('rollouts', []);
  results(service: string, { windowSeconds, baseline = 'blue' }: ResultsRequest): Outcome<ListView<ResultsView>> {
    if (service !== 'demo') return { ok: false, problem: { code: 'not_found', message: `no service named "${service}"; there is demo` } };
    return { ok: true, value: this.#list('results', [twoResults(service, windowSeconds, baseline)]) };
  }

  history = ({ series }: HistoryRequest) => ({ ok: true, value: this.#list('history', [twoPoints(series)]) }) as const;

  services(): ListView<ServiceView> {
    return this.#list('services', sampleServices(this.#split));
  }

  routes(service: string | null): ReturnType<Appliance['routes']> {
    const all = [{ name: 'all', hosts: [], path: '/', service: 'demo', traffic: BUSY }];
    return this.#list(
      'routes',
      all.filter((route) => service === null || route.service === service),
    );
  }

  readonly caches = (): ReturnType<Appliance['caches']> => this.#list('cache', []);
  edges(): ReturnType<Appliance['edges']> {
    const alone = {
      version: '0.1.0',
      servedRevision: this.revision,
      leads: true,
      skewMs: null,
      silentMs: null,
      problem: null,
      localFields: [],
    };
    const numbers = { generation: 1, plan: this.revision, revision: this.revision, workersReady: 4, workers: 4 };
    return Promise.resolve(this.#list('edges', [{ name: 'edge-1', id: 'f00d', configHash: 'ab'.repeat(32), ...numbers, ...alone }]));
  }

  workers(): ReturnType<Appliance['workers']> {
    return this.#list('workers', sampleWorkers(this.revision, this.laggards));
  }

  agents(): ListView<AgentView> {
    return this.#list('agents', [sampleAgent('one', this.agentState), sampleAgent('two', this.agentState)]);
  }

  events(limit: number): ListView<EventView> {
    return this.#list('events', this.happened.toReversed().slice(0, limit));
  }

  revisions(limit: number, before = Infinity): ListView<RevisionView> {
    const older = this.#revisions.toReversed().filter(({ revision }) => revision < before);
    return this.#list('revisions', older.slice(0, limit));
  }

  diff(from: number): ReturnType<Appliance['diff']> {
    return { ok: false, problem: { code: 'not_found', message: `there is no revision ${from}` } };
  }

  explain(): ReturnType<Appliance['explain']> {
    return Promise.resolve({ ok: false, problem: { code: 'usage', message: 'url: nothing is balanced here' } });
  }

  recall(requestId: string): ReturnType<Appliance['recall']> {
    return Promise.resolve({ ok: false, problem: { code: 'not_found', message: `no request ${requestId} was sent here` } });
  }

  change(request: ChangeRequest, caller: Caller): Promise<Outcome<ChangeResult>> {
    this.calls.push({ what: 'change', caller, input: request });
    return Promise.resolve(this.#change(request, caller));
  }

  applyConfig(text: string, dryRun: boolean, caller: Caller): Promise<Outcome<ConfigApplyResult>> {
    this.calls.push({ what: 'config', caller, input: { text, dryRun } });
    if (text.includes('bad')) {
      const problems = ['weir.yaml:2:1: unknown key "bad", did you mean "bind"?'];
      return Promise.resolve({
        ok: false,
        problem: { code: 'usage', message: 'the config has 1 problem; the one before stays', problems },
      });
    }
    const changed = text !== this.#config;
    if (changed && !dryRun) this.#config = text;
    const differences = changed ? ['services.shop: added'] : [];
    return Promise.resolve({
      ok: true,
      value: {
        revision: this.revision,
        generation: changed && !dryRun ? 2 : 1,
        changed,
        dryRun,
        differences,
        needsRestart: [],
        needsApproval: [],
        fleet: null,
      },
    });
  }

  configText(): string {
    return this.#config;
  }

  verifyAudit(): ReturnType<Appliance['verifyAudit']> {
    return Promise.resolve({ records: this.revision, intact: this.brokenAudit === null, brokenAt: this.brokenAudit });
  }

  tokens(): ListView<TokenView> {
    return this.#list(
      'tokens',
      [...this.#tokens.values()].map((token) => tokenView(token)),
    );
  }

  expect(request: ExpectationRequest, caller: Caller): Outcome<ListView<AgentView>> {
    this.calls.push({ what: 'expect', caller, input: request });
    return { ok: true, value: this.agents() };
  }

  createToken(request: TokenRequest, caller: Caller): Promise<Outcome<MadeToken>> {
    this.calls.push({ what: 'token_create', caller, input: request });
    if (this.#tokens.has(request.name)) {
      const message = `a token named ${request.name} exists; revoke it first`;
      return Promise.resolve({ ok: false, problem: { code: 'conflict', message } });
    }
    const { stored, secret } = mintToken(request, Date.parse(STARTED_AT), randomBytes);
    this.#tokens.set(request.name, stored);
    return Promise.resolve({ ok: true, value: { token: tokenView(stored), secret, ending: [], fleet: null } });
  }

  shareToken(name: string, caller: Caller): Promise<Outcome<MadeToken>> {
    this.calls.push({ what: 'token_share', caller, input: name });
    return Promise.resolve({ ok: false, problem: { code: 'usage', message: 'this host is alone' } });
  }

  revokeToken(name: string, local: boolean, caller: Caller): Promise<Outcome<RevokedToken>> {
    this.calls.push({ what: 'token_delete', caller, input: local ? { name, local } : name });
    return Promise.resolve(
      this.#tokens.delete(name)
        ? { ok: true, value: { name, fleet: null, elsewhere: false } }
        : { ok: false, problem: { code: 'not_found', message: `no token named ${name}` } },
    );
  }

  authenticate(secret: string): Caller | null {
    const token = findToken([...this.#tokens.values()], secret, Date.parse(STARTED_AT));
    return token === null ? null : callerOfToken(token);
  }

  /** A token's secret for a role. */
  secretFor(role: Role): string {
    const { stored, secret } = mintToken({ name: `${role}-token`, role, cluster: null }, Date.parse(STARTED_AT), randomBytes);
    this.#tokens.set(stored.name, stored);
    return secret;
  }

  #change(request: ChangeRequest, caller: Caller): Outcome<ChangeResult> {
    const { change, ifRevision, yes, dryRun } = request;
    if (this.refuseWith !== null) return { ok: false, problem: this.refuseWith };
    if (ifRevision !== undefined && ifRevision !== this.revision) {
      return {
        ok: false,
        problem: { code: 'conflict', message: `the intent is at revision ${this.revision}, not ${ifRevision}`, revision: this.revision },
      };
    }
    if (change.kind === 'admin' && change.state === 'maintenance' && yes !== true) {
      return {
        ok: false,
        problem: { code: 'confirm', message: 'maintenance ends 40 % of the traffic at once', question: 'Stop cluster one now?' },
      };
    }
    if ('service' in change && change.service !== 'demo') {
      return { ok: false, problem: { code: 'not_found', message: `no service named "${change.service}"; there are demo, lonely` } };
    }
    const before = this.#split;
    const after = change.kind === 'shift' ? { blue: 100 - (change.percents['green'] ?? 0), green: change.percents['green'] ?? 0 } : before;
    const previousRevision = this.revision;
    const changed = change.kind !== 'shift' || JSON.stringify(before) !== JSON.stringify(after);
    if (changed && dryRun !== true) {
      this.#split = after;
      if (change.kind === 'admin') this.#admin = change.state;
      if (change.kind === 'dial') this.#dial = change.percent;
      this.#record('operator', request.reason ?? '', caller, change.kind === 'rollout_start' ? { ...AT_ONCE, ...change } : change);
      this.emit(`revision ${this.revision} by ${caller.author.name}`, 'revision');
    }
    return { ok: true, value: this.#result(request, previousRevision, { before, after, changed }) };
  }

  #result(
    { change, dryRun = false }: ChangeRequest,
    previousRevision: number,
    split: { before: Readonly<Record<string, number>>; after: Readonly<Record<string, number>>; changed: boolean },
  ): ChangeResult {
    const shares: ShareChange[] = ['blue', 'green'].flatMap((version) =>
      ['one', 'two'].map((cluster) => {
        const before = (split.before[version] ?? 0) / 200;
        const after = (split.after[version] ?? 0) / 200;
        return {
          service: 'demo',
          version,
          cluster,
          before: { desired: before, effective: before },
          after: { desired: after, effective: after },
          reasons: ['intent'] as const,
        };
      }),
    );
    const applied = { workers: 4, acknowledged: 4 - this.laggards.length, laggards: this.laggards, tookMs: 123.4, fleet: null };
    return {
      revision: this.revision,
      previousRevision,
      changed: split.changed,
      dryRun,
      local: false,
      summary: `${change.kind} done`,
      shares: split.changed ? shares : [],
      forecast: dryRun ? FORECAST : null,
      needsApproval: [],
      refusals: [],
      applied: dryRun ? null : applied,
      undo: 'weir undo',
    };
  }

  #record(source: RevisionView['source'], reason: string, caller: Caller, change: RevisionView['change']): void {
    const revision = this.#revisions.length + 1;
    this.#revisions.push({
      revision,
      at: STARTED_AT,
      author: caller.author,
      source,
      reason,
      change,
      touched: [],
      undoes: null,
      previousHash: '00'.repeat(32),
      hash: String(revision).padStart(64, '0'),
    });
  }

  #list<T>(kind: string, items: readonly T[]): ListView<T> {
    return { kind, revision: this.revision, items };
  }
}
