// The two parts of a config file as texts: what is this host's own, and what all hosts of a fleet share.
import { createHash } from 'node:crypto';
import { hostProperties } from './schema-host.ts';

export interface FileParts {
  readonly host: string;
  readonly fleet: string;
}

const OF_HOST: ReadonlySet<string> = new Set(['version', ...Object.keys(hostProperties)]);
const KEY = /^(?:"([A-Za-z]+)"|'([A-Za-z]+)'|([A-Za-z]+))\s*:(?:\s|$)/;

/** Null: the file is not a mapping in block style with its keys at the beginnings of lines, as all examples are. */
export function filePartsOf(text: string): FileParts | null {
  const parts: Record<keyof FileParts, string> = { host: '', fleet: '' };
  let part: keyof FileParts = 'host';
  let before = '';
  for (const line of text.split('\n')) {
    const found = KEY.exec(line);
    const name = found?.[1] ?? found?.[2] ?? found?.[3];
    if (name === undefined && /^[{["'&*?|>-]/.test(line) && !line.startsWith('---')) return null;
    // A comment belongs to what it stands above.
    if (name === undefined && /^\s*(?:#.*)?$/.test(line)) {
      before += `${line}\n`;
      continue;
    }
    if (name !== undefined) part = OF_HOST.has(name) ? 'host' : 'fleet';
    parts[part] += `${before}${line}\n`;
    before = '';
  }
  return { host: parts.host, fleet: parts.fleet.trim() };
}

/** SHA-256, in hex. */
export function fleetFingerprint({ fleet }: FileParts): string {
  return createHash('sha256').update(fleet, 'utf8').digest('hex');
}
