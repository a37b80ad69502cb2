// The admin API as commands and the dashboard see it. The only importer of undici in the terminal.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type * as Undici from 'undici';
import type { Dispatcher, Pool } from 'undici';
import type {
  AgentView,
  ApiProblem,
  ApprovalRequest,
  ApprovalResult,
  AuditVerification,
  ChangeRequest,
  ChangeResult,
  ConfigApplyResult,
  DrillRequest,
  DrillView,
  EventView,
  ExpectationRequest,
  ExplainRequest,
  ExplainView,
  FieldDifference,
  ListView,
  LocalRequest,
  LocalView,
  MadeToken,
  RememberedRequest,
  RenewalRequest,
  ResultsView,
  RevokedToken,
  StatusView,
  TokenRequest,
} from '../balancer/controller/api/views.ts';
import type { HistoryRequest, HistorySeriesView } from '../balancer/controller/api/history-view.ts';
import { type FeedAddress, FeedUnopened, openFeedSocket } from './client-feed.ts';
import { CommandFailure, EXIT, ProblemFailure } from './exit.ts';
import type { ContextSettings } from './contexts.ts';
import type { ListOptions } from './list-options.ts';
import { CONNECT_TIMEOUT_MS, NOT_SENT, UNCERTAIN } from './network-words.ts';
import type { FoundServer } from './server.ts';

/** What `GET /v1/<kind>` lists. */
export type ListKind =
  | 'clusters'
  | 'services'
  | 'routes'
  | 'cache'
  | 'edges'
  | 'workers'
  | 'agents'
  | 'rollouts'
  | 'drills'
  | 'local'
  | 'renewals'
  | 'consumers'
  | 'quotas'
  | 'approvals'
  | 'tokens'
  | 'events'
  | 'revisions';

/** A state of the feed's document that the reader has. */
export interface FeedPosition {
  readonly epoch: string;
  readonly number: number;
}

/**
 * Every method throws CommandFailure: exit code 3 when the appliance cannot be reached, ProblemFailure when it refuses.
 * The streams end without an error when `signal` aborts or the appliance ends them.
 */
export interface AdminClient {
  /** Where it is, as a person would say it: `unix:/var/lib/weir/admin.sock`, `https://edge-1:7070`. */
  readonly where: string;
  /** How it is to be handled; null: no context says where it is. */
  readonly context: ContextSettings | null;
  status(): Promise<StatusView>;
  list<T>(kind: ListKind, options?: ListOptions): Promise<ListView<T>>;
  /** The versions of a service side by side. */
  results(service: string, asked: { readonly windowSeconds: number; readonly baseline: string | null }): Promise<ListView<ResultsView>>;
  /** Figures over time, as the host has kept them. */
  history(request: HistoryRequest): Promise<ListView<HistorySeriesView>>;
  /** Null: the present one. */
  diff(from: number, to: number | null): Promise<ListView<FieldDifference>>;
  change(request: ChangeRequest): Promise<ChangeResult>;
  /** The way of a request that is not sent. */
  explain(request: ExplainRequest): Promise<ListView<ExplainView>>;
  /** What became of a recent request. */
  recall(requestId: string): Promise<ListView<RememberedRequest>>;
  /** A status once a second and at once on an event, until `signal` aborts or the appliance goes away. */
  watch(signal: AbortSignal): AsyncIterable<StatusView>;
  /** Messages of the feed (`FeedMessage` of the API), from the state that is named; falls to `watch` where the appliance has no feed. */
  feed(signal: AbortSignal, from: FeedPosition | null): AsyncIterable<unknown>;
  /** The last `backlog` events, oldest first, then every one as it happens. */
  followEvents(signal: AbortSignal, backlog?: number): AsyncIterable<EventView>;
  configText(): Promise<string>;
  applyConfig(text: string, dryRun: boolean): Promise<ConfigApplyResult>;
  verifyAudit(): Promise<AuditVerification>;
  createToken(request: TokenRequest): Promise<MadeToken>;
  /** One of the host alone becomes one of its fleet. */
  shareToken(name: string): Promise<MadeToken>;
  /** Tells the agent of a cluster what will come. */
  expect(request: ExpectationRequest): Promise<ListView<AgentView>>;
  revokeToken(name: string, local: boolean): Promise<RevokedToken>;
  /** Begins one; `list('renewals')` tells what becomes of it. */
  renew(request: RenewalRequest): Promise<{ readonly id: string }>;
  /** Merges or discards what the host holds against its fleet. */
  settleLocal(request: LocalRequest): Promise<ListView<LocalView>>;
  beginDrill(request: DrillRequest): Promise<DrillView>;
  abortDrill(id: string): Promise<DrillView>;
  /** Makes or drops what waits for a second person. */
  decide(id: string, request: ApprovalRequest): Promise<ApprovalResult>;
  close(): Promise<void>;
}

