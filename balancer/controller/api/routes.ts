// Every route of the admin API in one table: method, path, the role it needs, what it takes, what it does.
import { isCallerChange } from '../../intent/callers.ts';
import type { Role } from '../../store/store.ts';
import { roleAllows } from '../auth/tokens.ts';
import type { Appliance, Caller, Outcome } from '../appliance.ts';
import type { Decoder, Decoded } from './decode.ts';
import { type Origin, identifyLocal } from './identify.ts';
import { type Failure, failure, usageFailure } from './problem.ts';
import * as accept from './schemas.ts';
import type { ListView, QuotaView } from './views.ts';

/** A request as a route sees it: caller known, parts still to be decoded by the route's own decoders. */
export interface RouteCall {
  readonly appliance: Appliance;
  readonly caller: Caller;
  readonly origin: Origin;
  /** The last element of the path, where the route has one. */
  readonly name: string;
  readonly query: unknown;
  readonly body: unknown;
}

export type Answer =
  | { readonly kind: 'json'; readonly value: unknown; readonly status?: number }
  | { readonly kind: 'yaml'; readonly text: string }
  | { readonly kind: 'status_stream' }
  | { readonly kind: 'event_stream'; readonly backlog: number }
  | { readonly kind: 'failure'; readonly failure: Failure };

export interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly role: Role;
  /** Largest body; 0: none is read. */
  readonly maxBodyBytes: number;
  readonly handle: (call: RouteCall) => Answer | Promise<Answer>;
}

const MAX_JSON_BYTES = 64 * 1024;
export const MAX_CONFIG_BYTES = 4 * 1024 * 1024;
/** One document for dashboards, and what changes of it, as a WebSocket: no answer to a request, so that the server itself has its handler. */
export const FEED_ROUTE = { method: 'GET', path: '/v1/feed', role: 'read' } as const;

/** A list kind: how its items are read, and what `/v1/<kind>/<name>` compares. */
interface ListKind<T> {
  readonly kind: string;
  /** Absent: whoever may look. */
  readonly role?: Role;
  readonly read: (appliance: Appliance) => ListView<T> | Promise<ListView<T>>;
  readonly nameOf: (item: T) => string;
}

const read = (path: string, handle: Route['handle']): Route => ({ method: 'GET', path, role: 'read', maxBodyBytes: 0, handle });

