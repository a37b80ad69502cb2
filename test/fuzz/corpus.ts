// The kept inputs of a target: found once, tried with every run and by the tests ever after.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, 'corpus');

export interface KeptInput {
  readonly name: string;
  /** One character a byte. */
  readonly input: string;
}

export function keptInputs(target: string): readonly KeptInput[] {
  const folder = join(ROOT, target);
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).sort();
  return names.map((name) => ({ name, input: readFileSync(join(folder, name), 'latin1') }));
}

/** `kind` begins the name of the file; equal inputs are one file. Returns its path. */
export function keepInput(target: string, kind: 'new' | 'finding', input: string): string {
  const folder = join(ROOT, target);
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${kind}-${createHash('sha256').update(input, 'latin1').digest('hex').slice(0, 12)}`);
  writeFileSync(path, input, 'latin1');
  return path;
}