const ANSWER_TIMEOUT_MS = 15_000;
/** A change waits for the workers to acknowledge, a config for all of them to build a generation. */
const CHANGE_TIMEOUT_MS = 60_000;
/** A record takes a fraction of a millisecond, and there may be hundreds of thousands. */
const VERIFY_TIMEOUT_MS = 600_000;
/** Both streams say something at least every 5 s. */
const STREAM_SILENCE_MS = 15_000;
/** More than a fleet's status needs; a peer that sends this without a line end is no weir. */
const MAX_LINE_LENGTH = 32 * 1024 * 1024;
/** A watch, an event stream and a few requests at once, as the dashboard has them. */
const CONNECTIONS = 6;

/** `claims`: the name a caller on the unix socket gives itself. */
export function createAdminClient(server: FoundServer, claims: string): AdminClient {
  return new HttpAdminClient(server, claims);
}

/** Loaded with the first client: most of the start of a command that asks nobody anything. */
const loadUndici = (): typeof Undici => createRequire(import.meta.url)('undici') as typeof Undici;

interface Call {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly body?: { readonly type: string; readonly text: string };
  readonly timeoutMs?: number;
}

class HttpAdminClient implements AdminClient {
  readonly where: string;
  readonly context: ContextSettings | null;
  readonly #server: FoundServer;
  readonly #pool: Pool;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(server: FoundServer, claims: string) {
    const { address } = server;
    this.#server = server;
    this.context = server.context;
    this.where = address.kind === 'socket' ? `unix:${address.path}` : address.url.origin;
    const options = { connections: CONNECTIONS, headersTimeout: ANSWER_TIMEOUT_MS, bodyTimeout: ANSWER_TIMEOUT_MS };
    const timeout = { timeout: CONNECT_TIMEOUT_MS };
    const undici = loadUndici();
    if (address.kind === 'socket') {
      this.#pool = new undici.Pool('http://localhost', { ...options, connect: { ...timeout, socketPath: address.path } });
      this.#headers = { 'weir-claims': claims };
    } else {
      const ca = address.caFile === null ? {} : { ca: readFileSync(address.caFile) };
      this.#pool = new undici.Pool(address.url.origin, { ...options, connect: { ...timeout, ...ca } });
      this.#headers = address.token === null ? {} : { authorization: `Bearer ${address.token}` };
    }
  }

  status(): Promise<StatusView> {
    return this.#json({ method: 'GET', path: '/v1/status' });
  }

  list<T>(kind: ListKind, options: ListOptions = {}): Promise<ListView<T>> {
    const name = options.name === undefined ? '' : `/${encodeURIComponent(options.name)}`;
    const before = options.before === undefined ? '' : `&before=${options.before}`;
    const limit = options.limit === undefined ? '' : `?limit=${options.limit}${before}`;
    const of = options.service === undefined ? '' : `?service=${encodeURIComponent(options.service)}`;
    return this.#json({ method: 'GET', path: `/v1/${kind}${name}${limit}${of}` });
  }

  results(
    service: string,
    { windowSeconds, baseline }: { readonly windowSeconds: number; readonly baseline: string | null },
  ): Promise<ListView<ResultsView>> {
    const against = baseline === null ? '' : `&baseline=${encodeURIComponent(baseline)}`;
    return this.#json({ method: 'GET', path: `/v1/results/${encodeURIComponent(service)}?windowSeconds=${windowSeconds}${against}` });
  }

  history(request: HistoryRequest): Promise<ListView<HistorySeriesView>> {
    const query = new URLSearchParams(Object.entries(request).map(([name, value]): [string, string] => [name, String(value)]));
    return this.#json({ method: 'GET', path: `/v1/history/metrics?${query.toString()}` });
  }

  diff(from: number, to: number | null): Promise<ListView<FieldDifference>> {
    return this.#json({ method: 'GET', path: `/v1/diff?from=${from}${to === null ? '' : `&to=${to}`}` });
  }

  change(request: ChangeRequest): Promise<ChangeResult> {
    return this.#json({ ...post('/v1/changes', request), timeoutMs: CHANGE_TIMEOUT_MS });
  }

  explain(request: ExplainRequest): Promise<ListView<ExplainView>> {
    return this.#json(post('/v1/explain', request));
  }

  recall(requestId: string): Promise<ListView<RememberedRequest>> {
    return this.#json(post('/v1/explain/request', { requestId }));
  }

  watch(signal: AbortSignal): AsyncIterable<StatusView> {
    return this.#stream('/v1/watch', signal);
  }

  async *feed(signal: AbortSignal, from: FeedPosition | null): AsyncGenerator {
    const path = `/v1/feed${from === null ? '' : `?epoch=${encodeURIComponent(from.epoch)}&number=${from.number}`}`;
    try {
      for await (const text of openFeedSocket(this.#feedAddress(), path, signal)) yield this.#parse(text);
    } catch (error) {
      if (!(error instanceof FeedUnopened)) throw error;
      // A handshake that fails does not say why; an answer to a request does. One that is well means an appliance without a feed.
      await this.status();
      for await (const status of this.watch(signal)) yield { type: 'status', status };
    }
  }

  followEvents(signal: AbortSignal, backlog = 0): AsyncIterable<EventView> {
    return this.#stream(`/v1/events/follow?backlog=${backlog}`, signal);
  }

  async configText(): Promise<string> {
    return this.#text({ method: 'GET', path: '/v1/config' });
  }

  applyConfig(text: string, dryRun: boolean): Promise<ConfigApplyResult> {
    const body = { type: 'application/yaml', text };
    return this.#json({ method: 'POST', path: `/v1/config?dryRun=${dryRun}`, body, timeoutMs: CHANGE_TIMEOUT_MS });
  }

  verifyAudit(): Promise<AuditVerification> {
    return this.#json({ method: 'GET', path: '/v1/audit/verify', timeoutMs: VERIFY_TIMEOUT_MS });
  }

  createToken(request: TokenRequest): Promise<MadeToken> {
    return this.#json({ ...post('/v1/tokens', request), timeoutMs: CHANGE_TIMEOUT_MS });
  }

  shareToken(name: string): Promise<MadeToken> {
    return this.#json({ ...post(`/v1/tokens/share/${encodeURIComponent(name)}`, {}), timeoutMs: CHANGE_TIMEOUT_MS });
  }

  expect(request: ExpectationRequest): Promise<ListView<AgentView>> {
    return this.#json(post('/v1/expectations', request));
  }

  revokeToken(name: string, local: boolean): Promise<RevokedToken> {
    const path = `/v1/tokens/${encodeURIComponent(name)}${local ? '?local=true' : ''}`;
    return this.#json({ method: 'DELETE', path, timeoutMs: CHANGE_TIMEOUT_MS });
  }

  renew(request: RenewalRequest): Promise<{ readonly id: string }> {
    return this.#json(post('/v1/renewals', request));
  }

  settleLocal(request: LocalRequest): Promise<ListView<LocalView>> {
    return this.#json({ ...post('/v1/local', request), timeoutMs: CHANGE_TIMEOUT_MS });
  }

  beginDrill(request: DrillRequest): Promise<DrillView> {
    return this.#json({ ...post('/v1/drills', request), timeoutMs: CHANGE_TIMEOUT_MS });
  }

  abortDrill(id: string): Promise<DrillView> {
    return this.#json({ method: 'DELETE', path: `/v1/drills/${encodeURIComponent(id)}`, timeoutMs: CHANGE_TIMEOUT_MS });
  }

  decide(id: string, request: ApprovalRequest): Promise<ApprovalResult> {
    return this.#json({ ...post(`/v1/approvals/${encodeURIComponent(id)}`, request), timeoutMs: CHANGE_TIMEOUT_MS });
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  #feedAddress(): FeedAddress {
    const { address } = this.#server;
    const headers = this.#headers;
    if (address.kind === 'socket') return { origin: 'http://localhost', socketPath: address.path, ca: null, headers };
    return { origin: address.url.origin, socketPath: null, ca: address.caFile === null ? null : readFileSync(address.caFile), headers };
  }

  /** The decoding border: what a server of our own API version answers is trusted to have the shape of views.ts. */
  async #json<T>(call: Call): Promise<T> {
    return this.#parse(await this.#text(call)) as T;
  }

  async #text(call: Call): Promise<string> {
    const timeout = call.timeoutMs ?? ANSWER_TIMEOUT_MS;
    const response = await this.#send(call, { headersTimeout: timeout, bodyTimeout: timeout });
    try {
      const text = await response.body.text();
      if (response.statusCode >= 400) throw this.#refusal(response.statusCode, text);
      return text;
    } catch (error) {
      throw this.#failure(error, call);
    }
  }

  async *#stream<T>(path: string, signal: AbortSignal): AsyncGenerator<T> {
    const call: Call = { method: 'GET', path };
    try {
      const response = await this.#send(call, { headersTimeout: ANSWER_TIMEOUT_MS, bodyTimeout: STREAM_SILENCE_MS, signal });
      if (response.statusCode >= 400) throw this.#refusal(response.statusCode, await response.body.text());
      for await (const line of linesOf(response.body)) yield this.#parse(line) as T;
    } catch (error) {
      if (signal.aborted) return;
      throw this.#failure(error, call);
    }
  }

  /** Previews are no changes, and are asked for with the same method. */
  #refuseToChange({ method, path, body }: Call): void {
    if (this.context?.readOnly !== true || method === 'GET' || path.startsWith('/v1/explain')) return;
    if (path.includes('dryRun=true') || body?.text.includes('"dryRun":true') === true) return;
    const { name } = this.context;
    const how = `\`weir context add ${name} --writable\` takes that back`;
    throw new CommandFailure(EXIT.notAllowed, `the context ${name} is read-only, so nothing is changed through it; ${how}`);
  }

  async #send(call: Call, options: Partial<Dispatcher.RequestOptions>): Promise<Dispatcher.ResponseData> {
    this.#refuseToChange(call);
    const type: Record<string, string> = call.body === undefined ? {} : { 'content-type': call.body.type };
    try {
      return await this.#pool.request({
        ...options,
        method: call.method,
        path: call.path,
        headers: { ...this.#headers, ...type },
        body: call.body?.text ?? null,
      });
    } catch (error) {
      throw this.#failure(error, call);
    }
  }

  #parse(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch {
      throw new CommandFailure(EXIT.unreachable, `${this.where} (${this.#server.source}) does not speak the admin API of weir`);
    }
  }

  #refusal(status: number, text: string): CommandFailure {
    const problem = this.#parse(text);
    if (isProblem(problem)) return new ProblemFailure(problem);
    return new CommandFailure(
      EXIT.unreachable,
      `${this.where} (${this.#server.source}) answered ${status} and does not speak the admin API of weir`,
    );
  }

  #failure(error: unknown, call: Call): Error {
    if (error instanceof CommandFailure) return error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const unsent = NOT_SENT[code];
    if (unsent !== undefined) return new CommandFailure(EXIT.unreachable, this.#unreachable(unsent), { cause: error });
    const reason = UNCERTAIN[code] ?? (error instanceof Error ? error.message : String(error));
    const change = call.method === 'GET' ? '' : '. What was asked may or may not have been done: `weir history` tells';
    const timedOut = code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT';
    return new CommandFailure(timedOut ? EXIT.timedOut : EXIT.unreachable, `${this.where}: ${reason}${change}`, { cause: error });
  }

  #unreachable(reason: string): string {
    const elsewhere = '--server unix:PATH, --server https://HOST:PORT, or WEIR_SERVER';
    const lines = [`cannot reach weir at ${this.where} (from ${this.#server.source}): ${reason}`];
    lines.push(`Is it running? \`weir serve -c weir.yaml\` starts it. Another place is given by ${elsewhere}.`);
    return lines.join('\n');
  }
}

function post(path: string, value: unknown): Call {
  return { method: 'POST', path, body: { type: 'application/json', text: JSON.stringify(value) } };
}

function isProblem(value: unknown): value is ApiProblem {
  return typeof value === 'object' && value !== null && 'code' in value && 'message' in value && typeof value.message === 'string';
}

/** Non-empty lines of a body; empty ones are heartbeats. */
async function* linesOf(body: AsyncIterable<unknown>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    if (chunk instanceof Uint8Array) rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE_LENGTH) throw new CommandFailure(EXIT.failed, 'the appliance sent a line of more than 32 MiB');
    for (const line of lines) if (line !== '') yield line;
  }
}
