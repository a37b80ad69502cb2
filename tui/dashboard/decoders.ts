// How JSON of unknown shape becomes checked values whose every string is safe to draw: small decoders that are put together.
import { cleanText } from './text.ts';

/** The appliance sent something that is no status; says where and what was expected. */
export class StatusUnreadable extends Error {
  #path: string;
  readonly #problem: string;

  /** `path`: in the value that was decoded; empty: the value itself. */
  constructor(path: string, expected: string, got: unknown) {
    const shown = (JSON.stringify(got) as string | undefined) ?? 'nothing';
    const problem = `should be ${expected}, got ${cleanText(shown).slice(0, 60)}`;
    super(told(path, problem));
    this.name = 'StatusUnreadable';
    this.#path = path;
    this.#problem = problem;
  }

  /** Of what this is a part of: a path is put together when something is wrong, since thousands of values are decoded each second. */
  isIn(part: string): this {
    const path = this.#path;
    const whole = path === '' ? part : path.startsWith('[') ? part + path : `${part}.${path}`;
    this.#path = whole;
    this.message = told(whole, this.#problem);
    return this;
  }
}

const told = (path: string, problem: string): string => `the appliance sent a status this version cannot read: ${path} ${problem}`;

/** Throws StatusUnreadable, with the path from `value` on. */
export type Decoder<T> = (value: unknown) => T;

/** Decodes a part; what is wrong with it is told with its place. */
export function part<T>(decode: Decoder<T>, value: unknown, place: string): T {
  try {
    return decode(value);
  } catch (error) {
    throw within(error, place);
  }
}

const within = (error: unknown, place: string): unknown => (error instanceof StatusUnreadable ? error.isIn(place) : error);

/** Names and reasons come again every second; what was cleaned once is not looked at again. */
const cleaned = new Map<string, string>();
const MAX_CLEANED = 20_000;

export const text: Decoder<string> = (value) => {
  if (typeof value !== 'string') throw new StatusUnreadable('', 'text', value);
  const known = cleaned.get(value);
  if (known !== undefined) return known;
  const clean = cleanText(value);
  if (cleaned.size >= MAX_CLEANED) cleaned.clear();
  cleaned.set(value, clean);
  return clean;
};

export const figure: Decoder<number> = (value) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new StatusUnreadable('', 'a number', value);
  return value;
};

export const flag: Decoder<boolean> = (value) => {
  if (typeof value !== 'boolean') throw new StatusUnreadable('', 'true or false', value);
  return value;
};

export function nullable<T>(decode: Decoder<T>): Decoder<T | null> {
  return (value) => (value === null || value === undefined ? null : decode(value));
}

export function list<T>(decode: Decoder<T>): Decoder<readonly T[]> {
  return (value) => {
    if (!Array.isArray(value)) throw new StatusUnreadable('', 'a list', value);
    const items: readonly unknown[] = value;
    const decoded: T[] = [];
    try {
      for (const item of items) decoded.push(decode(item));
    } catch (error) {
      throw within(error, `[${decoded.length}]`);
    }
    return decoded;
  };
}

/** Absent stays absent. */
export function optional<T>(decode: Decoder<T>): Decoder<T | undefined> {
  return (value) => (value === undefined ? undefined : decode(value));
}

/** What an older appliance does not send is nothing. */
export function listOrNone<T>(decode: Decoder<T>): Decoder<readonly T[]> {
  return (value) => (value === undefined ? [] : list(decode)(value));
}

export function record<T>(decode: Decoder<T>): Decoder<Readonly<Record<string, T>>> {
  return (value) => {
    const fields = entries(value).map(([name, item]) => [cleanText(name), part(decode, item, name)] as const);
    return Object.fromEntries(fields);
  };
}

export function oneOf<const T extends string>(...words: readonly T[]): Decoder<T> {
  return (value) => {
    const word = words.find((each) => each === value);
    if (word === undefined) throw new StatusUnreadable('', `one of ${words.join(', ')}`, value);
    return word;
  };
}

function entries(value: unknown): readonly (readonly [string, unknown])[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new StatusUnreadable('', 'an object', value);
  return Object.entries(value);
}

/** Every field of T with its decoder; fields that are not named are left out, so an appliance may send more than this version knows. */
type Fields<T> = { readonly [Name in keyof T]-?: Decoder<T[Name]> };

export function object<T>(fields: Fields<T>): Decoder<T> {
  const names = Object.keys(fields) as (keyof T & string)[];
  const inherited = names.find((name) => name in Object.prototype);
  if (inherited !== undefined) throw new Error(`a field cannot be called ${inherited}: every object has that`);
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new StatusUnreadable('', 'an object', value);
    const decoded: Partial<T> = {};
    let at = '';
    try {
      for (const name of names) {
        at = name;
        const read = fields[name]((value as Readonly<Record<string, unknown>>)[name]);
        if (read !== undefined) decoded[name] = read;
      }
    } catch (error) {
      throw within(error, at);
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
  return (value) => {
    if (typeof value !== 'object' || value === null) return decode(value);
    const found = known.get(value);
    if (found !== undefined) return found.value;
    const decoded = decode(value);
    known.set(value, { value: decoded });
    return decoded;
  };
}
