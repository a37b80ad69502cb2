// The way of a request that is not sent, worked out from the config and the plan that workers serve with, by the code they serve with.
import type { Config, ListenerConfig, RouteConfig } from '../config/config.ts';
import { ERRORS, type ErrorCode } from '../errors.ts';
import { FILTERS } from '../filter/registry.ts';
import type { CanonicalRequest } from '../message/request.ts';
import { fittingRoutes, matchText, nearestRoutes, type Asked } from '../route/explain-route.ts';
import { agreesOn, settlePath } from '../route/settle-path.ts';
import type { EndpointView } from './api/views.ts';
import type { ExplainedRequest, ExplainedRoute, ExplainRequest, ExplainView } from './api/explain-view.ts';
import { ExplainLookups, type Lookups, type LookupSources } from './explain-lookups.ts';
import { explainService, type ServiceFacts } from './explain-service.ts';
import { poseRequest } from './explain-request.ts';

/** What is served now. */
export interface ExplainFacts extends Omit<ServiceFacts, 'config' | 'plan' | 'regionOf' | 'passedThrough'> {
  readonly config: Config;
  readonly endpoints: (cluster: string) => readonly EndpointView[];
}

export type Explained = { readonly ok: true; readonly value: ExplainView } | { readonly ok: false; readonly message: string };

export class Explainer {
  readonly #facts: () => ExplainFacts;
  readonly #lookups: ExplainLookups;

  constructor(facts: () => ExplainFacts, sources: LookupSources) {
    this.#facts = facts;
    this.#lookups = new ExplainLookups(sources);
  }

  async explain(asked: ExplainRequest): Promise<Explained> {
    const facts = this.#facts();
    const posed = poseRequest(facts.config, asked);
    if (!posed.ok) return posed;
    const { listener, request, notes } = posed.value;
    const empty = { listener: listener.name, request: null, route: null, otherRoutes: [], service: null, notes };
    const passes = listener.protocol !== 'http';
    if (!passes && typeof request === 'string') return { ok: true, value: { ...empty, ...refused(request) } };
    const way = new Way(facts, listener, await this.#lookups.of(facts.config, listener));
    if (typeof request === 'string' || passes) return { ok: true, value: way.passed({ request, notes }) };
    return { ok: true, value: way.routed({ request, notes }) };
  }
}

/** From one listener on, by what is served now. */
class Way {
  readonly #facts: ExplainFacts;
  readonly #listener: ListenerConfig;
  readonly #lookups: Lookups;

  constructor(facts: ExplainFacts, listener: ListenerConfig, lookups: Lookups) {
    this.#facts = facts;
    this.#listener = listener;
    this.#lookups = lookups;
  }

  routed({ request, notes }: Readable): ExplainView {
    const { config } = this.#facts;
    const listener = this.#listener;
    const { router } = this.#lookups;
    const settled = settlePath(
      request,
      (reading) => router.match(reading),
      (index) => config.routes[index]?.paths,
    );
    const base = { listener: listener.name, request: requestView(request), service: null, notes };
    if (settled.kind === 'ambiguous') return { ...base, ...refused('ambiguous_path'), route: null, otherRoutes: [] };
    if (!agreesOn(request, (reading) => router.match(reading) === settled.index))
      return { ...base, ...refused('ambiguous_method'), route: null, otherRoutes: [] };
    const asked = { listener: listener.name, protocol: listener.protocol, request };
    const route = config.routes[settled.index];
    if (route === undefined) return { ...base, ...noRoute(config, asked), route: null };
    const { own, otherRoutes } = order(config, route, asked);
    const found = { ...base, route: own, otherRoutes };
    if (settled.kind === 'redirect')
      return { ...found, outcome: 'redirected', answer: { status: 307, code: 'redirect', text: `to ${settled.path}` } };
    if (route.clientCertificate === 'required') notes.push('the route asks for a certificate of the client: one is taken for given');
    if (route.filters.length > 0) notes.push('filters are not run: one may answer itself, or write the field that a key is read from');
    return { ...found, ...this.#steered(route, request) };
  }

  /** A connection is steered by its server name alone. */
  passed({ request, notes }: Passing): ExplainView {
    const { config } = this.#facts;
    const listener = this.#listener;
    const host = typeof request === 'string' ? '' : request.host;
    const anything = { host, path: '/', query: '', method: '', fields: [] };
    const asked = { listener: listener.name, protocol: listener.protocol, request: anything };
    const route = config.routes[this.#lookups.router.match(anything)];
    notes.push(`${listener.name} passes connections through: only their server name and address count`);
    const base = { listener: listener.name, request: typeof request === 'string' ? null : requestView(request), service: null, notes };
    if (route === undefined || typeof request === 'string') return { ...base, ...noRoute(config, asked), route: null };
    const { own, otherRoutes } = order(config, route, asked);
    const plain = { ...request, ...anything, fields: [] };
    return { ...base, route: own, otherRoutes, ...this.#steered(route, plain) };
  }

  #steered(route: RouteConfig, request: CanonicalRequest): Pick<ExplainView, 'outcome' | 'answer' | 'service'> {
    const facts = this.#facts;
    const config = facts.config.services[route.service];
    const plan = facts.planned.plan.services[route.service];
    if (config === undefined || plan === undefined) return { ...refused('no_cluster'), service: null };
    const service = explainService(
      {
        ...facts,
        config,
        plan,
        passedThrough: request.method === '',
        regionOf: (client) => this.#lookups.clientRegions?.find(client) ?? null,
      },
      route.priorityClass,
      request,
    );
    const nowhere = service.candidates.every(({ probability }) => probability === 0);
    if (!nowhere) return { outcome: 'steered', answer: null, service };
    return { ...refused(service.refusedShare === 1 ? 'overloaded' : 'no_cluster'), service };
  }
}

interface Readable {
  readonly request: CanonicalRequest;
  readonly notes: string[];
}

interface Passing {
  readonly request: CanonicalRequest | ErrorCode;
  readonly notes: string[];
}

function refused(code: ErrorCode): Pick<ExplainView, 'outcome' | 'answer'> {
  const { status, title } = ERRORS[code];
  return { outcome: 'refused', answer: { status, code, text: title } };
}

function noRoute({ routes }: Config, asked: Asked): Pick<ExplainView, 'outcome' | 'answer' | 'otherRoutes'> {
  return { ...refused('route_not_found'), otherRoutes: nearestRoutes(routes, asked) };
}

function order(config: Config, route: RouteConfig, asked: Asked): { readonly own: ExplainedRoute } & Pick<ExplainView, 'otherRoutes'> {
  const [first, ...otherRoutes] = fittingRoutes(config.routes, asked);
  const used = new Set(route.filters.map(({ name }) => name));
  const own = {
    name: route.name,
    match: matchText(route.match),
    because: first?.because ?? '',
    priorityClass: route.priorityClass,
    clientCertificate: route.clientCertificate,
    filters: FILTERS.flatMap(({ name }) => (used.has(name) ? [name] : [])),
  };
  return { own, otherRoutes };
}

function requestView({ method, scheme, host, path, query, clientAddress, peerTrusted }: CanonicalRequest): ExplainedRequest {
  return { method, scheme, host, path, query, clientAddress, peerTrusted };
}
