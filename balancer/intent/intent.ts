// The intent document: what operators asked for since the config was loaded. One per fleet, one integer revision.

import type { DrainConfig } from '../config/drain-config.ts';
import type { CallerChange, Callers } from './callers.ts';
import type { Glides } from './glide.ts';
import type { Overrides } from './override.ts';
import type { Purges } from './purge.ts';
import type { RolloutIntent, RolloutPlan } from './rollout.ts';
import type { TokenChange, Tokens } from './tokens.ts';

export type AdminState = 'active' | 'drain' | 'maintenance';

/** Cluster → version → millionths of what the cluster has of the service. */
export type ClusterSplits = Readonly<Record<string, Readonly<Record<string, number>>>>;

export interface ServiceIntent {
  /** Millionths per version; sums to a million. */
  readonly split: Readonly<Record<string, number>>;
  /** The file's split this one was seeded from: only a file value that changed makes a revision. */
  readonly splitSeed: Readonly<Record<string, number>>;
  /** version → cluster → relative weight. */
  readonly clusterWeights: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Clusters that have another split than the service, as waves of a rollout make them; absent: none has. */
  readonly clusterSplits?: ClusterSplits;
  readonly clusterWeightsSeed: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Names of the routes that led here when the file was last taken over: a service leaves the file after its routes, not with them. */
  readonly routes?: readonly string[];
  /** The revision that voided all pins given before; absent: none did. A revision, so that no number comes twice, whatever is undone. */
  readonly pinEpoch?: number;
  /** The last one begun; absent: there never was one. */
  readonly rollout?: RolloutIntent;
}

export interface ClusterIntent {
  readonly admin: AdminState;
  /** 0 to 100. */
  readonly dialPercent: number;
  /** How often it was released after it had been down; absent: never. Only that it rises means something. */
  readonly releases?: number;
  /** When it last came back because the time of a change was over; absent: never. */
  readonly returned?: Returned;
  /** What becomes of its tunnels while it is not active; absent: they stay. */
  readonly tunnels?: TunnelDeadline;
}

export interface TunnelDeadline {
  /** ISO 8601, UTC: before it nothing is closed. */
  readonly at: string;
  /** Of one host; null: as the places that take them over can bear. */
  readonly perSecond: number | null;
}

export interface Returned {
  /** The one that brought it back: a ramp begins once for each. */
  readonly revision: number;
  /** 0 to 1: what it had of what it has since. Its ramp begins there. */
  readonly from: number;
}

export type QuotaEpochs = Readonly<Record<string, Readonly<Record<string, number>>>>;

export interface Intent {
  readonly revision: number;
  readonly services: Readonly<Record<string, ServiceIntent>>;
  readonly clusters: Readonly<Record<string, ClusterIntent>>;
  /** Consumer → quota → the revision that reset it last; absent: none was. */
  readonly quotaEpochs?: QuotaEpochs;
  /** Who was added by command; absent: nobody. */
  readonly callers?: Callers;
  /** Of the fleet, by name; absent: there are none. Those of a host alone are in its store. */
  readonly tokens?: Tokens;
  /** Changes that return by themselves; absent: none. */
  readonly overrides?: Overrides;
  /** Changes that are on their way; absent: none. */
  readonly glides?: Glides;
  /** The last purges of what routes have stored; absent: there never was one. */
  readonly purges?: Purges;
}

/** What an operator may ask for. Percentages are numbers 0 to 100 with up to 4 decimals, as typed. */
export type Change =
  | TimedChange
  /** Lets a cluster that was down come back now: out of a hold, or without waiting any longer. */
  | { readonly kind: 'release'; readonly cluster: string }
  /** Clients of the service lose the places that they were given with a cookie. */
  | { readonly kind: 'void_pins'; readonly service: string }
  | PurgeChange
  /** Quotas of a consumer begin anew; null: all of them. */
  | { readonly kind: 'reset_quota'; readonly consumer: string; readonly limit: string | null }
  | CallerChange
  | TokenChange
  | RolloutChange
  /** What was set for a time returns; asked for by nobody. */
  | { readonly kind: 'expire'; readonly revision: number }
  | { readonly kind: 'undo'; readonly to: number | null; readonly overMs?: number }
  /** What was undone last is there again. */
  | { readonly kind: 'redo'; readonly overMs?: number };