export const ROUTES: readonly Route[] = [
  read('/v1/status', (call) => taking(accept.decodeNoQuery, call.query, () => json(call.appliance.status(call.caller.role)))),
  ...listRoutes({ kind: 'clusters', read: (appliance) => appliance.clusters(), nameOf: (item) => item.name }),
  ...listRoutes({ kind: 'services', read: (appliance) => appliance.services(), nameOf: (item) => item.name }),
  read('/v1/routes', (call) => taking(accept.decodeRoutesQuery, call.query, ({ service = null }) => json(call.appliance.routes(service)))),
  oneOf({ kind: 'routes', read: (appliance) => appliance.routes(null), nameOf: (item) => item.name }),
  ...listRoutes({ kind: 'cache', read: (appliance) => appliance.caches(), nameOf: (item) => item.route }),
  ...listRoutes({ kind: 'rollouts', read: (appliance) => appliance.rollouts(), nameOf: (item) => item.service }),
  ...listRoutes({ kind: 'drills', read: (appliance) => appliance.drills(), nameOf: (item) => String(item.id) }),
  { method: 'POST', path: '/v1/drills', role: 'operate', maxBodyBytes: MAX_JSON_BYTES, handle: beginDrill },
  { method: 'DELETE', path: '/v1/drills/:name', role: 'operate', maxBodyBytes: 0, handle: abortDrill },
  ...listRoutes({ kind: 'local', read: (appliance) => appliance.local(), nameOf: (item) => String(item.local) }),
  { method: 'POST', path: '/v1/local', role: 'operate', maxBodyBytes: MAX_JSON_BYTES, handle: settleLocal },
  ...listRoutes({ kind: 'renewals', read: (appliance) => appliance.renewals(), nameOf: (item) => item.id }),
  { method: 'POST', path: '/v1/renewals', role: 'admin', maxBodyBytes: MAX_JSON_BYTES, handle: renew },
  ...listRoutes({ kind: 'edges', read: (appliance) => appliance.edges(), nameOf: (item) => item.name }),
  ...listRoutes({ kind: 'consumers', read: (appliance) => appliance.consumers(), nameOf: (item) => item.name }),
  ...listRoutes({ kind: 'quotas', read: quotasOf, nameOf: (item) => item.consumer }),
  ...listRoutes({ kind: 'workers', read: (appliance) => appliance.workers(), nameOf: (item) => item.name }),
  ...listRoutes({ kind: 'agents', read: (appliance) => appliance.agents(), nameOf: (item) => item.cluster }),
  read('/v1/events', (call) => taking(accept.decodeLimit, call.query, ({ limit }) => json(call.appliance.events(limit)))),
  read('/v1/events/follow', (call) => taking(accept.decodeBacklog, call.query, ({ backlog }) => ({ kind: 'event_stream', backlog }))),
  read('/v1/revisions', (call) =>
    taking(accept.decodeRevisionsQuery, call.query, ({ limit, before }) => json(call.appliance.revisions(limit, before))),
  ),
  read('/v1/diff', (call) => taking(accept.decodeDiffQuery, call.query, ({ from, to }) => outcome(call.appliance.diff(from, to)))),
  read('/v1/results/:name', ({ appliance, name, query }) =>
    taking(accept.decodeResultsQuery, query, (asked) => outcome(appliance.results(name, asked))),
  ),
  read('/v1/history/metrics', (call) => taking(accept.decodeHistoryQuery, call.query, (asked) => outcome(call.appliance.history(asked)))),
  read('/v1/revisions/:name', oneRevision),
  read('/v1/watch', (call) => taking(accept.decodeNoQuery, call.query, () => ({ kind: 'status_stream' }))),
  read('/v1/audit/verify', (call) => taking(accept.decodeNoQuery, call.query, async () => json(await call.appliance.verifyAudit()))),
  read('/v1/config', (call) => taking(accept.decodeNoQuery, call.query, () => ({ kind: 'yaml', text: call.appliance.configText() }))),
  { method: 'POST', path: '/v1/config', role: 'admin', maxBodyBytes: MAX_CONFIG_BYTES, handle: applyConfig },
  { method: 'POST', path: '/v1/changes', role: 'operate', maxBodyBytes: MAX_JSON_BYTES, handle: change },
  ...listRoutes({ kind: 'approvals', read: (appliance) => appliance.approvals(), nameOf: (item) => item.id }),
  { method: 'POST', path: '/v1/approvals/:name', role: 'operate', maxBodyBytes: MAX_JSON_BYTES, handle: decide },
  { method: 'POST', path: '/v1/explain', role: 'read', maxBodyBytes: MAX_JSON_BYTES, handle: explain },
  { method: 'POST', path: '/v1/explain/request', role: 'read', maxBodyBytes: MAX_JSON_BYTES, handle: recall },
  { method: 'POST', path: '/v1/expectations', role: 'operate', maxBodyBytes: MAX_JSON_BYTES, handle: expect },
  ...listRoutes({ kind: 'tokens', role: 'admin', read: (appliance) => appliance.tokens(), nameOf: (item) => item.name }),
  { method: 'POST', path: '/v1/tokens', role: 'admin', maxBodyBytes: MAX_JSON_BYTES, handle: createToken },
  { method: 'DELETE', path: '/v1/tokens/:name', role: 'admin', maxBodyBytes: 0, handle: revokeToken },
  { method: 'POST', path: '/v1/tokens/share/:name', role: 'admin', maxBodyBytes: MAX_JSON_BYTES, handle: shareToken },
];

async function change({ appliance, caller, origin, body }: RouteCall): Promise<Answer> {
  const decoded = accept.decodeChangeRequest(body);
  if (!decoded.ok) return refused(decoded.message);
  const { claims, change: asked } = decoded.value;
  if (isCallerChange(asked) && !roleAllows(caller.role, 'admin'))
    return {
      kind: 'failure',
      failure: failure({ code: 'forbidden', message: `${caller.author.name} has role ${caller.role}; who may call is for role admin` }),
    };
  if (claims === undefined) return outcome(await appliance.change(decoded.value, caller));
  if (origin === 'network')
    return refused('body.claims: only a caller on the unix socket may give itself a name; yours is that of the token');
  const local = identifyLocal(claims);
  return local.ok ? outcome(await appliance.change(decoded.value, local.caller)) : { kind: 'failure', failure: local.failure };
}

async function settleLocal({ appliance, caller, body }: RouteCall): Promise<Answer> {
  const decoded = accept.decodeLocalRequest(body);
  return decoded.ok ? outcome(await appliance.settleLocal(decoded.value, caller)) : refused(decoded.message);
}

async function decide({ appliance, caller, name, body }: RouteCall): Promise<Answer> {
  const decoded = accept.decodeApprovalRequest(body);
  return decoded.ok ? outcome(await appliance.decide(name, decoded.value, caller)) : refused(decoded.message);
}

async function beginDrill({ appliance, caller, body }: RouteCall): Promise<Answer> {
  const decoded = accept.decodeDrillRequest(body);
  if (!decoded.ok) return refused(decoded.message);
  return outcome(await appliance.beginDrill(decoded.value, caller), 201);
}

async function abortDrill({ appliance, caller, name }: RouteCall): Promise<Answer> {
  return outcome(await appliance.abortDrill(Number(name), caller));
}

function renew({ appliance, caller, body }: RouteCall): Answer {
  const decoded = accept.decodeRenewalRequest(body);
  return decoded.ok ? outcome(appliance.renew(decoded.value, caller), 202) : refused(decoded.message);
}

