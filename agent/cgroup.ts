// What a container may use and uses: /proc and systeminformation show the machine, whatever part of it the process was given.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Of the tightest group that holds the process; null where nothing is limited. */
export interface CgroupFigures {
  /** Cores it may use. */
  readonly cpuCores: number | null;
  /** CPU time used since the group began, in ms. */
  readonly cpuUsedMs: number;
  readonly memoryBytes: number | null;
  readonly memoryUsedBytes: number;
}

/** Null: there is no such file. */
export type ReadOptional = (path: string) => string | null;

const ROOT = '/sys/fs/cgroup';
/** cgroup v1 writes "unlimited" as a number near 2^63. */
const UNLIMITED_BYTES = 2 ** 60;

/** Null: there are no groups here, or none of them limits anything. */
export function readCgroup(read: ReadOptional = readOptional): CgroupFigures | null {
  const figures = read(`${ROOT}/cgroup.controllers`) === null ? readV1(read) : readV2(read);
  return figures === null || (figures.cpuCores === null && figures.memoryBytes === null) ? null : figures;
}

/** Limits of outer groups hold too, so the tightest on the way up counts. In a container with a namespace of its own the way is one step. */
function readV2(read: ReadOptional): CgroupFigures | null {
  const own = /^0::(\/.*)$/m.exec(read('/proc/self/cgroup') ?? '')?.[1] ?? '/';
  let cpuCores: number | null = null;
  let memoryBytes: number | null = null;
  let cpuAt = own;
  let memoryAt = own;
  for (const path of upwards(own)) {
    const [quota, period] = (read(join(ROOT, path, 'cpu.max')) ?? '').trim().split(' ').map(Number);
    if (quota !== undefined && period !== undefined && quota > 0 && quota / period < (cpuCores ?? Infinity))
      [cpuCores, cpuAt] = [quota / period, path];
    const most = Number((read(join(ROOT, path, 'memory.max')) ?? '').trim() || NaN);
    if (Number.isFinite(most) && most < (memoryBytes ?? Infinity)) [memoryBytes, memoryAt] = [most, path];
  }
  const used = /^usage_usec (\d+)$/m.exec(read(join(ROOT, cpuAt, 'cpu.stat')) ?? '')?.[1];
  if (used === undefined) return null;
  const current = Number(read(join(ROOT, memoryAt, 'memory.current')) ?? 0);
  // Pages of files that were not used lately are given back before anything is killed.
  const inactive = Number(/^inactive_file (\d+)$/m.exec(read(join(ROOT, memoryAt, 'memory.stat')) ?? '')?.[1] ?? 0);
  return { cpuCores, cpuUsedMs: Number(used) / 1000, memoryBytes, memoryUsedBytes: Math.max(0, current - inactive) };
}

function readV1(read: ReadOptional): CgroupFigures | null {
  const quota = Number(read(`${ROOT}/cpu/cpu.cfs_quota_us`) ?? -1);
  const period = Number(read(`${ROOT}/cpu/cpu.cfs_period_us`) ?? 0);
  const usedNs = read(`${ROOT}/cpuacct/cpuacct.usage`);
  if (usedNs === null) return null;
  const most = Number(read(`${ROOT}/memory/memory.limit_in_bytes`) ?? Infinity);
  const used = Number(read(`${ROOT}/memory/memory.usage_in_bytes`) ?? 0);
  const inactive = Number(/^total_inactive_file (\d+)$/m.exec(read(`${ROOT}/memory/memory.stat`) ?? '')?.[1] ?? 0);
  return {
    cpuCores: quota > 0 && period > 0 ? quota / period : null,
    cpuUsedMs: Number(usedNs) / 1e6,
    memoryBytes: most < UNLIMITED_BYTES ? most : null,
    memoryUsedBytes: Math.max(0, used - inactive),
  };
}

/** The group and all that hold it, up to the root. */
function* upwards(path: string): Generator<string> {
  for (let at = path; ; at = dirname(at)) {
    yield at;
    if (at === '/' || at === '.') return;
  }
}

function readOptional(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
