// Which requests of a service go to a version before the split is asked, complete.
import type { KeySource } from '../message/request-key.ts';
import type { FieldMatch } from './match-config.ts';

/** Keys whose point in [0, 1) is from `from` on and below `upTo`. */
export interface BucketConfig {
  readonly key: KeySource;
  readonly salt: string;
  readonly from: number;
  readonly upTo: number;
}

/** Holds where every condition holds; there is at least one. */
export interface AssignRule {
  /** A version of the service. */
  readonly to: string;
  readonly headers: readonly FieldMatch[];
  readonly query: readonly FieldMatch[];
  readonly cookies: readonly FieldMatch[];
  /** Null: any. */
  readonly bucket: BucketConfig | null;
}
