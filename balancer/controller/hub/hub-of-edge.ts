// The hub of one edge host: who may report, and who is told of it.
import { findToken } from '../auth/tokens.ts';
import type { Edge } from '../edge.ts';
import { createHub, type Hub } from './hub.ts';

/** Null: the config has no address for agents. */
export function hubOf(edge: Edge): Hub | null {
  const { clock, log, store } = edge.options;
  const { agents } = edge.config;
  if (agents === null) return null;
  return createHub({
    bind: agents.bind,
    tls: agents.tls,
    verifyToken: (secret) => {
      const token = findToken(store.tokens(), secret, clock.wallMs());
      return token?.role === 'agent' ? { cluster: token.cluster } : null;
    },
    clusters: () => new Set(Object.keys(edge.config.clusters)),
    clock,
    log,
    countMessage: (cluster, outcome) => edge.meter.counter('weir_agent_messages_total', [cluster, outcome]).add(1),
    countRejection: (reason) => edge.meter.counter('weir_agent_rejections_total', [reason]).add(1),
    onChange: ({ state, text }) => {
      if (text !== null) edge.events.add(`agent.${state}`, text);
      edge.loop.soon();
    },
  });
}
