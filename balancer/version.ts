// The version of this program, as its package says.
import { readFileSync } from 'node:fs';

/** From the package this file stands in: one folder up in a checkout, two up in what `npm run build` made. */
export function weirVersion(): string {
  for (const candidate of ['../package.json', '../../package.json']) {
    try {
      const manifest: unknown = JSON.parse(readFileSync(new URL(candidate, import.meta.url), 'utf8'));
      if (typeof manifest === 'object' && manifest !== null && 'version' in manifest) return String(manifest.version);
    } catch {
      // Not here: the other place.
    }
  }
  return 'unknown';
}
