// The demo's side of its guard: a process that is told what was started, and cleans up if the demo is killed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { extname, join } from 'node:path';

const PROGRAM = join(import.meta.dirname, `guard-process${extname(import.meta.filename)}`);

export interface Guard {
  /** A process group was started. */
  started(pid: number): void;
  /** It ended. */
  ended(pid: number): void;
  /** All is cleaned up; settles when the guard is gone as well. */
  release(): Promise<void>;
}

/** Starts the guard of a directory, in a session of its own, so that nothing that ends the demo ends it too. */
export async function startGuard(directory: string): Promise<Guard> {
  const child = spawn(process.execPath, [PROGRAM, directory], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  // A guard that was killed hears nothing more; the demo goes on without it.
  child.stdin.on('error', () => undefined);
  await once(child, 'spawn');
  return {
    started: (pid) => void child.stdin.write(`+${pid}\n`),
    ended: (pid) => void child.stdin.write(`-${pid}\n`),
    release: async () => {
      child.stdin.end();
      await gone;
    },
  };
}
