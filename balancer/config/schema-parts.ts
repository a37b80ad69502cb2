// The bricks of the file's schema: single values of a kind, numbers, choices, mappings and values that have two forms.
import { Type, type Fitting, type Properties, type Schema, type Static } from '../schema/type.ts';
import type { KindName } from './kinds.ts';

/** A value of a kind (kinds.ts). Without a default it must be given, unless it is wrapped in Type.Optional. */
export function valueOf(kind: KindName, description: string, defaultValue?: string): Schema<string> {
  return formsOf<string>(kind, description, defaultValue);
}

/** A value of a kind that has other forms than text. */
export function formsOf<T>(kind: KindName, description: string, defaultValue?: T): Schema<T> {
  return Type.Unsafe<T>({ kind, description, ...(defaultValue === undefined ? {} : { default: defaultValue }) });
}

/** `500ms`, `2s`; never 0. */
export const duration = (description: string, defaultValue: string): Schema<string> => valueOf('duration', description, defaultValue);

/** One of a few words. */
export function choice<const T extends string>(words: readonly T[], description: string, defaultValue?: T): Schema<T> {
  return Type.Unsafe<T>({ type: 'string', enum: words, description, ...(defaultValue === undefined ? {} : { default: defaultValue }) });
}

/** A mapping with known keys and no others. */
export function mapping<T extends Properties>(properties: T, description: string, options: object = {}): Schema<Fitting<T>> {
  return Type.Object(properties, { description, additionalProperties: false, ...options });
}

/** A mapping whose every key has a default, so that it may be left out as a whole. */
export function optionalMapping<T extends Properties>(properties: T, description: string): Schema<Fitting<T>> {
  return mapping(properties, description, { default: {} });
}

/** Of a value that stands where a secret may be put by mistake: problems do not repeat it. */
export const NOT_REPEATED = { writeOnly: true } as const;

/** Where a secret is; the secret itself never stands in the file. */
export function secretOf(description: string) {
  return mapping(
    {
      file: Type.Optional(valueOf('file', 'File that holds it; read again for each use')),
      env: Type.Optional(Type.String({ minLength: 1, description: 'Environment variable of weir that holds it' })),
    },
    description,
    NOT_REPEATED,
  );
}

interface NamedOptions {
  readonly description: string;
  readonly default?: object;
  /** The smallest mapping, as an example: it needs at least one key. */
  readonly atLeastOne?: string;
}

/** A mapping from names of a kind to values of one form. */
export function named<T extends Schema>(key: KindName, value: T, options: NamedOptions): Schema<Record<string, Static<T>>> {
  const { atLeastOne, ...rest } = options;
  const bounds = atLeastOne === undefined ? {} : { minProperties: 1, expected: `at least one, such as ${atLeastOne}` };
  return Type.Unsafe<Record<string, Static<T>>>({
    type: 'object',
    propertyNames: { kind: key },
    additionalProperties: value,
    ...bounds,
    ...rest,
  });
}

/** A list without a default must be given. */
export function listOf<T extends Schema>(item: T, description: string, options: object = {}): Schema<Static<T>[]> {
  return Type.Unsafe<Static<T>[]>({ type: 'array', items: item, description, ...options });
}

/**
 * A mapping, or a plain value instead of it. One schema with two types and no `anyOf`, so that defaults inside the mapping are
 * filled in and a problem names the exact key.
 */
export function mappingOr<M extends Schema, V>(form: M, plain: object, options: object): Schema<Static<M> | V> {
  const plainType: unknown = Reflect.get(plain, 'type');
  return Type.Unsafe<Static<M> | V>({ ...form, ...plain, type: ['object', plainType], ...options });
}
