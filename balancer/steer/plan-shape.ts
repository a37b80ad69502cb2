// The shape of a plan and of what it is made from. The function is in plan.ts; workers and the terminal read only this.
import { NO_CALLERS, type Callers } from '../intent/callers.ts';
import type { Purges } from '../intent/purge.ts';
import type { Overload, OnUnavailable, PriorityClass } from '../config/config.ts';

export type HealthState = 'unknown' | 'up' | 'degraded' | 'down';
export type AgentState = 'fresh' | 'stale' | 'absent';

export interface EndpointHealth {
  /** Its id. Where endpoints are discovered, this list is what workers know them from. */
  readonly endpoint: string;
  readonly state: HealthState;
  /** It leaves: nothing new while there is another. */
  readonly draining?: true;
}

export interface ClusterHealth {
  readonly state: HealthState;
  readonly endpoints: readonly EndpointHealth[];
}

/** Measured health, by its two keys. */
export interface HealthView {
  readonly clusters: Readonly<Record<string, ClusterHealth>>;
  /** Keys `service/version/cluster` that are ejected for answered 502/503/504 or a failed version probe. */
  readonly ejectedTargets: readonly string[];
}

/** What the agent of a cluster said last. */
export interface CapacityReport {
  readonly state: AgentState;
  /** When it came, on the clock of the plan: a report is taken into account once. */
  readonly receivedAtMs: number;
  /** Requests per second the cluster can take, as declared to the agent; null: not declared. */
  readonly capacityRps: number | null;
  /** 0 to 1, above 1 under overload. */
  readonly utilisation: number;
  /** What the cluster answered per second in the interval that `utilisation` is of; null: nobody knows, and nothing is learned. */
  readonly requestsPerSecond: number | null;
  /** Of these, how many failed. */
  readonly errorsPerSecond: number;
}

/** The last reports, by cluster; a cluster that is not named never had an agent. What is declared is in the config. */
export type CapacityView = Readonly<Record<string, CapacityReport>>;

/** Requests per second now, per service. */
export type DemandView = Readonly<Record<string, number>>;

/** How many requests came from each region of clients, by service, in any unit; `UNKNOWN_REGION` is one of them. */
export type RegionDemandView = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Where clients are that no block holds: where the host is. */
export const UNKNOWN_REGION = '';

/** The same by priority class; a service that is not named has one class. */
export type ClassDemandView = Readonly<Record<string, Readonly<Partial<Record<PriorityClass, number>>>>>;

/** What was measured over the last few seconds. */
export interface Observed {
  readonly requests: number;
  /** 0 to 1: the part that was answered 5xx or not at all. */
  readonly errorRatio: number;
  /** Tries whose answer began, or that were given up; absent: not measured. */
  readonly answers?: number;
  /** The geometric mean of the time these took, in ms; absent or null: there was none. */
  readonly answerMs?: number | null;
}

/** By cluster, and by target (`targetKey`). What had no request need not be named. */
export interface ObservedView {
  readonly clusters: Readonly<Record<string, Observed>>;
  readonly targets: Readonly<Record<string, Observed>>;
}

/** Why a target has the share it has; the first is the layer that decided (`reasons.ts` has the layers). */
export type ShareReason =
  | 'intent'
  | 'gliding'
  | 'maintenance'
  | 'drain'
  | 'dial'
  | 'cluster_down'
  | 'target_ejected'
  | 'held'
  | 'redistributed'
  | 'capacity'
  | 'standby'
  | 'panic'
  | 'brake'
  | 'awaiting_release'
  | 'ramp'
  | 'flapping'
  | 'errors'
  | 'slow'
  | 'stale_capacity'
  | 'damped';

