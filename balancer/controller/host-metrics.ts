// What this host tells who reads its metrics: what its processes have counted, and how it stands at that moment.
import type { ExpositionFormat } from '../telemetry/exposition.ts';
import type { Meter } from '../telemetry/meter.ts';
import type { MetricsRegistry } from '../telemetry/registry.ts';
import type { StatusView } from './api/views.ts';
import type { UsedCertificate } from './certificate-watch.ts';
import { hostGauges } from './host-gauges.ts';

/** The source of the controller's own metrics; workers are called w1, w2, … */
const CONTROLLER = 'controller';

/** What is used of the edge. */
export interface MeasuredHost {
  readonly registry: MetricsRegistry;
  readonly meter: Meter;
  readonly prober: { held(): ReadonlyMap<string, boolean> };
  readonly keeper: { readonly intent: { readonly revision: number } };
  readonly loop: { readonly number: number };
  readonly generation: number;
}

export class HostMetrics {
  readonly #edge: MeasuredHost;
  readonly #status: () => StatusView;
  readonly #certificates: () => readonly UsedCertificate[];
  #newest: StatusView | null = null;

  constructor(
    edge: MeasuredHost,
    { status, certificates }: { readonly status: () => StatusView; readonly certificates: () => readonly UsedCertificate[] },
  ) {
    this.#edge = edge;
    this.#status = status;
    this.#certificates = certificates;
  }

  /** Once a second: how the host stands. */
  tick(): StatusView {
    return (this.#newest = this.#status());
  }

  /** In pieces, each made when the one before was taken. Gauges are made when they are asked for: of thousands of places they are tens of thousands. */
  *read(format: ExpositionFormat): Generator<string, void> {
    const { registry, meter, prober } = this.#edge;
    registry.add(CONTROLLER, meter.takeDelta());
    const round = registry.round(CONTROLLER);
    for (const part of hostGauges(this.#presentStatus(), prober.held(), this.#certificates())) {
      round.add(part);
      yield '';
    }
    round.close();
    yield* registry.pieces(format);
  }

  /** Of thousands of services it takes a tenth of a second: that of this second will do, unless something has been changed since. */
  #presentStatus(): StatusView {
    const { keeper, loop, generation } = this.#edge;
    const newest = this.#newest;
    const holds = newest?.revision === keeper.intent.revision && newest.plan === loop.number && newest.generation === generation;
    return newest !== null && holds ? newest : this.tick();
  }
}
