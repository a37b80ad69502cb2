// Rollouts under a virtual clock: the counters, the evidence, the gates and the decisions of the controller, asked by made-up requests.
import { ServiceOutcomes } from '../../balancer/controller/driver/outcomes.ts';
import type { RolloutIntent } from '../../balancer/intent/rollout.ts';
import { Trial, type Decision } from '../../balancer/rollout/trial.ts';
import { seededRandom } from '../../balancer/steer/simulate/seeded-random.ts';
import { bucketOf } from '../../balancer/telemetry/meter.ts';
import { METRICS } from '../../balancer/telemetry/metrics.ts';
import type { Random } from '../../health/clock.ts';

const BOUNDS = new Float64Array(METRICS.weir_request_duration_seconds.buckets);

export interface Behaviour {
  readonly rps: number;
  readonly errorRatio: number;
  /** Median; the rest is spread by a factor of e^0.5 per standard deviation. */
  readonly latencyMs: number;
}

/** A step that never ends by itself. */
const ROLLOUT: RolloutIntent = {
  to: 'green',
  steps: [50_000, 1_000_000],
  holdMs: [Infinity],
  minRequests: 100,
  gates: ['errors<1%', 'p95<1.2x'],
  onFail: 'rollback',
  id: 1,
  from: { blue: 1_000_000, green: 0 },
  usualErrorRatio: 0.001,
  phase: 'running',
  step: 0,
  stepAt: '2026-01-01T00:00:00.000Z',
  note: '',
};

/** The seconds from the begin of a step until a gate fails, and why; null: not within `seconds`. One second is the way of the counts to the controller. */
export function secondsToFail(
  versions: { readonly blue: Behaviour; readonly green: Behaviour },
  seconds: number,
  seed: number,
): { readonly seconds: number; readonly decision: Decision } | null {
  const random = seededRandom(seed);
  const outcomes = new ServiceOutcomes();
  const trial = new Trial(ROLLOUT);
  for (let second = 1; second <= seconds; second += 1) {
    for (const [version, behaviour] of Object.entries(versions)) ask(outcomes, version, behaviour, random);
    outcomes.endSecond();
    trial.add(outcomes.evidence(ROLLOUT));
    const decision = trial.decide('running', second * 1000);
    if (decision !== null) return { seconds: second + 1, decision };
  }
  return null;
}

function ask(outcomes: ServiceOutcomes, version: string, { rps, errorRatio, latencyMs }: Behaviour, random: Random): void {
  const buckets = new Array<number>(BOUNDS.length + 1).fill(0);
  let errors = 0;
  for (let request = 0; request < rps; request += 1) {
    if (random() < errorRatio) errors += 1;
    const bucket = bucketOf(BOUNDS, (latencyMs / 1000) * Math.exp(0.5 * normal(random)));
    buckets[bucket] = (buckets[bucket] ?? 0) + 1;
  }
  const labels = ['shop', version, 'eu'];
  if (errors > 0) outcomes.add({ name: 'weir_upstream_errors_total', labels, value: errors });
  outcomes.add({ name: 'weir_upstream_answer_seconds', labels, value: 0, buckets });
}

/** Box and Muller (1958). */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
