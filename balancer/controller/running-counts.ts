// What runs in each cluster, as the workers of the host counted it last, and whether a cluster that is drained is empty.
import type { WorkMessage } from '../ipc-work.ts';

export interface Running {
  readonly requests: number;
  readonly tunnels: number;
}

export class RunningCounts {
  readonly #counts = new Map<string, Pick<WorkMessage, 'plan' | 'clusters'>>();
  /** Cluster → the first plan that sends nothing there. */
  #drainedSince = new Map<string, number>();

  add(worker: string, counts: Pick<WorkMessage, 'plan' | 'clusters'>): void {
    this.#counts.set(worker, counts);
  }

  /** What it carried is gone with it. */
  forget(worker: string): void {
    this.#counts.delete(worker);
  }

  of(cluster: string): Running {
    let [requests, tunnels] = [0, 0];
    for (const { clusters } of this.#counts.values()) {
      requests += clusters[cluster]?.[0] ?? 0;
      tunnels += clusters[cluster]?.[1] ?? 0;
    }
    return { requests, tunnels };
  }

  tunnelsOf(worker: string, cluster: string): number {
    return this.#counts.get(worker)?.clusters[cluster]?.[1] ?? 0;
  }

  /** Every plan: the clusters that get nothing new by it. */
  drained(clusters: readonly string[], plan: number): void {
    this.#drainedSince = new Map(clusters.map((cluster) => [cluster, this.#drainedSince.get(cluster) ?? plan]));
  }

  /**
   * Whether nothing runs there, and nothing can begin to: what was counted before a worker had the plan that drained the cluster says
   * nothing of what that worker sent there since.
   */
  isEmpty(cluster: string, workers: readonly string[]): boolean {
    const since = this.#drainedSince.get(cluster);
    if (since === undefined || workers.length === 0) return false;
    const { requests, tunnels } = this.of(cluster);
    return requests + tunnels === 0 && workers.every((worker) => (this.#counts.get(worker)?.plan ?? -1) >= since);
  }
}
