// What a balancing policy is: it picks one of the endpoints that may be used; it knows nothing of health, retries or HTTP.
import type { Random } from '../../../health/clock.ts';
import type { ConfigExtension } from '../../config/extension.ts';

/** What a policy may look at. */
export interface Candidate {
  /** Requests in work on it, of this worker. */
  readonly inFlight: number;
  /** Expected milliseconds to a response head, peaks counted at once; higher is worse. */
  readonly latencyMs: number;
}

export interface BalancePolicy {
  /** Index of the chosen one; `candidates` has at least one. */
  pick(candidates: readonly Candidate[]): number;
}

/** The entry of a policy in the registry. */
export interface BalanceDefinition extends ConfigExtension {
  create(random: Random): BalancePolicy;
}
