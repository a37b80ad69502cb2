// What the admin API tells of those who call.

/** What a consumer has used of one quota, in the present window. */
export interface QuotaView {
  readonly consumer: string;
  readonly quota: string;
  /** Empty: of callers without a plan that names it. */
  readonly plan: string;
  readonly window: 'day' | 'month';
  readonly scope: 'host' | 'fleet';
  readonly allow: number;
  /** What workers have in hand for it counts. Null: the store of the fleet cannot be asked. */
  readonly used: number | null;
  readonly left: number | null;
  /** ISO 8601, UTC. */
  readonly resetsAt: string;
}

export interface ConsumerView {
  readonly name: string;
  readonly groups: readonly string[];
  readonly scopes: readonly string[];
  readonly plan: string;
  /** Of quotas that count by consumer and by nothing else. */
  readonly quotas: readonly QuotaView[];
}
