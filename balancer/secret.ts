// Secrets are read where they are kept, when they are needed.
import { readFileSync } from 'node:fs';
import type { SecretReference } from './config/config.ts';

/** Null: it is not there. Read each time, as secrets are replaced while the program runs. */
export function readSecret(reference: SecretReference): string | null {
  try {
    const text = 'file' in reference ? readFileSync(reference.file, 'utf8').trim() : (process.env[reference.env] ?? '').trim();
    return text === '' ? null : text;
  } catch {
    return null;
  }
}
