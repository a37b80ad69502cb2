// Compares text with a file of the repository. `UPDATE_GOLDEN=1 npm test` (or `node --test` on one file) writes the files anew: read the diff.
import { deepEqual } from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', 'golden');

/** `name` is a path under test/golden. The file ends in a line break that the text does not have. */
export function assertGolden(name: string, text: string): void {
  const path = join(ROOT, name);
  if (process.env['UPDATE_GOLDEN'] === '1') {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${text}\n`);
  }
  // Lists of lines, so that a failure shows the lines that differ.
  deepEqual(text.split('\n'), readGolden(path).split('\n'));
}

function readGolden(path: string): string {
  try {
    return readFileSync(path, 'utf8').replace(/\n$/, '');
  } catch (error) {
    throw new Error(`${path} is missing; UPDATE_GOLDEN=1 node --test FILE writes it`, { cause: error });
  }
}
