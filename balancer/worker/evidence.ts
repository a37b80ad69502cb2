// What this worker has seen in real traffic: it acts on it at once and tells the controller, which tells the others.
import type { Ejection } from '../ipc.ts';
import type { Counter } from '../telemetry/meter.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { ClusterUpstream } from '../upstream/cluster-upstream.ts';
import type { ServiceTarget } from './service-steering.ts';
import type { TargetCircuit } from './target-circuit.ts';

export interface EvidenceSink {
  report(ejection: Ejection): void;
  countEjection(cluster: string, reason: 'path' | 'answers' | 'late' | 'circuit'): Counter;
}

/** Where an answer came from. */
interface Answered {
  readonly target: ServiceTarget;
  readonly endpoint: Endpoint;
  /** It came within the limit of its try. */
  readonly timely: boolean;
  /** 0: how it went shows at its end. */
  readonly result: number;
}

/** Statuses by which a version says that it is out of order. */
const OUT_OF_ORDER = new Set([502, 503, 504]);

/** Rises whenever shares must be looked at again. Read on every request, so it is one number. */
export class Evidence {
  changes = 0;
  readonly #sink: EvidenceSink;

  constructor(sink: EvidenceSink) {
    this.#sink = sink;
  }

  /** The way to an endpoint failed: connect, TLS, reset, time-out. */
  pathFailed(cluster: ClusterUpstream, endpoint: Endpoint, nowMs: number, reason: string): void {
    endpoint.observeFailure();
    const forMs = endpoint.detector.failure(nowMs);
    if (forMs === 0) return;
    cluster.refresh();
    this.changes += 1;
    this.#sink.countEjection(cluster.name, 'path').add(1);
    this.#sink.report({ kind: 'endpoint', cluster: cluster.name, endpoint: endpoint.id, forMs, reason });
  }

  /** No answer came of an attempt: what the circuit of a version counts, whoever is to blame for it on the way. */
  attemptFailed(target: ServiceTarget, nowMs: number, reason: string): void {
    if (target.circuit !== null) this.#circuitFailed(target, target.circuit, nowMs, reason);
  }

  /** Nothing came of a try in its time: where the endpoint answers others in time it is the version that does not. */
  late(target: ServiceTarget, endpoint: Endpoint, nowMs: number): void {
    const { service, version, cluster } = target;
    this.attemptFailed(target, nowMs, 'no answer in time');
    if (endpoint.detector.isEjected(nowMs)) return;
    const reason = 'no answers in time';
    if (endpoint.lateness.late(nowMs)) {
      const forMs = endpoint.detector.eject(nowMs);
      cluster.refresh();
      this.changes += 1;
      this.#sink.countEjection(cluster.name, 'late').add(1);
      this.#sink.report({ kind: 'endpoint', cluster: cluster.name, endpoint: endpoint.id, forMs, reason });
    } else if (target.lateness.late(nowMs) && !target.detector.isEjected(nowMs)) {
      const forMs = target.detector.eject(nowMs);
      this.changes += 1;
      this.#sink.countEjection(cluster.name, 'late').add(1);
      this.#sink.report({ kind: 'target', service, version, cluster: cluster.name, forMs, reason });
    }
  }

  /** The way to an endpoint is good, and a version answered on it. */
  answered({ target, endpoint, timely, result }: Answered, nowMs: number): void {
    endpoint.detector.success(nowMs);
    if (timely) {
      endpoint.lateness.timely(nowMs);
      target.lateness.timely(nowMs);
    }
    if (result !== 0) this.ended(target, nowMs, result);
  }

  /** How the answer of a version is to be judged shows. */
  ended(target: ServiceTarget, nowMs: number, result: number): void {
    if (OUT_OF_ORDER.has(result)) this.answerFailed(target, nowMs, result);
    else target.detector.success(nowMs);
    const { circuit } = target;
    if (circuit === null) return;
    if (circuit.counts(result)) this.#circuitFailed(target, circuit, nowMs, `answered ${result}`);
    else if (circuit.breaker.success(nowMs)) circuit.closed.add(1);
  }

  #circuitFailed(target: ServiceTarget, { breaker, opened }: TargetCircuit, nowMs: number, last: string): void {
    const forMs = breaker.failure(nowMs);
    if (forMs === 0) return;
    const { service, version, cluster, detector } = target;
    detector.ejectFor(nowMs, forMs);
    this.changes += 1;
    opened.add(1);
    this.#sink.countEjection(cluster.name, 'circuit').add(1);
    this.#sink.report({
      kind: 'target',
      service,
      version,
      cluster: cluster.name,
      forMs,
      reason: `the circuit opened, as too much failed; last: ${last}`,
    });
  }

  /** A version answered 502, 503 or 504 in a cluster: that says nothing of the cluster, nor of other versions. */
  answerFailed(target: ServiceTarget, nowMs: number, status: number): void {
    const forMs = target.detector.failure(nowMs);
    if (forMs === 0) return;
    this.changes += 1;
    const { service, version, cluster } = target;
    this.#sink.countEjection(cluster.name, 'answers').add(1);
    this.#sink.report({ kind: 'target', service, version, cluster: cluster.name, forMs, reason: `answered ${status}` });
  }

  /** Health or shares came from the controller. */
  renew(): void {
    this.changes += 1;
  }
}
