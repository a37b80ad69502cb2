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

/** A key by what may be seen of it. */
export interface KeyView {
  readonly id: string;
  /** ISO 8601, UTC. Null: of the config, which does not say. */
  readonly issuedAt: string | null;
  /** Null: it does not end by itself. */
  readonly expiresAt: string | null;
  readonly expired: boolean;
  readonly from: readonly string[];
  readonly scopes: readonly string[];
  /** On this host. Null: not that it knows. */
  readonly lastUsedAt: string | null;
}

export interface ConsumerView {
  readonly name: string;
  /** `config`: declared there; `store`: added by command. */
  readonly source: 'config' | 'store';
  /** One of the same name was added by command, which counts for nothing while the config declares it. */
  readonly shadows: boolean;
  readonly groups: readonly string[];
  readonly scopes: readonly string[];
  readonly tags: readonly string[];
  readonly plan: string;
  readonly keys: readonly KeyView[];
  /** On this host, by whatever proved it. Null: not that it knows. */
  readonly lastUsedAt: string | null;
  /** Of quotas that count by consumer and by nothing else. */
  readonly quotas: readonly QuotaView[];
}
