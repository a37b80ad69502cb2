// Memory of processes as the kernel counts it in /proc.
import { readFileSync } from 'node:fs';

/** The number of KiB behind a name in a file of /proc, such as `Pss:    1234 kB`; null when it is not there. */
export function kibibytesOf(name: string, text: string): number | null {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1];
  return found === undefined ? null : Number(found);
}

function sum(pids: readonly number[], file: string, name: string): number {
  const read = (pid: number): number => {
    try {
      return kibibytesOf(name, readFileSync(`/proc/${pid}/${file}`, 'utf8')) ?? 0;
    } catch {
      return 0;
    }
  };
  return pids.reduce((total, pid) => total + read(pid), 0);
}

/** What the processes hold now, in KiB; pages that several share are divided among them. Processes that are gone count as 0. */
export const proportionalKiB = (pids: readonly number[]): number => sum(pids, 'smaps_rollup', 'Pss');

/** The most that was ever resident, in KiB, added up over the processes. */
export const peakKiB = (pids: readonly number[]): number => sum(pids, 'status', 'VmHWM');
