// The immutable set of objects a worker serves with, built from one config; what lives longer (connections, counters) is carried over.
import type { Random } from '../../health/clock.ts';
import type { Deadlines } from '../../health/deadlines.ts';
import type { Config, PriorityClass, RouteConfig } from '../config/config.ts';
import type { Clock } from '../../health/clock.ts';
import { Issuers } from '../filter/authenticate/issuers.ts';
import { concealingSessions } from '../filter/login/login.ts';
import { SignIns } from '../filter/login/sign-ins.ts';
import { Consumers } from '../filter/authenticate/consumers.ts';
import type { ExchangeEnd, Filter, FilterEnvironment } from '../filter/filter.ts';
import { FILTERS } from '../filter/registry.ts';
import { RouteStores } from '../filter/cache/route-stores.ts';
import type { ClientRegions } from '../locate/client-regions.ts';
import type { CanonicalRequest } from '../message/request.ts';
import { routerInSteps, type RoutableRequest, type Router } from '../route/router.ts';
import { agreesOn, settlePath, type Settled } from '../route/settle-path.ts';
import type { Plan } from '../steer/plan-shape.ts';
import type { Stratum } from '../steer/split.ts';
import type { Counter, Meter } from '../telemetry/meter.ts';
import type { QueueOutcome } from '../upstream/admission.ts';
import { ClusterUpstream, sameConnections } from '../upstream/cluster-upstream.ts';
import type { TlsSources } from '../upstream/upstream-tls.ts';
import type { Evidence } from './evidence.ts';
import type { PinKey } from '../steer/pins.ts';
import { ServiceSteering, type ServiceTarget } from './service-steering.ts';
import type { SharedEnvironment } from './shared-with-host.ts';
import { AnswerStats, type WorkerCounters } from './stats.ts';

/** Routes of a listener that passes bytes on ask for nothing but a host. */
const ANY_REQUEST: RoutableRequest = { host: '', path: '/', query: '', method: '', fields: [] };

/** By listener. */
export type Routers = ReadonlyMap<string, Router>;

/** The routers of a config in steps; thousands of routes take longer than a request should wait. */
export function* routersInSteps({ listeners, routes }: Config): Generator<undefined, Routers> {
  const routers = new Map<string, Router>();
  for (const { name, protocol } of listeners) routers.set(name, yield* routerInSteps(routes, name, protocol));
  return routers;
}

export interface GenerationEnvironment extends TlsSources, SharedEnvironment {
  readonly deadlines: Deadlines;
  readonly random: Random;
  readonly evidence: Evidence;
  readonly stratum?: Stratum;
  readonly meter: Meter;
  readonly pinKey: PinKey;
  /** Null: nothing asks where clients are, or the config does not say. */
  readonly clientRegions: ClientRegions | null;
  readonly clock: Clock;
  /** Null: it is not where the reference says. */
  readonly readSecret: FilterEnvironment['readSecret'];
}

/** A route with all it needs; filters a route does not use are not there at all. */
export class RouteRuntime {
  readonly config: RouteConfig;
  readonly service: ServiceSteering;
  /** Only for clients that have proved who they are. */
  readonly needsCertificate: boolean;
  readonly onRequest: readonly Filter[];
  /** What may answer from what it has stored; null: nothing does. */
  readonly memory: Filter | null;
  /** In reverse order. */
  readonly onResponse: readonly Filter[];
  readonly onEnd: readonly Filter[];
  readonly onRequestBody: readonly Filter[];
  /** In reverse order. */
  readonly onResponseBody: readonly Filter[];
  /** Whether what is answered from memory goes past filters besides the one that answers, head or body. */
  readonly changesRecalled: boolean;
  /** Fields of requests that filters alone say something in. */
  readonly ownFields: ReadonlySet<string>;
  readonly #meter: Meter;
  readonly #stats: AnswerStats[] = [];
  #local: AnswerStats | null = null;
  #unheard: RouteRuntime | null = null;
  /** Bytes from and to clients. */
  readonly received: Counter;
  readonly sent: Counter;

