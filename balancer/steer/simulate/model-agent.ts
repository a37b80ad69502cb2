// An agent of the model and its way to one host: reports come late, overtake each other, get lost, or are not true.
import type { Random } from '../../../health/clock.ts';
import type { AgentState, CapacityReport } from '../plan-shape.ts';
import type { Agenda } from './agenda.ts';
import type { SimulatedCluster } from './model-cluster.ts';
import { type AgentModel, faultNow, type Lie, type Scenario } from './scenario.ts';

/** As the hub counts freshness. */
const FRESH_PERIODS = 3;
const STALE_MS = 180_000;

export interface Message {
  readonly sequence: number;
  readonly capacityRps: number | null;
  readonly utilisation: number;
  readonly requestsPerSecond: number | null;
  readonly errorsPerSecond: number;
}

const LIES: Readonly<Record<Lie, Partial<Message>>> = {
  zero: { utilisation: 0, requestsPerSecond: 1000 },
  nan: { utilisation: NaN, requestsPerSecond: NaN, capacityRps: NaN },
  negative: { utilisation: -1, requestsPerSecond: -100, capacityRps: -5 },
  huge: { utilisation: 0.1, requestsPerSecond: 1e9, capacityRps: 1e9 },
  tiny: { utilisation: 100, requestsPerSecond: 1 },
};

/** Sends what the cluster measures to every host, each over a way of its own. */
export function startAgent(
  cluster: SimulatedCluster,
  agent: AgentModel,
  hosts: readonly ((cluster: string, message: Message) => void)[],
  world: { readonly scenario: Scenario; readonly agenda: Agenda; readonly random: Random },
): void {
  const { scenario, agenda, random } = world;
  let sequence = 0;
  agenda.after(random() * agent.periodMs, () =>
    agenda.every(agent.periodMs, () => {
      const measured = cluster.measure(agenda.nowMs, random());
      if (faultNow(scenario, 'agent_lost', cluster.name, agenda.nowMs) !== null) return;
      sequence += 1;
      const lie = faultNow(scenario, 'agent_lies', cluster.name, agenda.nowMs);
      const message: Message = {
        sequence,
        capacityRps: agent.capacityRps,
        utilisation: measured.utilisation,
        requestsPerSecond: agent.counts ? measured.requestsPerSecond : null,
        errorsPerSecond: measured.errorsPerSecond,
        ...(lie === null ? {} : LIES[lie.lie]),
      };
      const [least, most] = agent.delayMs;
      for (const tell of hosts)
        if (random() >= agent.loss) agenda.after(least + random() * (most - least), () => tell(cluster.name, message));
    }),
  );
}

/** What a host keeps of the reports of one cluster. */
export class Inbox {
  readonly #periodMs: number;
  #last: { readonly message: Message; readonly receivedAtMs: number } | null = null;

  constructor(periodMs: number) {
    this.#periodMs = periodMs;
  }

  /** One that was overtaken is dropped. */
  receive(message: Message, nowMs: number): void {
    if (this.#last === null || message.sequence > this.#last.message.sequence) this.#last = { message, receivedAtMs: nowMs };
  }

  report(nowMs: number): CapacityReport | null {
    if (this.#last === null) return null;
    const { message, receivedAtMs } = this.#last;
    const { capacityRps, utilisation, requestsPerSecond, errorsPerSecond } = message;
    return { state: this.#state(nowMs - receivedAtMs), receivedAtMs, capacityRps, utilisation, requestsPerSecond, errorsPerSecond };
  }

  #state(ageMs: number): AgentState {
    if (ageMs < FRESH_PERIODS * this.#periodMs) return 'fresh';
    return ageMs <= STALE_MS ? 'stale' : 'absent';
  }
}