/** One (version, cluster) of a service, with all that redistribution needs, so that a worker can redo it on its own evidence. */
export interface PlanTarget {
  readonly version: string;
  readonly cluster: string;
  /** Millionths the intent gives it. Over all targets of a service: a million, or 0 if the service has none. */
  readonly desired: number;
  /** Millionths after health and capacity. Sums to a million minus `ServicePlan.lost`. */
  readonly effective: number;
  /** 0 to 1: how much of it can be used; 0 when down, ejected or in maintenance, and when drained or dialled to 0 unless last resort. */
  readonly available: number;
  /** May it receive what others lost? Never for weight 0, maintenance; drain and dial 0 only as last resort. */
  readonly receives: boolean;
  /** Drained or dialled to 0, and open all the same before anything is lost. */
  readonly lastResort: boolean;
  /** Preference tier, lower first. */
  readonly priority: number;
  /** The most millionths of the service it can take by known capacity; null: no bound known. */
  readonly limit: number | null;
  /** By what it is weighed when it receives, where that is not `desired`: a standby has no desired share but a weight. Millionths. */
  readonly weight?: number;
  /** Millionths at which it hands on what is above to places with room; null or absent: it keeps its own share whatever the load. */
  readonly spillAt?: number | null;
  /** Of what goes to its version whatever the split says, the millionths that come here; absent: nothing does. */
  readonly within?: number;
  /** Requests per second that may be copied here for want of other use; absent: no bound is known, or nothing is copied. */
  readonly spareRps?: number;
  readonly reasons: readonly ShareReason[];
}

export interface ServicePlan {
  readonly service: string;
  readonly onUnavailable: OnUnavailable;
  readonly targets: readonly PlanTarget[];
  /** Millionths that go nowhere: answered 503. */
  readonly lost: number;
  /** Of `lost`: the excess over the capacity of all its places, refused as `overloaded`. */
  readonly shed: number;
  /** What becomes of an excess over all capacity that a worker finds itself. */
  readonly overload: Overload;
  /** Health is not believed: the shares hold whatever the worker sees. */
  readonly panic: boolean;
  /** Pins given before this revision are void; absent: none are. */
  readonly pinEpoch?: number;
  /** Shares of clients by their region, `UNKNOWN_REGION` included; those above are then what all of them come to. Absent: the same for all. */
  readonly regions?: Readonly<Record<string, ServicePlan>>;
  /** What each priority class is of the service's requests, in millionths; a class that is not named has none. Shed from the lowest up. */
  readonly classes: Readonly<Partial<Record<PriorityClass, number>>>;
}

export interface Plan {
  readonly services: Readonly<Record<string, ServicePlan>>;
  readonly health: HealthView;
  /** Of what routes have stored: each is applied once. Absent: there never was one. */
  readonly purges?: Purges;
  /** Who was added by command. Absent: nobody; of what changed: they are as they were. */
  readonly callers?: Callers;
}

/** A plan, and what changed since. */
export function mergedPlan(plan: Plan, changed: Plan): Plan {
  const purges = changed.purges ?? plan.purges;
  const callers = changed.callers ?? plan.callers;
  return {
    services: { ...plan.services, ...changed.services },
    health: changed.health,
    ...(purges === undefined ? {} : { purges }),
    ...(callers === undefined ? {} : { callers }),
  };
}

/** A plan in full; `keepsCallers`: it was sent without those, who are as in the plan before. */
export function wholePlan(before: Plan | null, value: Plan, keepsCallers: boolean): Plan {
  return { ...value, callers: (keepsCallers ? before?.callers : value.callers) ?? NO_CALLERS };
}

/** The key of a version, with which those of its targets begin. */
export function versionKey(service: string, version: string): string {
  return `${service}/${version}`;
}

/** The versions of which anything is known, so that the others of a large fleet cost nothing. */
export function versionsIn(...byTarget: readonly Readonly<Record<string, unknown>>[]): ReadonlySet<string> {
  const versions = new Set<string>();
  for (const known of byTarget) for (const key in known) versions.add(key.slice(0, key.lastIndexOf('/')));
  return versions;
}

/** The key of a target in `HealthView.ejectedTargets`. Names are DNS labels, so `/` cannot occur in them. */
export function targetKey(service: string, version: string, cluster: string): string {
  return `${service}/${version}/${cluster}`;
}
