// The places of one version for what goes there whatever the split says: those that the plan has open, less those that this worker has ejected.
import { NOWHERE } from '../steer/keyed-split.ts';
import type { PlanTarget } from '../steer/plan-shape.ts';
import { SplitChooser } from '../steer/split.ts';
import type { ServiceTarget, SteeringEnvironment } from './service-steering.ts';

export class VersionPlaces {
  readonly version: string;
  readonly #targets: readonly ServiceTarget[];
  readonly #chooser: SplitChooser;
  readonly #environment: SteeringEnvironment;

  constructor(version: string, all: readonly ServiceTarget[], environment: SteeringEnvironment) {
    this.version = version;
    this.#targets = all.filter((target) => target.version === version);
    this.#environment = environment;
    this.#chooser = new SplitChooser(
      this.#targets.map(() => 0),
      environment.random,
      environment.stratum,
    );
  }

  /** `planned`: in the order of the service's targets. */
  update(planned: readonly (PlanTarget | undefined)[]): void {
    const { nowMs } = this.#environment.deadlines;
    this.#chooser.setWeights(
      this.#targets.map(({ index, cluster, detector }) =>
        cluster.available && !detector.isEjected(nowMs) ? (planned[index]?.within ?? 0) : 0,
      ),
    );
  }

  /** The index of the next target among all of the service; NOWHERE: there is none. */
  next(): number {
    return this.#targets[this.#chooser.next()]?.index ?? NOWHERE;
  }
}
