// Watches clusters that are drained: tells when one is empty, and closes the tunnels that are left when its deadline has passed, at a pace that the
// places which take them over can bear. The deadline is in the intent; what is closing now is asked of the workers every second.
import { clusterLoads } from '../cluster-shares.ts';
import type { Edge } from '../edge.ts';
import { fleetWallMs } from '../fleet/fleet-time.ts';
import { intentNow } from '../intent-now.ts';

/** A connection that comes back costs several requests: TLS, authentication, what it has to load. */
const PART_OF_FREE = 0.1;
/** Where nobody knows what is free. */
const UNKNOWN_PER_SECOND = 20;

export class DrainDriver {
  readonly #edge: Edge;
  /** Clusters whose tunnels are being closed. */
  readonly #closing = new Set<string>();
  /** Clusters that were told to be empty. */
  readonly #empty = new Set<string>();

  constructor(edge: Edge) {
    this.#edge = edge;
  }

  /** With every plan: nothing is closed any more as soon as a cluster is restored. */
  tick(): void {
    const { config, loop, running } = this.#edge;
    const intent = intentNow(this.#edge);
    const drained = Object.keys(config.clusters).filter((name) => (intent.clusters[name]?.admin ?? 'active') !== 'active');
    running.drained(drained, loop.number);
    for (const name of [...this.#closing]) if (!this.#isDue(name)) this.#stop(name);
    for (const name of drained) if (this.#isDue(name)) this.#close(name);
    this.#tellEmpty(drained);
  }

  #isDue(cluster: string): boolean {
    const { admin = 'active', tunnels } = intentNow(this.#edge).clusters[cluster] ?? {};
    return admin !== 'active' && tunnels !== undefined && Date.parse(tunnels.at) <= fleetWallMs(this.#edge);
  }

  #stop(cluster: string): void {
    this.#closing.delete(cluster);
    for (const { name } of this.#edge.links.workers()) this.#edge.links.tell(name, { type: 'close_tunnels', cluster, perSecond: 0 });
  }

  /** Each worker gets the part of the pace that its tunnels are of all. */
  #close(cluster: string): void {
    const { links, running, events } = this.#edge;
    const { tunnels } = running.of(cluster);
    if (tunnels === 0) return;
    const perSecond = intentNow(this.#edge).clusters[cluster]?.tunnels?.perSecond ?? this.#bearable(cluster);
    if (!this.#closing.has(cluster)) {
      const pace = `about ${Math.round(perSecond * 10) / 10} a second`;
      events.add('controller.drained', `the deadline of ${cluster} has passed: its ${tunnels} tunnels are closed, ${pace}`);
    }
    this.#closing.add(cluster);
    for (const { name } of links.workers()) {
      const own = running.tunnelsOf(name, cluster);
      if (own > 0) links.tell(name, { type: 'close_tunnels', cluster, perSecond: (perSecond * own) / tunnels });
    }
  }

  /** A tenth of the requests a second that those have free which run the same services. */
  #bearable(drained: string): number {
    const { config, prober, loop } = this.#edge;
    const intent = intentNow(this.#edge);
    const { plan, standings } = loop.planned;
    const loads = clusterLoads(plan, this.#edge.demand());
    const places = Object.values(config.services).map(({ versions }) =>
      versions.flatMap(({ placements }) => placements.map(({ cluster }) => cluster)),
    );
    const receivers = new Set(places.filter((clusters) => clusters.includes(drained)).flat());
    const health = prober.view().clusters;
    let free: number | null = null;
    for (const name of receivers) {
      const { admin = 'active', dialPercent = 100 } = intent.clusters[name] ?? {};
      const capacityRps = standings[name]?.capacityRps ?? null;
      if (name === drained || admin !== 'active' || health[name]?.state === 'down' || capacityRps === null) continue;
      free = (free ?? 0) + Math.max(0, (capacityRps * dialPercent) / 100 - (loads.get(name) ?? 0));
    }
    return free === null ? UNKNOWN_PER_SECOND : Math.max(1, free * PART_OF_FREE);
  }

  #tellEmpty(drained: readonly string[]): void {
    const { events } = this.#edge;
    for (const name of [...this.#empty]) if (!drained.includes(name)) this.#empty.delete(name);
    for (const name of drained) {
      if (this.#empty.has(name) || !this.#edge.isEmpty(name)) continue;
      this.#empty.add(name);
      events.add('controller.drained', `nothing runs in ${name} any more`);
    }
  }
}