async function applyConfig({ appliance, caller, query, body }: RouteCall): Promise<Answer> {
  const decoded = accept.decodeDryRun(query);
  if (!decoded.ok) return refused(decoded.message);
  if (typeof body !== 'string') return refused('body: expected the config as text, with content-type application/yaml');
  return outcome(await appliance.applyConfig(body, decoded.value.dryRun, caller));
}

/** A body, since header fields may carry secrets and addresses are logged. */
async function explain({ appliance, body }: RouteCall): Promise<Answer> {
  const decoded = accept.decodeExplainRequest(body);
  return decoded.ok ? outcome(await appliance.explain(decoded.value)) : refused(decoded.message);
}

async function recall({ appliance, body }: RouteCall): Promise<Answer> {
  const decoded = accept.decodeRecallRequest(body);
  return decoded.ok ? outcome(await appliance.recall(decoded.value.requestId)) : refused(decoded.message);
}

async function quotasOf(appliance: Appliance): Promise<ListView<QuotaView>> {
  const { revision, items } = await appliance.consumers();
  return { kind: 'quotas', revision, items: items.flatMap(({ quotas }) => quotas) };
}

function expect({ appliance, caller, body }: RouteCall): Answer {
  const decoded = accept.decodeExpectationRequest(body);
  return decoded.ok ? outcome(appliance.expect(decoded.value, caller)) : refused(decoded.message);
}

async function createToken({ appliance, caller, body }: RouteCall): Promise<Answer> {
  const decoded = accept.decodeTokenRequest(body);
  return decoded.ok ? outcome(await appliance.createToken(decoded.value, caller), 201) : refused(decoded.message);
}

async function shareToken({ appliance, caller, name }: RouteCall): Promise<Answer> {
  return outcome(await appliance.shareToken(name, caller), 201);
}

async function revokeToken({ appliance, caller, name, query }: RouteCall): Promise<Answer> {
  const decoded = accept.decodeLocalQuery(query);
  return decoded.ok ? outcome(await appliance.revokeToken(name, decoded.value.local, caller)) : refused(decoded.message);
}

function listRoutes<T>(list: ListKind<T>): readonly Route[] {
  return [
    read(`/v1/${list.kind}`, (call) => taking(accept.decodeNoQuery, call.query, async () => json(await list.read(call.appliance)))),
    oneOf(list),
  ].map((route) => ({ ...route, role: list.role ?? route.role }));
}

function oneOf<T>(list: ListKind<T>): Route {
  return read(`/v1/${list.kind}/:name`, (call) => taking(accept.decodeNoQuery, call.query, () => one(list, call)));
}

async function one<T>(list: ListKind<T>, { appliance, name }: RouteCall): Promise<Answer> {
  const all = await list.read(appliance);
  const items = all.items.filter((item) => list.nameOf(item) === name);
  return items.length > 0 ? json({ ...all, items }) : notFound(list.kind, name, all.items.map(list.nameOf));
}

/** Revisions are numbered without gaps, so the distance to the newest is how far back to read. */
function oneRevision({ appliance, name }: RouteCall): Answer {
  const wanted = /^\d{1,15}$/.test(name) ? Number(name) : 0;
  if (wanted < 1) return refused(`revisions are whole numbers from 1, got ${JSON.stringify(name)}`);
  const newest = appliance.revisions(1).items[0]?.revision ?? 0;
  const all = wanted <= newest ? appliance.revisions(newest - wanted + 1) : appliance.revisions(1);
  const items = all.items.filter((item) => item.revision === wanted);
  if (items.length > 0) return json({ ...all, items });
  return { kind: 'failure', failure: failure({ code: 'not_found', message: `no revision ${wanted}; the newest is ${newest}` }) };
}

const MAX_NAMES_SHOWN = 20;

function notFound(kind: string, name: string, names: readonly string[]): Answer {
  const known = names.length === 0 ? 'there are none' : `there are ${names.slice(0, MAX_NAMES_SHOWN).join(', ')}`;
  const more = names.length > MAX_NAMES_SHOWN ? ` and ${names.length - MAX_NAMES_SHOWN} more` : '';
  const message = `no ${kind.replace(/s$/, '')} named ${JSON.stringify(name)}; ${known}${more}`;
  return { kind: 'failure', failure: failure({ code: 'not_found', message }) };
}

function taking<T>(decode: Decoder<T>, input: unknown, use: (value: T) => Answer | Promise<Answer>): Answer | Promise<Answer> {
  const decoded: Decoded<T> = decode(input);
  return decoded.ok ? use(decoded.value) : refused(decoded.message);
}

function json(value: unknown): Answer {
  return { kind: 'json', value };
}

function refused(message: string): Answer {
  return { kind: 'failure', failure: usageFailure(message) };
}

function outcome(result: Outcome<unknown>, status = 200): Answer {
  return result.ok ? { kind: 'json', value: result.value, status } : { kind: 'failure', failure: failure(result.problem) };
}
