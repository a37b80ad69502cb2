// Differences between two revisions as people read them: percentages in place of millionths, and of what has many members only those that differ. Pure.
import type { FieldDifference } from '../balancer/controller/api/views.ts';
import { UNKNOWN } from './format.ts';

export interface ReadableDifference {
  readonly field: string;
  readonly before: string;
  readonly after: string;
}

/** Members that hold shares in millionths: their value is one thing. */
const SHARES = new Set(['split', 'splitSeed', 'from', 'steps']);
/** Parts of these are compared member by member. */
const MANY_MEMBERS = new Set(['rollout']);

export function readableDifferences(differences: readonly FieldDifference[]): readonly ReadableDifference[] {
  return differences.flatMap(({ field, before, after }) => {
    const name = field.split('.').at(-1) ?? '';
    if (!MANY_MEMBERS.has(name) || !isRecord(before) || !isRecord(after)) return [readable(field, name, { before, after })];
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return names
      .filter((member) => JSON.stringify(before[member]) !== JSON.stringify(after[member]))
      .map((member) => readable(`${field}.${member}`, member, { before: before[member] ?? null, after: after[member] ?? null }));
  });
}

function readable(field: string, name: string, { before, after }: Pick<FieldDifference, 'before' | 'after'>): ReadableDifference {
  return { field, before: valueText(before, name), after: valueText(after, name) };
}

/** `name` is that of the member that holds the value. */
function valueText(value: unknown, name: string): string {
  if (value === null || value === undefined) return UNKNOWN;
  if (typeof value === 'number') return SHARES.has(name) ? `${Number((value / 10_000).toFixed(4))}%` : String(value);
  if (typeof value === 'string') return value === '' ? '""' : value;
  if (Array.isArray(value)) return value.map((each) => valueText(each, name)).join(' ');
  if (!isRecord(value)) return JSON.stringify(value);
  const parts = Object.entries(value).map(([key, each]) => {
    const text = valueText(each, typeof each === 'number' && SHARES.has(name) ? name : key);
    return isRecord(each) ? `${key} (${text})` : `${key} ${text}`;
  });
  return parts.join(', ');
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
