// What decoders of stored text are made of.

/** Something stored is not what a store writes: damaged, edited by hand, or of another program. */
export class StoredTextError extends Error {
  constructor(path: string, expected: string) {
    super(`the stored text at ${path} is not ${expected}; it was damaged or changed by something else than weir`);
    this.name = 'StoredTextError';
  }
}

export type Members = Readonly<Record<string, unknown>>;
export type Decode<T> = (value: unknown, path: string) => T;

export function members(value: unknown, path: string): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new StoredTextError(path, 'an object');
  return Object.fromEntries(Object.entries(value));
}

export function string(value: unknown, path: string): string {
  if (typeof value !== 'string') throw new StoredTextError(path, 'a text');
  return value;
}

export function number(value: unknown, path: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new StoredTextError(path, 'a number');
  return value;
}

export function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new StoredTextError(what, 'JSON');
  }
}

export function oneOf<T extends string>(words: readonly T[], value: unknown, path: string): T {
  const found = words.find((word) => word === value);
  if (found === undefined) throw new StoredTextError(path, `one of ${words.join(', ')}`);
  return found;
}

export function record<T>(decode: Decode<T>): Decode<Readonly<Record<string, T>>> {
  return (value, path) =>
    Object.fromEntries(Object.entries(members(value, path)).map(([name, member]) => [name, decode(member, `${path}.${name}`)]));
}

export function list<T>(decode: Decode<T>): Decode<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw new StoredTextError(path, 'a list');
    return value.map((item, index) => decode(item, `${path}[${index}]`));
  };
}

/** Null stays null. */
export function nullable<T>(decode: Decode<T>): Decode<T | null> {
  return (value, path) => (value === null ? null : decode(value, path));
}
