// Gates of rollouts that ask something else than weir's own counters: whom, how often, and which figure is good.
import type { SecretReference } from './config.ts';

export interface HttpSource {
  readonly kind: 'http';
  /** With `$service` and `$version` in it. */
  readonly url: string;
  readonly statuses: readonly { readonly from: number; readonly to: number }[];
  /** JSON Pointer (RFC 6901) to a number; null: the status is the verdict. */
  readonly value: string | null;
}

export interface PrometheusSource {
  readonly kind: 'prometheus';
  /** What `/api/v1/query` is appended to. */
  readonly url: string;
  /** PromQL, with `$service` and `$version` in it. */
  readonly query: string;
}

/** A figure is good strictly between these; null: no bound on that side. */
export interface Bound {
  readonly above: number | null;
  readonly below: number | null;
}

export interface AskedGateConfig {
  readonly name: string;
  readonly source: HttpSource | PrometheusSource;
  readonly bound: Bound;
  readonly everyMs: number;
  readonly timeoutMs: number;
  /** So many bad answers in a row are a failure. */
  readonly failures: number;
  /** The value of the field Authorization; null: none is sent. */
  readonly authorization: SecretReference | null;
  /** Lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Absolute path of a PEM file; null: the authorities of the system. */
  readonly ca: string | null;
}
