// What runs in each cluster, over all generations of a worker: the requests and the tunnels that a drain waits for.
import type { WorkCounts } from '../ipc-work.ts';
import type { Tunnel } from './tunnel.ts';

/** One object for a cluster, whatever generation looks at it. */
export interface ClusterWork {
  /** Attempts that are not over; a tunnel is one. */
  attempts: number;
}

export class RunningWork {
  readonly #clusters = new Map<string, ClusterWork>();

  of(cluster: string): ClusterWork {
    let work = this.#clusters.get(cluster);
    if (work === undefined) this.#clusters.set(cluster, (work = { attempts: 0 }));
    return work;
  }

  /** Of clusters in which anything runs. */
  counts(tunnels: Iterable<Tunnel>): Readonly<Record<string, WorkCounts>> {
    const joined = new Map<string, number>();
    for (const { cluster } of tunnels) joined.set(cluster, (joined.get(cluster) ?? 0) + 1);
    const counts: Record<string, WorkCounts> = {};
    for (const [cluster, { attempts }] of this.#clusters) {
      const open = joined.get(cluster) ?? 0;
      if (attempts > 0 || open > 0) counts[cluster] = [Math.max(0, attempts - open), open];
    }
    return counts;
  }
}
