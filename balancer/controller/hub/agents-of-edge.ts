// What one edge host has to do with agents: their tokens, what is wished for of the clusters, and the hub.
import type { CapacityReport, CapacityView } from '../../steer/plan-shape.ts';
import { PrescaleDriver } from '../driver/prescale.ts';
import type { Edge } from '../edge.ts';
import { withinCeiling } from './ceiling.ts';
import { intentNow } from '../intent-now.ts';
import { drainedOf } from './drained.ts';
import { hubOf } from './hub-of-edge.ts';
import type { Hub } from './hub.ts';
import { WishList } from './wish-list.ts';

export class AgentsOfEdge {
  readonly wishes: WishList;
  /** Tells agents what changes will bring. */
  readonly prescale: PrescaleDriver;
  /** Null: the config has no address for agents. */
  readonly hub: Hub | null;

  readonly #edge: Edge;

  constructor(edge: Edge) {
    const { store, clock } = edge.options;
    this.#edge = edge;
    this.wishes = new WishList(store, clock, (cluster) => drainedOf(intentNow(edge), cluster));
    this.prescale = new PrescaleDriver(edge, this.wishes);
    this.hub = hubOf(edge, this);
  }

  /** What agents report. Where the config says that this host sends a cluster all it gets, with what it sent in the same time. */
  capacity(): CapacityView {
    const { config, window } = this.#edge;
    const reports: Record<string, CapacityReport> = {};
    for (const [name, { periodMs, ...report }] of Object.entries(this.hub?.reports() ?? {})) {
      const cluster = config.clusters[name];
      if (cluster === undefined) continue;
      const learns = report.requestsPerSecond === null && cluster.capacity?.learn === true;
      const sent = learns ? window.figures({ of: 'cluster', cluster: name }, Math.ceil(periodMs / 1000)) : null;
      const whole = sent === null ? report : { ...report, requestsPerSecond: sent.rps, errorsPerSecond: sent.rps * sent.errorRatio };
      reports[name] = withinCeiling(whole, cluster.capacity?.ceilingRps ?? null);
    }
    return reports;
  }
}
