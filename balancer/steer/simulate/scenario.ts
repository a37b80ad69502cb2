// What a simulation is told: the fleet, its load, what its agents do, and what goes wrong when.
import type { FailbackConfig, OnUnavailable, Overload, PriorityClass, SteerPolicy } from '../../config/config.ts';
import type { RegionDistances } from '../../config/region-config.ts';

/** What an agent sends instead of the truth. */
export type Lie = 'zero' | 'nan' | 'negative' | 'huge' | 'tiny';

export interface AgentModel {
  readonly periodMs: number;
  /** A report takes a time in between, drawn anew each time, so that reports overtake each other. */
  readonly delayMs: readonly [least: number, most: number];
  /** 0 to 1. */
  readonly loss: number;
  /** Whether it counts requests, so that capacity can be learned. */
  readonly counts: boolean;
  /** What it declares; null: nothing. */
  readonly capacityRps: number | null;
}

export interface ClusterModel {
  /** What it can really do. */
  readonly rps: number;
  readonly declaredRps: number | null;
  readonly region: string | null;
  readonly failback: FailbackConfig;
  /** Null: it has none. */
  readonly agent: AgentModel | null;
}

export interface PlaceModel {
  readonly weight: number;
  readonly priority: number;
}

export interface ServiceModel {
  /** Of the whole fleet. */
  readonly rps: number;
  /** What the classes are of it, in parts of 1; empty: all normal. */
  readonly classes: Readonly<Partial<Record<PriorityClass, number>>>;
  readonly policy: SteerPolicy;
  readonly onUnavailable: OnUnavailable;
  readonly overload: Overload;
  /** Cluster → weights of its versions, where it is split otherwise; absent: all clusters are split alike. */
  readonly clusterSplits?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Version → its part of the split and its places. */
  readonly versions: Readonly<Record<string, { readonly share: number; readonly clusters: Readonly<Record<string, PlaceModel>> }>>;
}

export type FaultKind =
  /** Connections are refused. */
  | 'down'
  /** So much of the answers are errors. */
  | 'errors'
  /** Its answers take 1 / part times as long. */
  | 'slow'
  /** It can do so much of what it could. */
  | 'weak'
  /** Down for half of each period. */
  | 'flap'
  /** Its agent is silent. */
  | 'agent_lost'
  /** Its agent lies. */
  | 'agent_lies';

export interface Fault {
  readonly kind: FaultKind;
  readonly cluster: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** Of `errors`, `slow` and `weak`: 0 to 1. */
  readonly part: number;
  /** Of `flap`. */
  readonly periodMs: number;
  readonly lie: Lie;
}

export interface Surge {
  readonly service: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** Times its usual load. */
  readonly factor: number;
}

export interface Scenario {
  readonly durationMs: number;
  readonly hosts: number;
  /** Of each host. */
  readonly workers: number;
  /** Where the hosts are; absent: nowhere in particular. */
  readonly hostRegion?: string | null;
  readonly regions?: RegionDistances;
  readonly clusters: Readonly<Record<string, ClusterModel>>;
  readonly services: Readonly<Record<string, ServiceModel>>;
  readonly faults: readonly Fault[];
  readonly surges: readonly Surge[];
  /** What is judged lies in between: before, the fleet settles; null: to the end. */
  readonly judgedFromMs: number;
  readonly judgedToMs: number | null;
}

/** The fault of this kind that the cluster has now; null: none. */
export function faultNow(scenario: Scenario, kind: FaultKind, cluster: string, nowMs: number): Fault | null {
  for (const fault of scenario.faults)
    if (fault.kind === kind && fault.cluster === cluster && nowMs >= fault.fromMs && nowMs < fault.toMs) return fault;
  return null;
}
