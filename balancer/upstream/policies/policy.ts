// What a balancing policy is: it picks one of the endpoints that may be used; it knows nothing of health, retries or HTTP.
import type { Random } from '../../../health/clock.ts';
import type { ConfigExtension } from '../../config/extension.ts';

/** What a policy may look at. */
export interface Candidate {
  /** Requests in work on it, of this worker. */
  readonly inFlight: number;
  /** Expected milliseconds to a response head, peaks counted at once; higher is worse. */
  readonly latencyMs: number;
  /** 32 bits that stay with its address, on every worker and host. */
  readonly seed: number;
}

export interface BalancePolicy {
  /** Index of the chosen one; `candidates` has at least one. `key`: 32 bits of what the request is told apart by; 0 where nobody asks. */
  pick(candidates: readonly Candidate[], key: number): number;
}

export interface BalanceSettings {
  /** How many times the mean of requests in flight an endpoint may have before its keys go elsewhere. */
  readonly factor: number;
}

/** The entry of a policy in the registry. */
export interface BalanceDefinition extends ConfigExtension {
  /** It goes by the key of a request. */
  readonly keyed?: true;
  create(random: Random, settings: BalanceSettings): BalancePolicy;
}
