// Settings of an agent that does nothing but report; a test says what is different.
import type { AgentSettings } from '../../agent/run.ts';

/** An agent with a token and nothing else; it names no hub. */
export const PLAIN_AGENT: AgentSettings = {
  ...{ hubs: [], cluster: 'eu', token: 'weir_eu', certificate: null, caFile: null, allowPlain: false },
  ...{ capacityRps: 1200, periodMs: null, lease: null, prescale: [], health: null },
};
