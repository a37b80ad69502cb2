// What one edge host has to do with agents: their tokens, what is wished for of the clusters, and the hub.
import type { Edge } from '../edge.ts';
import { AgentTokens } from './agent-tokens.ts';
import { drainedOf } from './drained.ts';
import { hubOf } from './hub-of-edge.ts';
import type { Hub } from './hub.ts';
import { WishList } from './wish-list.ts';

export class AgentsOfEdge {
  readonly tokens: AgentTokens;
  readonly wishes: WishList;
  /** Null: the config has no address for agents. */
  readonly hub: Hub | null;

  constructor(edge: Edge) {
    const { store, clock } = edge.options;
    this.tokens = new AgentTokens({ read: () => store.tokens(), wallMs: () => clock.wallMs() });
    this.wishes = new WishList(store, clock, (cluster) => drainedOf(edge.intent, cluster));
    this.hub = hubOf(edge, this);
  }
}
