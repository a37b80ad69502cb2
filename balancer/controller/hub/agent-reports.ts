// What the agents of all clusters last said, and how fresh it is. Pure but for the times it is given.
import type { CapacitySnapshot } from '../../../agent/protocol.ts';
import type { AgentState, CapacityReport } from '../../steer/plan-shape.ts';
import type { AgentView } from '../api/views.ts';

/** Fresh for less than so many periods after the last report. */
const FRESH_PERIODS = 3;
/** A stale report is used until then; afterwards the agent is absent and what the config declares counts. */
const STALE_MS = 180_000;

interface Report {
  readonly snapshot: CapacitySnapshot;
  /** On the hub's monotonic clock: the agent's own time plays no part. */
  readonly receivedAtMs: number;
}

export class AgentReports {
  readonly #reports = new Map<string, Report>();

  /** The last report of a cluster; null: there was none. */
  last(cluster: string): CapacitySnapshot | null {
    return this.#reports.get(cluster)?.snapshot ?? null;
  }

  accept(snapshot: CapacitySnapshot, nowMs: number): void {
    this.#reports.set(snapshot.cluster, { snapshot, receivedAtMs: nowMs });
  }

  forget(cluster: string): void {
    this.#reports.delete(cluster);
  }

  get clusters(): readonly string[] {
    return [...this.#reports.keys()];
  }

  state(cluster: string, nowMs: number): AgentState {
    const report = this.#reports.get(cluster);
    if (report === undefined) return 'absent';
    const ageMs = nowMs - report.receivedAtMs;
    if (ageMs < FRESH_PERIODS * report.snapshot.periodMs) return 'fresh';
    return ageMs <= STALE_MS ? 'stale' : 'absent';
  }

  view(cluster: string, nowMs: number): Omit<AgentView, 'connected'> {
    const report = this.#reports.get(cluster);
    return {
      cluster,
      state: this.state(cluster, nowMs),
      ageMs: report === undefined ? null : Math.round(nowMs - report.receivedAtMs),
      capacityRps: report?.snapshot.capacityRps ?? null,
      cpuUtilisation: report?.snapshot.cpuUtilisation ?? null,
      memoryUtilisation: report?.snapshot.memoryUtilisation ?? null,
      agentVersion: report?.snapshot.agentVersion ?? null,
    };
  }

  /** The last report of each cluster as the plan takes it, and over which time it was measured. */
  reports(nowMs: number): Readonly<Record<string, CapacityReport & { readonly periodMs: number }>> {
    return Object.fromEntries(
      [...this.#reports].map(([cluster, { snapshot, receivedAtMs }]) => [
        cluster,
        {
          state: this.state(cluster, nowMs),
          receivedAtMs,
          periodMs: snapshot.periodMs,
          capacityRps: snapshot.capacityRps,
          utilisation: snapshot.cpuUtilisation,
          requestsPerSecond: snapshot.requestsPerSecond ?? null,
          errorsPerSecond: snapshot.errorsPerSecond ?? 0,
        },
      ]),
    );
  }

  /** What is declared to agents. A stale report still counts: an agent that is gone is not a cluster that is gone. */
  capacity(nowMs: number): Readonly<Record<string, number>> {
    const view: Record<string, number> = {};
    for (const [cluster, { snapshot }] of this.#reports) {
      if (snapshot.capacityRps !== null && this.state(cluster, nowMs) !== 'absent') view[cluster] = snapshot.capacityRps;
    }
    return view;
  }
}
