// How JSON of unknown shape becomes checked values whose every string is safe to draw: small decoders that are put together.
import { cleanText } from './text.ts';

/** The appliance sent something that is no status; says where and what was expected. */
export class StatusUnreadable extends Error {
  constructor(path: string, expected: string, got: unknown) {
    const shown = (JSON.stringify(got) as string | undefined) ?? 'nothing';
    super(`the appliance sent a status this version cannot read: ${path} should be ${expected}, got ${cleanText(shown).slice(0, 60)}`);
    this.name = 'StatusUnreadable';
  }
}

export type Decoder<T> = (value: unknown, path: string) => T;

/** Names and reasons come again every second; what was cleaned once is not looked at again. */
const cleaned = new Map<string, string>();
const MAX_CLEANED = 20_000;

export const text: Decoder<string> = (value, path) => {
  if (typeof value !== 'string') throw new StatusUnreadable(path, 'text', value);
  const known = cleaned.get(value);
  if (known !== undefined) return known;
  const clean = cleanText(value);
  if (cleaned.size >= MAX_CLEANED) cleaned.clear();
  cleaned.set(value, clean);
  return clean;
};

export const figure: Decoder<number> = (value, path) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new StatusUnreadable(path, 'a number', value);
  return value;
};

export const flag: Decoder<boolean> = (value, path) => {
  if (typeof value !== 'boolean') throw new StatusUnreadable(path, 'true or false', value);
  return value;
};

export function nullable<T>(decode: Decoder<T>): Decoder<T | null> {
  return (value, path) => (value === null || value === undefined ? null : decode(value, path));
}

export function list<T>(decode: Decoder<T>): Decoder<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw new StatusUnreadable(path, 'a list', value);
    return value.map((item: unknown, index) => decode(item, `${path}[${index}]`));
  };
}

/** Absent stays absent. */
export function optional<T>(decode: Decoder<T>): Decoder<T | undefined> {
  return (value, path) => (value === undefined ? undefined : decode(value, path));
}

/** What an older appliance does not send is nothing. */
export function listOrNone<T>(decode: Decoder<T>): Decoder<readonly T[]> {
  return (value, path) => (value === undefined ? [] : list(decode)(value, path));
}

export function record<T>(decode: Decoder<T>): Decoder<Readonly<Record<string, T>>> {
  return (value, path) => {
    const fields = entries(value, path).map(([name, item]) => [cleanText(name), decode(item, `${path}.${name}`)] as const);
    return Object.fromEntries(fields);
  };
}

export function oneOf<const T extends string>(...words: readonly T[]): Decoder<T> {
  return (value, path) => {
    const word = words.find((each) => each === value);
    if (word === undefined) throw new StatusUnreadable(path, `one of ${words.join(', ')}`, value);
    return word;
  };
}

function entries(value: unknown, path: string): readonly (readonly [string, unknown])[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new StatusUnreadable(path, 'an object', value);
  return Object.entries(value);
}

/** Every field of T with its decoder; fields that are not named are left out, so an appliance may send more than this version knows. */
type Fields<T> = { readonly [Name in keyof T]-?: Decoder<T[Name]> };

export function object<T>(fields: Fields<T>): Decoder<T> {
  const names = Object.keys(fields) as (keyof T & string)[];
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new StatusUnreadable(path, 'an object', value);
    const decoded: Partial<T> = {};
    for (const name of names) {
      // Read without a copy of the whole: thousands of these are decoded each second.
      const given: unknown = Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
      const read = fields[name](given, path === '' ? name : `${path}.${name}`);
      if (read !== undefined) decoded[name] = read;
    }
    // A decoding border: the loop has set every key of Fields<T> that is there, which are the keys of T.
    return decoded as T;
  };
}

/**
 * What was decoded once is not decoded again: documents that follow each other share what has not changed (apply-delta.ts). Only for what
 * decodes the same wherever it stands.
 */
export function remembered<T>(decode: Decoder<T>): Decoder<T> {
  const known = new WeakMap<object, { readonly value: T }>();
  return (value, path) => {
    if (typeof value !== 'object' || value === null) return decode(value, path);
    const found = known.get(value);
    if (found !== undefined) return found.value;
    const decoded = decode(value, path);
    known.set(value, { value: decoded });
    return decoded;
  };
}