  constructor(config: RouteConfig, service: ServiceSteering, filters: readonly Filter[], meter: Meter) {
    this.config = config;
    this.service = service;
    this.needsCertificate = config.clientCertificate === 'required';
    this.onRequest = filters.filter(({ onRequest }) => onRequest !== undefined);
    this.memory = filters.find(({ recall }) => recall !== undefined) ?? null;
    this.onResponse = filters.filter(({ onResponse }) => onResponse !== undefined).reverse();
    this.onEnd = filters.filter(({ onEnd }) => onEnd !== undefined).reverse();
    this.onRequestBody = filters.filter(({ onRequestBody }) => onRequestBody !== undefined);
    this.onResponseBody = filters.filter(({ onResponseBody }) => onResponseBody !== undefined).reverse();
    this.changesRecalled = [...this.onResponse, ...this.onResponseBody].some((filter) => filter !== this.memory);
    this.ownFields = new Set(filters.flatMap(({ ownFields = [] }) => ownFields.map((name) => name.replaceAll('_', '-'))));
    this.#meter = meter;
    this.received = meter.counter('weir_received_bytes_total', [service.config.name]);
    this.sent = meter.counter('weir_sent_bytes_total', [service.config.name]);
  }

  /** Null: weir answered itself. */
  statsOf(target: ServiceTarget | null): AnswerStats {
    const labels = { route: this.config.name, service: this.service.config.name };
    if (target === null) return (this.#local ??= new AnswerStats(this.#meter, { ...labels, version: '', cluster: '' }));
    return (this.#stats[target.index] ??= new AnswerStats(this.#meter, {
      ...labels,
      version: target.version,
      cluster: target.cluster.name,
    }));
  }

  /** Every filter hears of the end, whatever another one does; each that throws is counted. */
  tellEnd(request: CanonicalRequest, end: ExchangeEnd, counters: WorkerCounters): void {
    for (const filter of this.onEnd) {
      try {
        filter.onEnd?.(request, end);
      } catch {
        counters.exception(request.listener, 'end');
      }
    }
  }

  /** The same for requests of weir's own that no client waits for: of the filters only the one that makes them sees them. */
  get unheard(): RouteRuntime {
    return (this.#unheard ??= new RouteRuntime(this.config, this.service, this.memory === null ? [] : [this.memory], this.#meter));
  }

  countBytes(received: number, sent: number): void {
    if (received > 0) this.received.add(received);
    if (sent > 0) this.sent.add(sent);
  }
}

export interface NumberedConfig {
  readonly number: number;
  readonly config: Config;
}

export class Generation {
  readonly number: number;
  readonly config: Config;
  readonly clusters: ReadonlyMap<string, ClusterUpstream>;
  readonly services: ReadonlyMap<string, ServiceSteering>;
  /** Null: nothing asks where clients are, or the config does not say. */
  readonly clientRegions: ClientRegions | null;
  readonly issuers: Issuers;
  readonly consumers: Consumers;
  readonly stores: RouteStores;
  /** The priority class of all routes; null: they differ, so that only its route tells that of a request. */
  readonly onlyClass: PriorityClass | null;
  readonly #routers: Routers;
  readonly #meter: Meter;
  readonly #filterEnvironment: OfAllRoutes;
  /** Keeps sessions of one route from the clusters of others; null: there are none. */
  readonly #concealing: (route: RouteConfig) => Filter | null;
  /** By the index of the route. Those without filters are made by their first request: most of thousands have none in a generation's life. */
  readonly #routes: (RouteRuntime | null)[];

