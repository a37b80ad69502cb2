// An agent of a real appliance that says what the test wants, in full, five times a second.
import type { TestContext } from 'node:test';
import type { CapacitySnapshot } from '../../agent/protocol.ts';
import type { Appliance } from './appliance.ts';
import { RawAgent } from './raw-agent.ts';
import { snapshot } from './snapshot.ts';

export interface TellingAgent {
  /** From now on, and once at once: resolves with whether that report counted. */
  tell(wish: Partial<CapacitySnapshot>): Promise<boolean>;
  /** After the hub was restarted. */
  reconnect(): Promise<void>;
}

const PERIOD_MS = 200;

/** `appliance` has an address for agents. Ends with the test. */
export async function startTelling(t: TestContext, appliance: Appliance, cluster: string): Promise<TellingAgent> {
  const { stdout } = await appliance.weir('agent', 'token', cluster);
  const token = stdout.trim();
  let agent = await RawAgent.open(appliance.port('agents'), cluster, token);
  let sequence = 0;
  let told: Partial<CapacitySnapshot> = {};
  const next = (): CapacitySnapshot => snapshot({ cluster, sequence: (sequence += 1), periodMs: PERIOD_MS, ...told });
  const timer = setInterval(() => {
    if (agent.closed === null) agent.tell(next());
  }, PERIOD_MS);
  t.after(() => {
    clearInterval(timer);
    agent[Symbol.dispose]();
  });
  return {
    tell: async (wish) => {
      told = wish;
      return (await agent.say(next()))?.accepted === true;
    },
    reconnect: async () => {
      agent = await RawAgent.open(appliance.port('agents'), cluster, token);
    },
  };
}
