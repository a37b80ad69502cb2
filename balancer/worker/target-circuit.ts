// The circuit of a version in a cluster, as a worker keeps it: the breaker, what counts as failed, and what is told of it.
import { Circuit } from '../../health/circuit.ts';
import type { Random } from '../../health/clock.ts';
import type { CircuitConfig } from '../config/circuit-config.ts';
import type { Counter, Meter } from '../telemetry/meter.ts';

export class TargetCircuit {
  readonly breaker: Circuit;
  readonly opened: Counter;
  readonly closed: Counter;
  /** Requests that went elsewhere, or nowhere, because too few trials were left. */
  readonly turnedAway: Counter;
  readonly #statuses: CircuitConfig['statuses'];

  /** `labels`: service, version, cluster. */
  constructor(config: CircuitConfig, labels: readonly string[], meter: Meter, random: Random) {
    this.breaker = new Circuit(config, random);
    this.#statuses = config.statuses;
    this.opened = meter.counter('weir_circuit_changes_total', [...labels, 'open']);
    this.closed = meter.counter('weir_circuit_changes_total', [...labels, 'closed']);
    this.turnedAway = meter.counter('weir_circuit_turned_away_total', labels);
  }

  /** Whether an answer with this status has failed. */
  counts(status: number): boolean {
    for (const { from, to } of this.#statuses) if (status >= from && status <= to) return true;
    return false;
  }

  /** Whether the next request may go there. */
  admits(nowMs: number): boolean {
    if (this.breaker.admits(nowMs)) return true;
    this.turnedAway.add(1);
    return false;
  }
}
