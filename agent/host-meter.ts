// What the machine has and uses, or the container the agent runs in. The only importer of systeminformation, and the only caller, because it keeps
// state between calls: its CPU load is the mean since the call before.
import { loadavg } from 'node:os';
import type { Clock } from '../health/clock.ts';
import { systemClock } from '../health/clock.ts';
import { type CgroupFigures, readCgroup } from './cgroup.ts';
import type { CapacitySnapshot } from './protocol.ts';

export type Measurement = Pick<CapacitySnapshot, 'cpuUtilisation' | 'memoryUtilisation' | 'cores' | 'loadAverage1m'>;

/** Measures once. */
export type Measure = () => Promise<Measurement>;

export interface MeterParts {
  readonly clock: Pick<Clock, 'nowMs'>;
  /** Of the machine. */
  readonly machine: Measure;
  readonly cgroup: () => CgroupFigures | null;
}

/**
 * A mean over less than this says more about chance than about load, and each call of systeminformation may start programs: who asks again sooner
 * gets what was measured.
 */
export const LEAST_PERIOD_MS = 2000;

/** Makes a meter whose measurements never overlap: who asks while one runs gets that one. */
export function createMeter(parts: Partial<MeterParts> = {}): Measure {
  const { clock = systemClock, machine = measureMachine, cgroup = readCgroup } = parts;
  let running: Promise<Measurement> | null = null;
  let isFirst = true;
  let last: { readonly value: Measurement; readonly atMs: number } | null = null;
  let before: { readonly figures: CgroupFigures; readonly atMs: number } | null = null;
  const measure = async (): Promise<Measurement> => {
    const whole = await machine();
    const atMs = clock.nowMs();
    const figures = cgroup();
    const value =
      figures === null ? whole : withinGroup(whole, figures, before === null ? null : { ...before, tookMs: atMs - before.atMs });
    before = figures === null ? null : { figures, atMs };
    // The first one covers the time since the machine started, so nobody gets it twice.
    if (!isFirst) last = { value, atMs };
    isFirst = false;
    return value;
  };
  return () => {
    if (running !== null) return running;
    if (last !== null && clock.nowMs() - last.atMs < LEAST_PERIOD_MS) return Promise.resolve(last.value);
    running = measure().finally(() => {
      running = null;
    });
    return running;
  };
}

interface Before {
  readonly figures: CgroupFigures;
  readonly tookMs: number;
}

/** Where a container is limited its own use of its own part counts; where it is not, the machine's. Without a time before there is no mean yet. */
function withinGroup(machine: Measurement, now: CgroupFigures, before: Before | null): Measurement {
  const { cpuCores, memoryBytes } = now;
  const usedMs = before === null ? 0 : now.cpuUsedMs - before.figures.cpuUsedMs;
  const cpuKnown = cpuCores !== null && before !== null && before.tookMs > 0;
  return {
    ...machine,
    cpuUtilisation: cpuKnown ? ratio(usedMs, before.tookMs * cpuCores) : machine.cpuUtilisation,
    memoryUtilisation: memoryBytes === null ? machine.memoryUtilisation : ratio(now.memoryUsedBytes, memoryBytes),
    cores: cpuCores === null ? machine.cores : Math.max(1, Math.round(cpuCores)),
  };
}

/** CPU is the mean since the measurement before; the first one is the mean since the machine started. */
async function measureMachine(): Promise<Measurement> {
  // Loaded when it is used: an agent that reads a cluster has no use for its 1 MB.
  const { currentLoad, mem } = await import('systeminformation');
  const [load, memory] = await Promise.all([currentLoad(), mem()]);
  return {
    cpuUtilisation: ratio(load.currentLoad, 100),
    // What can be had without swapping counts as free; caches do.
    memoryUtilisation: ratio(memory.total - memory.available, memory.total),
    cores: load.cpus.length,
    loadAverage1m: loadavg()[0] ?? 0,
  };
}

/** 0 where the machine does not tell. */
function ratio(part: number, whole: number): number {
  const value = part / whole;
  return Number.isFinite(value) ? Math.min(1, Math.max(0, value)) : 0;
}
