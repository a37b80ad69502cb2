// What requests are counted by, as the file writes it.
import type { LimitKeyPart } from './limit-config.ts';

const PLAIN = ['address', 'consumer', 'route', 'host'] as const;

/** Null: the text is none. */
export function readLimitKey(text: string): LimitKeyPart | null {
  const plain = PLAIN.find((kind) => kind === text);
  if (plain !== undefined) return { kind: plain };
  const [, kind, name = ''] = /^(header|claim):(.{1,255})$/.exec(text) ?? [];
  if (kind === 'claim') return { kind, name };
  return kind === 'header' && /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) ? { kind, name: name.toLowerCase() } : null;
}
