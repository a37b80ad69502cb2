// What the machine has and uses. The only importer of systeminformation, and the only caller, because it keeps state between calls.
import { loadavg } from 'node:os';
import { currentLoad, mem } from 'systeminformation';
import type { CapacitySnapshot } from './protocol.ts';

export type Measurement = Pick<CapacitySnapshot, 'cpuUtilisation' | 'memoryUtilisation' | 'cores' | 'loadAverage1m'>;

/** Measures once. */
export type Measure = () => Promise<Measurement>;

/** Makes a meter whose measurements never overlap: who asks while one runs gets that one. */
export function createMeter(): Measure {
  let running: Promise<Measurement> | null = null;
  return () => {
    running ??= measure().finally(() => {
      running = null;
    });
    return running;
  };
}

/** CPU is the mean since the measurement before; the first one is the mean since the machine started. */
async function measure(): Promise<Measurement> {
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
