// What the agents of all clusters last said, and how fresh it is. Pure but for the times it is given.
import type { CapacitySnapshot } from '../../../agent/protocol.ts';
import type { AgentState, CapacityReport } from '../../steer/plan-shape.ts';
import type { AgentView } from '../api/agent-view.ts';
import { withinCeiling } from './ceiling.ts';
import { ClockSkew } from './clock-skew.ts';

/** Fresh for less than so many periods after the last report. */
const FRESH_PERIODS = 3;
/** A stale report is used until then; afterwards the agent is absent and what the config declares counts. */
const STALE_MS = 180_000;

interface Report {
  readonly snapshot: CapacitySnapshot;
  /** On the hub's monotonic clock: the agent's own time plays no part. */
  readonly receivedAtMs: number;
  readonly skew: ClockSkew;
  /** Whether what comes next must come after it: not when who said it has lost its right to speak. */
  readonly orders: boolean;
}

/** When a report came. */
export interface Arrival {
  readonly nowMs: number;
  readonly wallMs: number;
  /** Of its connection; null: not measured yet. */
  readonly roundTripMs: number | null;
}

export class AgentReports {
  readonly #ceilingRps: (cluster: string) => number | null;
  readonly #reports = new Map<string, Report>();

  /** `ceilingRps`: the most that is believed of a cluster; null: anything. */
  constructor(ceilingRps: (cluster: string) => number | null = () => null) {
    this.#ceilingRps = ceilingRps;
  }

  /** The last report of a cluster that binds the next one; null: there is none. */
  last(cluster: string): CapacitySnapshot | null {
    const report = this.#reports.get(cluster);
    return report?.orders === true ? report.snapshot : null;
  }

  accept(snapshot: CapacitySnapshot, { nowMs, wallMs, roundTripMs }: Arrival): void {
    const before = this.#reports.get(snapshot.cluster);
    const skew = before?.snapshot.bootId === snapshot.bootId ? before.skew : new ClockSkew();
    skew.add(snapshot.sentAtMs, wallMs, roundTripMs);
    this.#reports.set(snapshot.cluster, { snapshot, receivedAtMs: nowMs, skew, orders: true });
  }

  /** Who said the last report may not speak any more: what it said about order binds nobody. */
  release(cluster: string): void {
    const report = this.#reports.get(cluster);
    if (report !== undefined) this.#reports.set(cluster, { ...report, orders: false });
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
      ...(report === undefined ? {} : this.#more(cluster, report)),
    };
  }

  /** The last report of each cluster as the plan takes it, and over which time it was measured. */
  reports(nowMs: number): Readonly<Record<string, CapacityReport & { readonly periodMs: number }>> {
    return Object.fromEntries(
      [...this.#reports].map(([cluster, { snapshot, receivedAtMs }]) => {
        const report = {
          state: this.state(cluster, nowMs),
          receivedAtMs,
          periodMs: snapshot.periodMs,
          capacityRps: snapshot.capacityRps,
          utilisation: snapshot.utilisation ?? snapshot.cpuUtilisation,
          requestsPerSecond: snapshot.requestsPerSecond ?? null,
          errorsPerSecond: snapshot.errorsPerSecond ?? 0,
        };
        return [cluster, withinCeiling(report, this.#ceilingRps(cluster))];
      }),
    );
  }

  /** What is declared to the agent of a cluster. A stale report still counts: an agent that is gone is not a cluster that is gone. */
  capacityOf(cluster: string, nowMs: number): number | null {
    const snapshot = this.#reports.get(cluster)?.snapshot;
    if (snapshot === undefined || snapshot.capacityRps === null || this.state(cluster, nowMs) === 'absent') return null;
    return Math.min(snapshot.capacityRps, this.#ceilingRps(cluster) ?? Infinity);
  }

  /** The same of all clusters; one without is not named. */
  capacity(nowMs: number): Readonly<Record<string, number>> {
    const view: Record<string, number> = {};
    for (const cluster of this.#reports.keys()) {
      const capacityRps = this.capacityOf(cluster, nowMs);
      if (capacityRps !== null) view[cluster] = capacityRps;
    }
    return view;
  }

  /** What the agent claims above the ceiling; null: it stays below. */
  claimAbove(cluster: string): { readonly claimedRps: number; readonly ceilingRps: number } | null {
    const claimedRps = this.#reports.get(cluster)?.snapshot.capacityRps ?? null;
    const ceilingRps = this.#ceilingRps(cluster);
    return claimedRps !== null && ceilingRps !== null && claimedRps > ceilingRps ? { claimedRps, ceilingRps } : null;
  }

  #more(cluster: string, { snapshot, skew }: Report): Pick<AgentView, 'dialogue' | 'reported'> {
    const { protocol, epoch, utilisation, utilisationOf, growth, services, nodes, pendingPods, controlPlane, sources } = snapshot;
    const { skewMs, roundTripMs } = skew;
    return {
      dialogue: {
        protocol,
        since: epoch === undefined ? null : new Date(epoch).toISOString(),
        clockSkewMs: skewMs === null ? null : Math.round(skewMs),
        roundTripMs: roundTripMs === null ? null : Math.round(roundTripMs * 10) / 10,
        heldAtRps: this.claimAbove(cluster)?.ceilingRps ?? null,
      },
      reported: { utilisation, utilisationOf, growth, services, nodes, pendingPods, controlPlane, sources },
    };
  }
}
