// What is kept of a drill: what was tried, how the services were before and meanwhile, what was foretold and what happened, and the grade.
import type { Forecast } from '../api/views.ts';

export type DrillState = 'running' | 'settling' | 'passed' | 'failed' | 'aborted' | 'refused';

/** Of a service, or of a cluster. */
export interface DrillFigures {
  readonly rps: number;
  /** 0 to 1. */
  readonly errorRatio: number;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
}

export interface DrillService {
  readonly service: string;
  readonly before: DrillFigures;
  /** Over the whole drill; of the percentiles the worst of any ten seconds. */
  readonly during: DrillFigures;
  readonly requests: number;
  readonly errors: number;
}

/** 0 to 1: parts of all requests. */
export interface DrillCluster {
  readonly cluster: string;
  readonly shareBefore: number;
  /** By the plan, when the drill began. */
  readonly shareForetold: number;
  readonly shareDuring: number;
  /** Null: not measured yet. */
  readonly shareAfter: number | null;
  readonly requests: number;
}

export interface DrillReport {
  /** The revision that began it; of a drill that was refused the revision there was, with a fraction that makes it a number of its own. */
  readonly id: number;
  /** Name of the schedule; null: somebody asked. */
  readonly schedule: string | null;
  readonly by: string;
  readonly cluster: string;
  readonly act: 'drain' | 'dial';
  readonly percent: number;
  readonly abortIf: readonly string[];
  /** ISO 8601, UTC. */
  readonly begunAt: string;
  readonly until: string;
  readonly endedAt: string | null;
  readonly state: DrillState;
  /** Why it has this grade, one line each. */
  readonly reasons: readonly string[];
  readonly services: readonly DrillService[];
  readonly clusters: readonly DrillCluster[];
  readonly lostRpsForetold: Forecast['lostRps'];
  /** Requests that were answered 503 for want of a place, by the plan. */
  readonly lostRequests: number;
  /** Seconds that were measured. */
  readonly seconds: number;
}

/** A grade that the drill has got, whatever is measured afterwards. */
export interface Ending {
  readonly state: 'passed' | 'failed' | 'aborted';
  readonly reason: string;
}

/** What people call a drill. */
export function drillText({ act, cluster, percent }: Pick<DrillReport, 'act' | 'cluster' | 'percent'>): string {
  return act === 'drain' ? `drain of ${cluster}` : `dial of ${cluster} to ${percent} %`;
}

/** Of a text that `JSON.stringify` made of reports; what cannot be read is no report. */
export function decodeReports(text: string | null): readonly DrillReport[] {
  try {
    const value: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(value) ? value.filter(isReport) : [];
  } catch {
    return [];
  }
}

function isReport(value: unknown): value is DrillReport {
  if (typeof value !== 'object' || value === null) return false;
  const has = (field: string, type: string): boolean => typeof Reflect.get(value, field) === type;
  return has('id', 'number') && has('cluster', 'string') && has('state', 'string') && Array.isArray(Reflect.get(value, 'services'));
}
