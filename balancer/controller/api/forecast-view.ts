// What a change comes to, as the API shows it before it is made: shares, loads, what moves, and what a loss would mean then.
import type { ShareReason } from '../../steer/plan-shape.ts';
import type { ExpectedView } from './agent-view.ts';

/** What changes for one target. */
export interface ShareChange {
  readonly service: string;
  readonly version: string;
  readonly cluster: string;
  readonly before: { readonly desired: number; readonly effective: number };
  readonly after: { readonly desired: number; readonly effective: number };
  /** Why it then is what it is. */
  readonly reasons: readonly ShareReason[];
}

export interface ClusterForecast {
  readonly cluster: string;
  /** Requests a second, and what part of the capacity they are; null: no capacity is known. */
  readonly before: { readonly rps: number; readonly utilisation: number | null };
  readonly after: { readonly rps: number; readonly utilisation: number | null };
}

/** 0 to 1, of the service's requests: without stickiness as many go elsewhere, with a key as many clients do. */
export interface MovedShare {
  readonly service: string;
  readonly toOtherVersion: number;
  readonly toOtherPlace: number;
}

/** What a change comes to under the demand of now. */
export interface Forecast {
  /** Those whose load changes. */
  readonly clusters: readonly ClusterForecast[];
  readonly moved: readonly MovedShare[];
  /** Requests a second that find no place and are answered 503. */
  readonly lostRps: { readonly before: number; readonly after: number };
  /** Whether any one cluster could be lost then, in words. */
  readonly headroom: string;
  /** Where the requests of these clusters would go if one of them were lost then. */
  readonly spill: readonly SpillView[];
  /** What agents would be told to expect. */
  readonly expected: readonly ExpectedView[];
}

/** Of a cluster that is lost, in requests a second: what it has, what others get more for it, the most first, and what finds no place. */
export interface SpillView {
  readonly cluster: string;
  readonly rps: number;
  readonly to: readonly SpillTarget[];
  readonly shedRps: number;
}

export interface SpillTarget {
  readonly cluster: string;
  readonly rps: number;
}
