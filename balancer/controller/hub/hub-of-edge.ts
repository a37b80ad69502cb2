// The hub of one edge host: who may report, what is wished for, and who is told of it.
import { MOST_SERVICES, type ObservedService } from '../../../agent/protocol.ts';
import type { Edge } from '../edge.ts';
import type { AgentsOfEdge } from './agents-of-edge.ts';
import { createHub, type Hub } from './hub.ts';
import { Paced } from './paced.ts';

/** A thousand agents that come back within seconds are not a thousand plans. */
const PLAN_EVERY_MS = 200;

/** Null: the config has no address for agents. */
export function hubOf(edge: Edge, { wishes }: Pick<AgentsOfEdge, 'wishes'>): Hub | null {
  const { clock, log } = edge.options;
  const { agents, hostName } = edge.config;
  if (agents === null) return null;
  const planning = new Paced(clock, PLAN_EVERY_MS, () => edge.loop.soon());
  return createHub({
    bind: agents.bind,
    tls: agents.tls,
    host: hostName,
    verifyToken: (secret) => edge.tokens.agent(secret),
    certificateNames: (cluster) => edge.config.clusters[cluster]?.agent.certificates ?? [],
    clusters: clustersOf(edge),
    ceilingRps: (cluster) => edge.config.clusters[cluster]?.capacity?.ceilingRps ?? null,
    wishes: (cluster) => wishes.of(cluster),
    observed: (cluster) => observedOf(edge, cluster),
    clock,
    log,
    countMessage: (cluster, outcome) => edge.meter.counter('weir_agent_messages_total', [cluster, outcome]).add(1),
    countRejection: (reason) => edge.meter.counter('weir_agent_rejections_total', [reason]).add(1),
    onSnapshot: ({ cluster, endpoints }) => {
      if (endpoints !== undefined && edge.prober.discover(cluster, endpoints)) keepEndpoints(edge);
    },
    onChange: ({ code, text }) => {
      if (text !== null) edge.events.add(code, text);
      planning.ask();
    },
  });
}

/** Made once for each config: a thousand agents ask for it with every message. */
function clustersOf(edge: Edge): () => ReadonlySet<string> {
  let of: { readonly config: Edge['config']; readonly names: ReadonlySet<string> } | null = null;
  return () => {
    if (of?.config !== edge.config) of = { config: edge.config, names: new Set(Object.keys(edge.config.clusters)) };
    return of.names;
  };
}

/** Long enough for a p95, short enough to be of now. */
const OBSERVED_SECONDS = 10;

/** What this host sends a cluster, by service: its versions there together, with the slowest p95 among them. */
function observedOf(edge: Edge, cluster: string): Readonly<Record<string, ObservedService>> {
  const observed: [string, ObservedService][] = [];
  for (const { name: service, versions } of Object.values(edge.config.services)) {
    const there = versions.filter(({ placements }) => placements.some((placement) => placement.cluster === cluster));
    const figures = there.map(({ name: version }) => edge.window.figures({ of: 'target', service, version, cluster }, OBSERVED_SECONDS));
    const p95s = figures.flatMap(({ p95Ms }) => p95Ms ?? []);
    const requestsPerSecond = figures.reduce((sum, { rps }) => sum + rps, 0);
    if (there.length > 0) observed.push([service, { requestsPerSecond, p95Ms: p95s.length === 0 ? null : Math.max(...p95s) }]);
  }
  return Object.fromEntries(observed.slice(0, MOST_SERVICES));
}

/** At once, and not with the next second: a controller that comes back must know them, whatever the agent says then. */
function keepEndpoints({ health, prober, options: { log } }: Edge): void {
  try {
    health.write(prober.view());
  } catch (error) {
    log.error({ problem: error instanceof Error ? error.message : String(error) }, 'endpoints that an agent found cannot be stored');
  }
}
