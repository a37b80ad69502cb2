// A disk of its own for a directory of a test, so small that it can be filled to the last byte.
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

export interface SmallDisk {
  /** Until nothing can be written any more, by anybody. */
  fill(): void;
  makeRoom(): void;
}

const PIECE = Buffer.alloc(4096);

/** A text: why there can be none here. The directory is made if it is missing. */
export function mountSmallDisk(t: TestContext, directory: string, bytes: number): SmallDisk | string {
  mkdirSync(directory, { recursive: true });
  const { status, stderr, error } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes},mode=700`, 'weir-test', directory], {
    encoding: 'utf8',
  });
  if (status !== 0) return `mount -t tmpfs: ${error?.message ?? stderr.trim()}`;
  // Also while processes have files there.
  t.after(() => void spawnSync('umount', ['-l', directory]));
  const filler = join(directory, 'filler');
  return { fill: () => fillUp(filler), makeRoom: () => rmSync(filler, { force: true }) };
}

function fillUp(path: string): void {
  const file = openSync(path, 'a');
  try {
    // Pieces first; then bytes, for what is left of the last page.
    for (const piece of [PIECE, PIECE.subarray(0, 1)]) {
      try {
        for (;;) writeSync(file, piece);
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
      }
    }
  } finally {
    closeSync(file);
  }
}
