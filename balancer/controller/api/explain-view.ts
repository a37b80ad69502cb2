// What `POST /v1/explain` takes and answers: the way of a request that is not sent.
import type { RolloutView } from './views.ts';
import type { ShareReason, HealthState } from '../../steer/plan-shape.ts';

/** `POST /v1/explain`. */
export interface ExplainRequest {
  /** `http://` or `https://`, as a client would write it; the path goes through the same checks as one that is sent. */
  readonly url: string;
  /** GET unless it is given. */
  readonly method?: string;
  /** Name and value. `host` takes the place of the URL's. */
  readonly headers?: readonly (readonly string[])[];
  /** The address that the connection comes from. */
  readonly client?: string;
  /** Where it comes in; the one that the URL fits unless it is given. */
  readonly listener?: string;
}

export interface ExplainView {
  /** What routing and steering see; null: it is refused before. */
  readonly request: ExplainedRequest | null;
  readonly listener: string;
  readonly outcome: 'steered' | 'redirected' | 'refused';
  /** Of the answer that weir makes itself; null: an endpoint answers. */
  readonly answer: { readonly status: number; readonly code: string; readonly text: string } | null;
  readonly route: ExplainedRoute | null;
  /** Those that fit too, in their order; where none fits, the nearest, with what would have to be otherwise. */
  readonly otherRoutes: readonly { readonly route: string; readonly because: string }[];
  readonly service: ExplainedService | null;
  /** What cannot be known without sending it. */
  readonly notes: readonly string[];
}

export interface ExplainedRequest {
  readonly method: string;
  readonly scheme: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
  /** After the trusted walk of forwarded fields. */
  readonly clientAddress: string;
  readonly peerTrusted: boolean;
}

export interface ExplainedRoute {
  readonly name: string;
  readonly match: string;
  readonly because: string;
  readonly priorityClass: string;
  readonly clientCertificate: string;
  /** In the order in which they run. */
  readonly filters: readonly string[];
}

export interface ExplainedService {
  readonly name: string;
  readonly policy: string;
  readonly onUnavailable: string;
  /** Number of the plan, and the revision of the intent. */
  readonly plan: number;
  readonly revision: number;
  /** 0 to 1: the part that is refused for want of capacity, and that has no place. */
  readonly refusedShare: number;
  readonly lostShare: number;
  readonly panic: boolean;
  /** Where the client is by the config, from which the policy `nearest` measures; empty: no block holds it. Null: the shares are the same for all. */
  readonly clientRegion: string | null;
  /** The one that holds its split now; null: none does. */
  readonly rollout: RolloutView | null;
  readonly choice: ExplainedChoice;
  /** Every place, the likeliest first. */
  readonly candidates: readonly ExplainedCandidate[];
  readonly attempts: ExplainedAttempts;
}

/** What chooses among the candidates. */
export interface ExplainedChoice {
  readonly by: 'split' | 'key' | 'pin' | 'override' | 'assign';
  readonly text: string;
  /** 0 to 100: where the key is in the line of all shares, or of all users of a rule; null: no key counts. */
  readonly bucketPercent: number | null;
  /** What the cookie that came is worth; null: none came, or none is given. */
  readonly pin: 'kept' | 'void' | 'broken' | 'evicted' | null;
}

export interface ExplainedCandidate {
  readonly version: string;
  readonly cluster: string;
  /** 0 to 1: of requests like this one. */
  readonly probability: number;
  readonly desiredShare: number;
  readonly effectiveShare: number;
  /** Who decided on its share. */
  readonly layer: string;
  readonly reasons: readonly ShareReason[];
  /** 0 to 1: what health, ramps and errors leave of it. */
  readonly available: number;
  readonly tier: number;
  /** 0 to 1: the most it can have by capacity, and where it begins to hand on; null: no bound is known. */
  readonly limitShare: number | null;
  readonly spillShare: number | null;
  readonly failback: string;
  readonly ramp: number;
  readonly capacityRps: number | null;
  readonly endpoints: readonly { readonly id: string; readonly health: HealthState; readonly reason: string }[];
}

export interface ExplainedAttempts {
  readonly most: number;
  /** Whether a failed attempt whose request may have arrived is tried again. */
  readonly repeatable: boolean;
  readonly tryLimit: string;
  readonly firstByteMs: number;
  /** 0: none. */
  readonly requestMs: number;
  readonly budget: string;
  readonly next: string;
}