/** What routes have stored is dropped, or with `soft` ends now. Several of these are all of them together; `route` alone: all that it has. */
export interface PurgeChange {
  readonly kind: 'purge';
  readonly urls?: readonly string[];
  readonly prefixes?: readonly string[];
  readonly tags?: readonly string[];
  /** Absent: all routes. */
  readonly route?: string;
  /** Everything of all routes. */
  readonly all?: boolean;
  readonly soft?: boolean;
}

/** Those that can return by themselves, after `forMs`, and come little by little, over `overMs`, if these are there. */
export type TimedChange = (
  | { readonly kind: 'shift'; readonly service: string; readonly percents: Readonly<Record<string, number>> }
  | { readonly kind: 'shift_clusters'; readonly service: string; readonly percents: Readonly<Record<string, number>> }
  | { readonly kind: 'admin'; readonly cluster: string; readonly state: AdminState; readonly tunnels?: DrainConfig }
  | { readonly kind: 'dial'; readonly cluster: string; readonly percent: number }
) & {
  readonly forMs?: number;
  /** Little by little, from where it is now. Absent: at once. */
  readonly overMs?: number;
};

/** What becomes of a rollout; the last three are made by its own driver. */
export type RolloutAction = 'pause' | 'resume' | 'promote' | 'abort' | 'step' | 'end' | 'fail';

export type RolloutChange =
  | ({ readonly kind: 'rollout_start'; readonly service: string } & RolloutPlan)
  | { readonly kind: 'rollout'; readonly service: string; readonly action: RolloutAction };

/** Where a revision came from. */
export type RevisionSource = 'operator' | 'config' | 'rollout' | 'expiry' | 'drill';

export interface Author {
  /** `alice`, or what a local caller claims. */
  readonly name: string;
  /** How we know: `token NAME`, `local, claims NAME`, `config file`. */
  readonly how: string;
}

/** One record of the audit chain. */
export interface Revision {
  readonly revision: number;
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly author: Author;
  readonly source: RevisionSource;
  readonly reason: string;
  /** The change as asked; null for a revision made from config. */
  readonly change: Change | null;
  /** Dotted paths of the intent that differ, with both values; the paths undo works on. */
  readonly touched: readonly TouchedField[];
  /** The revision this one reverts; null when it is no undo. */
  readonly undoes: number | null;
  /** Rules of the config that were overruled with `--break-glass`; absent: none. */
  readonly overruled?: readonly string[];
  /** The second person, of a change that takes two; absent: one was enough. */
  readonly approvedBy?: Author;
  /** What the host that made it saw; absent: it is about no service and no cluster. */
  readonly inputs?: DecisionInputs;
  /** SHA-256 over the previous hash and this record without `hash`, in hex. */
  readonly previousHash: string;
  readonly hash: string;
}

/** Of the services and clusters that a change is about, when it was made. */
export interface DecisionInputs {
  readonly services: Readonly<Record<string, ServiceInputs>>;
  readonly clusters: Readonly<Record<string, ClusterInputs>>;
}

export interface ServiceInputs {
  /** Requests per second of the fleet. */
  readonly rps: number;
  /** Millionths of its requests, by `version/cluster`, and those that nobody could take. */
  readonly shares: Readonly<Record<string, number>>;
  readonly lost: number;
}

export interface ClusterInputs {
  readonly state: string;
  readonly rps: number;
  /** Requests per second; null: not known. */
  readonly capacityRps: number | null;
}

/** The path of a change of config, which is no part of the intent; its values are fingerprints. */
export const CONFIG_PATH: readonly string[] = ['config'];

export interface TouchedField {
  /** Path segments, e.g. ["services","shop","split"]; `CONFIG_PATH` for the config itself. */
  readonly path: readonly string[];
  readonly before: unknown;
  readonly after: unknown;
}

/** Why a change was not made; the kind decides the exit code of the command. */
export interface Refusal {
  readonly kind: 'usage' | 'not_found' | 'conflict' | 'unsafe';
  /** Teaches: what, where, what was expected, how to fix. */
  readonly message: string;
}
