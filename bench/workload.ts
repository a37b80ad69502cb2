// What a part of a scenario does to a started contender, and the figures it comes back with.
import type { StartedContender } from './contender.ts';
import { cpuBetween, readCpu } from './cpu.ts';
import type { LoadFigures } from './load.ts';

export interface Figures {
  /** Units of work (requests, messages, megabytes) in a second. */
  readonly perSecond: number | null;
  /** What ratios are taken of, in the unit of `Workload.cost`. */
  readonly cost: number;
  /** The part of it in the processes that carry requests; null where that says nothing. */
  readonly dataPlaneCost: number | null;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly failed: number;
}

/** A contender that answers, and for how long it is worked on. */
export interface Trial {
  readonly name: string;
  readonly started: StartedContender;
  readonly tls: boolean;
  readonly connections: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly signal: AbortSignal;
}

export interface Workload {
  /** For the heading: who makes the load, and how. */
  readonly description: string;
  /** Column heading of `perSecond`, such as `req/s`. */
  readonly rate: string;
  /** Column heading of `cost`, such as `CPU µs/req`. */
  readonly cost: string;
  measure(trial: Trial): Promise<Figures>;
}

/** Seconds of load; `requests` of the figures are the units of work. */
export type Load = (trial: Trial, seconds: number) => Promise<LoadFigures>;

/** Warms up, then takes the CPU time before and after the measured load, per unit of work. */
export async function measureCpu(trial: Trial, load: Load): Promise<Figures> {
  const { name, started, seconds, warmUpSeconds } = trial;
  if (warmUpSeconds > 0) await load(trial, warmUpSeconds);
  const allBefore = readCpu(started.pids());
  const dataPlaneBefore = readCpu(started.dataPlanePids());
  const done = await load(trial, seconds);
  const all = cpuBetween(allBefore, readCpu(started.pids()));
  const dataPlane = cpuBetween(dataPlaneBefore, readCpu(started.dataPlanePids()));
  if (all.lost > 0) throw new Error(`${all.lost} process(es) of ${name} ended during the measurement`);
  if (done.requests === 0) throw new Error(`${name} did nothing; ${done.failed} failed`);
  return {
    perSecond: done.requests / done.seconds,
    cost: all.microseconds / done.requests,
    dataPlaneCost: dataPlane.microseconds / done.requests,
    p50Ms: done.p50Ms,
    p99Ms: done.p99Ms,
    failed: done.failed,
  };
}
