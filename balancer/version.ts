// The version of this program, as its package says.
import { readFileSync } from 'node:fs';

/** From the package this file stands in: one folder up in a checkout, two up in what `npm run build` made. */
export function weirVersion(): string {
  for (const candidate of ['../package.json', '../../package.json']) {
    const version = versionIn(new URL(candidate, import.meta.url));
    if (version !== null) return version;
  }
  return 'unknown';
}

function versionIn(file: URL): string | null {
  try {
    const manifest: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof manifest !== 'object' || manifest === null || !('name' in manifest) || !('version' in manifest)) return null;
    return manifest.name === 'weir' ? String(manifest.version) : null;
  } catch {
    return null;
  }
}
