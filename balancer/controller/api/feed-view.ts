// What `GET /v1/feed` (WebSocket) sends: one document that the dashboard draws everything from, whole at first, then what has changed of it.
import type { EdgeView } from './fleet-views.ts';
import type { StatusView, WorkerView } from './views.ts';

/** Something an operator should look at, worst first. */
export interface AlertView {
  /** Of a bounded set: `cluster_down`, `certificate_expires` … the section of the runbook. */
  readonly code: string;
  /** `problem`: something is wrong now, and the host is degraded. `warning`: it will be, if nobody acts. */
  readonly severity: 'problem' | 'warning';
  /** One line, no control characters. */
  readonly text: string;
}

/** A revision as a line of a list. */
export interface RevisionLineView {
  readonly revision: number;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly author: string;
  /** How we know who it is. */
  readonly how: string;
  readonly source: string;
  readonly reason: string;
  /** `shop.split`, without `services.` and `clusters.` before it. */
  readonly fields: readonly string[];
  /** The same in words: `shop: blue 90 % → 70 %, green 10 % → 30 %`. */
  readonly what: readonly string[];
  readonly undoes: number | null;
  /** The second person; null: one was enough. */
  readonly approvedBy: string | null;
}

/** Latencies of one second. */
export interface LatencyLineView {
  /** `all`, `cluster/NAME`, `service/NAME`. */
  readonly of: string;
  /** Requests per bucket of `boundsMs`; the last has no upper bound. Empty: no request. */
  readonly counts: readonly number[];
}

export interface LatencyView {
  /** Counted up each second, so that a reader sees which seconds it has missed. */
  readonly second: number;
  readonly boundsMs: readonly number[];
  /** All requests, every cluster, and the busiest services. */
  readonly lines: readonly LatencyLineView[];
}

/** The same for every reader; what differs is in the messages around it. */
export interface FeedView {
  readonly status: Omit<StatusView, 'role'>;
  readonly workers: readonly WorkerView[];
  readonly edges: readonly EdgeView[];
  /** Newest first. */
  readonly revisions: readonly RevisionLineView[];
  readonly latency: LatencyView;
}

/**
 * What has changed of a JSON value. A plain value (no object) is what it is now. `=`: the whole value. `o`: fields that changed, each with
 * its own change, and `-` those that are gone. `a`: a list: items dropped from its front and its back, then items put there, then changes of
 * items by their place in the new list.
 */
export type Delta =
  | number
  | string
  | boolean
  | null
  | { readonly '=': unknown }
  | { readonly o: Readonly<Record<string, Delta>>; readonly '-'?: readonly string[] }
  | {
      readonly a: {
        readonly drop?: readonly [front: number, back: number];
        readonly front?: readonly unknown[];
        readonly back?: readonly unknown[];
        readonly at?: Readonly<Record<string, Delta>>;
      };
    };

/** Messages of the stream. `epoch` and `number` together name a state of the document; a new controller begins a new epoch. */
export type FeedMessage =
  | {
      readonly type: 'snapshot';
      readonly epoch: string;
      readonly number: number;
      readonly role: StatusView['role'];
      readonly document: FeedView;
    }
  /** In place of a snapshot, when the reader names a state that is still known: `?epoch=…&number=…`. */
  | { readonly type: 'resumed'; readonly epoch: string; readonly number: number; readonly role: StatusView['role'] }
  /** Leads from the state `from`, which the reader has, to `number`. */
  | { readonly type: 'delta'; readonly from: number; readonly number: number; readonly delta: Delta };
