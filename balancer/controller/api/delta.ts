// What has changed between two JSON documents, small where little has: fields by name, lists that moved by a few items. Pure.
import type { Delta } from './feed-view.ts';

/** Lists move by a few items at their ends: seconds of a trend, events. More is sent whole. */
const MAX_MOVE = 8;

/** Null: nothing has changed. Both are plain JSON: objects, lists, strings, numbers, booleans and null. */
export function deltaOf(before: unknown, after: unknown): { readonly delta: Delta } | null {
  if (Object.is(before, after)) return null;
  if (Array.isArray(before) && Array.isArray(after)) return ofLists(before, after);
  if (isRecord(before) && isRecord(after)) return ofRecords(before, after);
  return { delta: whole(after) };
}

/** A plain value stands for itself; what could be taken for a delta is wrapped. */
function whole(value: unknown): Delta {
  if (value === null || typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean') return value;
  return { '=': value };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

type Fields = Readonly<Record<string, unknown>>;

/** A field that is there as undefined is not there, as in JSON; one that only its prototype has is not there either. */
function valueOf(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

function ofRecords(before: Fields, after: Fields): { readonly delta: Delta } | null {
  const changed: [string, Delta][] = [];
  for (const [name, value] of Object.entries(after)) {
    if (value === undefined) continue;
    const was = valueOf(before, name);
    const found = was === undefined ? { delta: whole(value) } : deltaOf(was, value);
    if (found !== null) changed.push([name, found.delta]);
  }
  const gone = Object.keys(before).filter((name) => before[name] !== undefined && valueOf(after, name) === undefined);
  if (changed.length + gone.length === 0) return null;
  // From entries: `__proto__` is a name like any other.
  const o = Object.fromEntries(changed);
  return { delta: gone.length === 0 ? { o } : { o, '-': gone } };
}

interface Move {
  readonly front: number;
  readonly back: number;
  /** New items before those that stayed. */
  readonly added: number;
}

function ofLists(before: readonly unknown[], after: readonly unknown[]): { readonly delta: Delta } | null {
  const move = moveOf(before, after);
  if (move === null) return { delta: { '=': after } };
  const kept = before.length - move.front - move.back;
  const at: Record<string, Delta> = {};
  let changes = 0;
  for (let index = 0; index < kept; index += 1) {
    const place = index + move.added;
    const found = deltaOf(before[index + move.front], after[place]);
    if (found === null) continue;
    at[String(place)] = found.delta;
    changes += 1;
  }
  const front = after.slice(0, move.added);
  const back = after.slice(move.added + kept);
  if (changes === 0 && move.front + move.back + front.length + back.length === 0) return null;
  return {
    delta: {
      a: {
        ...(move.front + move.back === 0 ? {} : { drop: [move.front, move.back] }),
        ...(front.length === 0 ? {} : { front }),
        ...(back.length === 0 ? {} : { back }),
        ...(changes === 0 ? {} : { at }),
      },
    },
  };
}

/** How the list moved; null: it is another list. Lists of things are compared by their identity, lists of figures by their values. */
function moveOf(before: readonly unknown[], after: readonly unknown[]): Move | null {
  const identity = before.length > 0 && after.length > 0 && isRecord(before[0]) ? identityOf : (value: unknown) => value;
  const [one, other] = [before.map(identity), after.map(identity)];
  if (one.length === other.length && one.every((id, index) => id === other[index])) return { front: 0, back: 0, added: 0 };
  for (let shift = 1; shift <= MAX_MOVE; shift += 1) {
    // Oldest first: the first items went, new ones came at the end. Newest first: the other way round.
    const forward = overlap(one.slice(shift), other);
    if (forward !== null) return { front: shift, back: one.length - shift - forward, added: 0 };
    const backward = overlap(one, other.slice(shift));
    if (backward !== null) return { front: 0, back: one.length - backward, added: shift };
  }
  // Items came or went at the end alone.
  const begun = overlap(one, other);
  return begun === null ? null : { front: 0, back: one.length - begun, added: 0 };
}

/** How many items both have from their beginnings on, if the shorter one is a beginning of the other; null: it is not, or it is empty. */
function overlap(one: readonly unknown[], other: readonly unknown[]): number | null {
  const length = Math.min(one.length, other.length);
  if (length === 0) return null;
  for (let index = 0; index < length; index += 1) if (one[index] !== other[index]) return null;
  return length;
}

/** What tells items of a list apart, in the words of the views. */
const IDENTITIES = ['sequence', 'id', 'name', 'revision', 'of', 'service', 'code'] as const;

function identityOf(value: unknown): unknown {
  if (!isRecord(value)) return value;
  if (typeof value['version'] === 'string' && typeof value['cluster'] === 'string') return `${value['version']}/${value['cluster']}`;
  for (const name of IDENTITIES) if (value[name] !== undefined) return value[name];
  return null;
}
