// What the machine allows this host, and what the config may ask of it: open files, memory, backlogs. Read once, at the start.
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import type { Config } from '../config/config.ts';
import { BACKLOG } from '../listener/acceptor.ts';

/** Null: there is none, or this system does not tell. */
export interface MachineLimits {
  /** Of one process. */
  readonly openFiles: number | null;
  /** Bytes, of all processes of the control group together. */
  readonly memory: number | null;
  /** Connections that wait at one listening socket. */
  readonly backlog: number | null;
}

/** Throws when there is no such file. */
export type ReadText = (path: string) => string;

const MIB = 2 ** 20;
/** What a process opens beside connections: files of the program, logs, sockets to the controller, certificates as they are read. */
const OWN_FILES = 64;
/** Of the memory limit. The rest is for what is not on a heap: buffers, sockets, TLS, code, and the page cache of the store. */
const HEAPS = 0.7;
/** The supervisor's, which holds nothing. */
const SUPERVISOR_MIB = 48;
/** Below it a worker with a usual config collects garbage most of the time. */
const LEAST_HEAP_MIB = 96;
/** What V8 takes by itself where there is memory; a share above it changes nothing for the better. */
const MOST_HEAP_MIB = 4096;
/** Control groups of version 1 say "none" by the largest multiple of a page. */
const NO_LIMIT_V1 = 2 ** 60;

export function readMachineLimits(read: ReadText = (path) => readFileSync(path, 'utf8')): MachineLimits {
  return { openFiles: openFilesIn(attempt(read, '/proc/self/limits')), memory: memoryLimit(read), backlog: somaxconn(read) };
}

/** The hard limit of `/proc/PID/limits`, to which Node raises the soft one. */
export function openFilesIn(limits: string | null): number | null {
  const hard = /^Max open files\s+\S+\s+(\d+)/m.exec(limits ?? '')?.[1];
  return hard === undefined ? null : Number(hard);
}

function somaxconn(read: ReadText): number | null {
  const text = attempt(read, '/proc/sys/net/core/somaxconn')?.trim() ?? '';
  return /^\d+$/.test(text) ? Number(text) : null;
}

/** The least limit of the control group and of those it is in, of either version. */
export function memoryLimit(read: ReadText): number | null {
  const groups = attempt(read, '/proc/self/cgroup') ?? '';
  const limits: number[] = [];
  for (const [, controllers = '', path = '/'] of groups.matchAll(/^\d+:([^:]*):(.*)$/gm)) {
    const version1 = controllers.split(',').includes('memory');
    if (controllers !== '' && !version1) continue;
    const root = version1 ? '/sys/fs/cgroup/memory' : '/sys/fs/cgroup';
    const file = version1 ? 'memory.limit_in_bytes' : 'memory.max';
    // In a container the path may be that of the machine outside, and then the root is the group itself.
    for (let at = path; ; at = posix.dirname(at)) {
      const text = attempt(read, posix.join(root, at, file))?.trim() ?? '';
      if (/^\d+$/.test(text) && Number(text) < NO_LIMIT_V1) limits.push(Number(text));
      if (at === '/' || at === '.') break;
    }
  }
  return limits.length === 0 ? null : Math.min(...limits);
}

/** MiB of heap for each worker and for the controller, so that all of them together keep the limit; null: as V8 has it. */
export function heapMiB({ memory }: Pick<MachineLimits, 'memory'>, workers: number): number | null {
  if (memory === null) return null;
  const share = Math.floor(((memory / MIB) * HEAPS - SUPERVISOR_MIB) / (workers + 1));
  return share >= MOST_HEAP_MIB ? null : Math.max(share, LEAST_HEAP_MIB);
}

/** One sentence for each limit that the config may run into: what is too small for what, and what to do. */
export function limitWarnings(config: Pick<Config, 'workers' | 'listeners' | 'clusters'>, machine: MachineLimits): readonly string[] {
  return [filesWarning(config, machine), memoryWarning(config, machine), backlogWarning(machine)].filter((warning) => warning !== null);
}

function filesWarning({ listeners, clusters }: Pick<Config, 'listeners' | 'clusters'>, { openFiles }: MachineLimits): string | null {
  if (openFiles === null) return null;
  const clients = listeners.reduce((sum, { limits }) => sum + limits.connections, 0);
  const upstream = Object.values(clusters).reduce((sum, { endpoints, maxConnections }) => sum + endpoints.length * maxConnections, 0);
  // A request of a client needs at most one connection to an endpoint at a time.
  const needed = clients + Math.min(clients, upstream) + OWN_FILES;
  if (needed <= openFiles) return null;
  const named = listeners.map(({ name, limits }) => `${name} ${limits.connections}`).join(', ');
  return (
    `a worker may have ${openFiles} files open, and its listeners may accept ${clients} connections (${named}), which with those to endpoints ` +
    `needs ${needed}: with no file left, connections wait unaccepted and requests fail. ` +
    `Set LimitNOFILE=${roundUp(needed)} in the unit (\`ulimit -n\` in a shell), or lower listeners.*.limits.connections`
  );
}

function memoryWarning({ workers }: Pick<Config, 'workers'>, { memory }: MachineLimits): string | null {
  if (memory === null) return null;
  const least = Math.ceil((LEAST_HEAP_MIB * (workers + 1) + SUPERVISOR_MIB) / HEAPS);
  if (memory >= least * MIB) return null;
  return (
    `the memory limit is ${Math.floor(memory / MIB)} MiB, and ${workers} workers with the controller need ${least} MiB: ` +
    `the system may kill one of them at any time. Set MemoryMax=${roundUp(least)}M in the unit, or fewer workers`
  );
}

function backlogWarning({ backlog }: MachineLimits): string | null {
  if (backlog === null || backlog >= BACKLOG) return null;
  return (
    `net.core.somaxconn is ${backlog}, so no more connections than that wait to be accepted, and those of a burst above it are lost. ` +
    `\`sysctl -w net.core.somaxconn=${BACKLOG}\`, and in /etc/sysctl.d to keep it`
  );
}

/** To the next power of two. */
function roundUp(needed: number): number {
  return 2 ** Math.ceil(Math.log2(needed));
}

function attempt(read: ReadText, path: string): string | null {
  try {
    return read(path);
  } catch {
    return null;
  }
}
