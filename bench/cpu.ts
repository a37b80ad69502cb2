// CPU time of processes as the kernel counts it in /proc.
import { readdirSync, readFileSync } from 'node:fs';

/** The kernel reports process times in 1/100 s to user space, whatever its own tick (USER_HZ). */
const TICK_MICROSECONDS = 10_000;

export interface ProcessTimes {
  readonly parent: number;
  /** User and system time since the process started, all threads, without its children. */
  readonly cpuMicroseconds: number;
}

/** Reads one line of /proc/PID/stat; null when it is not one. Fields: proc(5). The name in parentheses may hold anything. */
export function parseStat(text: string): ProcessTimes | null {
  const nameEnd = text.lastIndexOf(')');
  if (nameEnd < 0) return null;
  // Behind the name the first field is number 3 (state), so utime (14) and stime (15) stand at 11 and 12, the parent (4) at 1.
  const fields = text.slice(nameEnd + 2).split(' ');
  const [parent, user, system] = [Number(fields[1]), Number(fields[11]), Number(fields[12])];
  if (!Number.isInteger(parent) || !Number.isInteger(user) || !Number.isInteger(system)) return null;
  return { parent, cpuMicroseconds: (user + system) * TICK_MICROSECONDS };
}

/** The times of a process; null when it is gone. */
export function processTimes(pid: number): ProcessTimes | null {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return null;
  }
}

/** A process and everything below it. */
export function withDescendants(root: number): readonly number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    const times = Number.isInteger(pid) ? processTimes(pid) : null;
    if (times !== null) parents.set(pid, times.parent);
  }
  const found = [root];
  for (const pid of found) {
    for (const [child, parent] of parents) if (parent === pid) found.push(child);
  }
  return found;
}

/** CPU time so far, by process. */
export type CpuReading = ReadonlyMap<number, number>;

/** Reads the processes that are alive. */
export function readCpu(pids: readonly number[]): CpuReading {
  const reading = new Map<number, number>();
  for (const pid of pids) {
    const times = processTimes(pid);
    if (times !== null) reading.set(pid, times.cpuMicroseconds);
  }
  return reading;
}

/** What was used between two readings. A process that came in between counts from its start; one that went is told in `lost`. */
export function cpuBetween(before: CpuReading, after: CpuReading): { readonly microseconds: number; readonly lost: number } {
  let microseconds = 0;
  for (const [pid, used] of after) microseconds += used - (before.get(pid) ?? 0);
  const lost = [...before.keys()].filter((pid) => !after.has(pid)).length;
  return { microseconds, lost };
}
