// Where the hosts of a fleet keep what they share.
import type { SecretReference } from './config.ts';

export interface NetworkPlace {
  readonly host: string;
  readonly port: number;
}

/** One server, what Sentinels say is the primary, or a Redis Cluster. */
export type RedisPlaceConfig =
  | { readonly kind: 'single'; readonly node: NetworkPlace }
  | {
      readonly kind: 'sentinel';
      /** What the Sentinels call the primary. */
      readonly name: string;
      readonly nodes: readonly NetworkPlace[];
      readonly password: SecretReference | null;
    }
  | { readonly kind: 'cluster'; readonly nodes: readonly NetworkPlace[] };

export interface RedisConfig {
  readonly place: RedisPlaceConfig;
  readonly database: number;
  readonly username: string | null;
  readonly password: SecretReference | null;
  /** Null: plain. `ca`: absolute path; null: the authorities of the system. `serverName`: null: the host of the address. */
  readonly tls: { readonly ca: string | null; readonly serverName: string | null } | null;
  /** Absolute path. */
  readonly keyFile: string;
  readonly fleet: string;
  readonly timeoutMs: number;
  /** Of a question for a limit of the fleet. */
  readonly limitTimeoutMs: number;
}
