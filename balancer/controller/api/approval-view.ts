// Changes that wait for a second person, as the admin API shows them and as it is told what becomes of them.
import type { ConfigApplyResult } from '../appliance.ts';
import type { ChangeResult, DrillView } from './views.ts';

/** `GET /v1/approvals`: those that wait, on all hosts of the fleet. */
export interface ApprovalView {
  /** `3`; in a fleet with the host that keeps it: `3@edge-2`. */
  readonly id: string;
  /** Where it is approved. */
  readonly host: string;
  readonly kind: 'change' | 'drill' | 'config';
  /** One line: what it does. */
  readonly summary: string;
  /** For whose sake it waits. */
  readonly services: readonly string[];
  readonly by: string;
  /** How we know who it is. */
  readonly how: string;
  readonly reason: string;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly until: string;
  readonly remainingSeconds: number;
}

/** `POST /v1/approvals/ID`. */
export interface ApprovalRequest {
  readonly verdict: 'approve' | 'reject';
  /** Of a rejection. */
  readonly reason?: string;
  /** What it would come to now; nothing is done. */
  readonly dryRun?: boolean;
  /** The caller has accepted a dangerous act. */
  readonly yes?: boolean;
}

/** What was made of it: one of the three that was approved; none of them: it is rejected. */
export interface ApprovalResult {
  readonly id: string;
  readonly change: ChangeResult | null;
  readonly drill: DrillView | null;
  readonly config: ConfigApplyResult | null;
}