  /** Throws an Error that teaches when the config cannot be served here (an authority's file cannot be read). Starts nothing. */
  constructor(numbered: NumberedConfig, routers: Routers, environment: GenerationEnvironment, previous: Generation | null) {
    const [first] = numbered.config.routes;
    const same = numbered.config.routes.every(({ priorityClass }) => priorityClass === first?.priorityClass);
    this.onlyClass = same ? (first?.priorityClass ?? null) : null;
    const { config } = numbered;
    this.number = numbered.number;
    this.config = config;
    this.#meter = environment.meter;
    this.#routers = routers;
    this.clusters = clustersOf(config, environment, previous);
    const clusters = { upstreams: this.clusters, configs: config.clusters };
    this.clientRegions = environment.clientRegions;
    this.services = new Map(
      Object.values(config.services).map((service) => [
        service.name,
        new ServiceSteering(service, clusters, environment, previous?.services.get(service.name) ?? null),
      ]),
    );
    const { clock, random, readSecret, meter } = environment;
    this.issuers = new Issuers(Object.values(config.issuers), environment, previous?.issuers ?? null);
    this.consumers = Consumers.of(config, readSecret);
    this.stores = new RouteStores(previous?.stores ?? null, environment);
    this.#filterEnvironment = {
      clock,
      random,
      readSecret,
      meter,
      issuers: this.issuers,
      limits: config.limits,
      placeOf: (address) => environment.clientRegions?.place(address) ?? null,
      allowances: environment.allowances,
      slots: environment.slots,
      flights: environment.flights,
      sessionEnds: environment.sessionEnds,
      oneTimeUses: environment.oneTimeUses,
      stores: this.stores,
      consumers: this.consumers,
    };
    this.#concealing = concealingSessions(config);
    this.#routes = config.routes.map((route) => (route.filters.length > 0 ? this.#make(route) : null));
    this.stores.settle();
  }

  /** Null: no route matches. */
  match(request: CanonicalRequest): RouteRuntime | null {
    return this.#route(this.#routers.get(request.listener)?.match(request) ?? -1);
  }

  /** The route of a connection that is passed through; `serverName` empty: it names none. Null: no route matches. */
  matchConnection(listener: string, serverName: string): RouteRuntime | null {
    return this.#route(this.#routers.get(listener)?.match({ ...ANY_REQUEST, host: serverName }) ?? -1);
  }

  /** As `match`, for a path that can be read in more than one way; writes the path that goes on into the request. */
  settle(request: CanonicalRequest): { readonly settled: Settled; readonly route: RouteRuntime | null } {
    const router = this.#routers.get(request.listener);
    const settled = settlePath(
      request,
      (reading) => router?.match(reading) ?? -1,
      (index) => this.config.routes[index]?.paths,
    );
    return { settled, route: settled.kind === 'ambiguous' ? null : this.#route(settled.index) };
  }

  /** Whether the request has this route by every method that some origin takes it for. */
  agrees(request: CanonicalRequest, route: RouteRuntime | null): boolean {
    return agreesOn(request, (reading) => this.match(reading) === route);
  }

  applyPlan(plan: Plan): void {
    if (plan.purges !== undefined) this.stores.purge(plan.purges);
    if (plan.callers !== undefined) this.consumers.setStored(plan.callers);
    for (const [name, cluster] of this.clusters) cluster.applyHealth(plan.health.clusters[name]);
    for (const service of Object.values(plan.services)) this.services.get(service.service)?.applyPlan(service);
  }

  /** Lets go of what `next` did not take over; of everything when there is no next. */
  retire(next: Generation | null): void {
    this.stores.retire(next?.stores ?? null);
    const kept = new Set([...(next?.clusters.values() ?? [])].flatMap(({ endpoints }) => endpoints));
    for (const cluster of this.clusters.values()) for (const endpoint of cluster.endpoints) if (!kept.has(endpoint)) endpoint.retire();
  }

  #route(index: number): RouteRuntime | null {
    const made = this.#routes[index];
    if (made !== null) return made ?? null;
    const route = this.config.routes[index];
    return route === undefined ? null : (this.#routes[index] = this.#make(route));
  }

  #make(route: RouteConfig): RouteRuntime {
    const service = this.services.get(route.service);
    if (service === undefined) throw new Error(`route ${route.name}: service "${route.service}" is not configured`);
    return new RouteRuntime(route, service, filtersOf(route, this.#filterEnvironment, this.#concealing(route)), this.#meter);
  }
}

function clustersOf(config: Config, environment: GenerationEnvironment, previous: Generation | null): Map<string, ClusterUpstream> {
  const clusterEnvironment = {
    ...environment,
    countConnection: (cluster: string) => environment.meter.counter('weir_upstream_connections_total', [cluster]).add(1),
    countQueued: (cluster: string, outcome: QueueOutcome) =>
      environment.meter.counter('weir_upstream_queue_total', [cluster, outcome]).add(1),
    workers: config.workers,
  };
  return new Map(
    Object.values(config.clusters).map((cluster) => {
      const before = previous?.config.clusters[cluster.name];
      const kept = before !== undefined && sameConnections(before, cluster) ? (previous?.clusters.get(cluster.name) ?? null) : null;
      return [cluster.name, new ClusterUpstream(cluster, clusterEnvironment, kept)];
    }),
  );
}

/** What filters of all routes are made with. */
type OfAllRoutes = Omit<FilterEnvironment, 'route' | 'openStore' | 'stores' | 'signIns'> & { readonly stores: RouteStores };

/** In the order of the registry, whatever the file's order. */
function filtersOf(route: RouteConfig, environment: OfAllRoutes, concealing: Filter | null): readonly Filter[] {
  // First, so that no other filter shows the session to anybody.
  const made: Filter[] = concealing === null ? [] : [concealing];
  const own = {
    route: route.name,
    openStore: (maxBytes: number) => environment.stores.of(route, maxBytes),
    signIns: new SignIns(route.filters),
  };
  for (const definition of FILTERS)
    for (const { name, options } of route.filters)
      if (name === definition.name) made.push(definition.create(options, { ...environment, ...own }));
  return made;
}
