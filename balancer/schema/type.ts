// How the form of what comes in is written down: plain JSON Schema that carries the TypeScript type of what fits it.

declare const FITS: unique symbol;
const OPTIONAL = Symbol('optional');

/** A JSON Schema; `T` is the type of what fits it, known to the compiler alone. */
export interface Schema<T = unknown> {
  readonly [keyword: string]: unknown;
  readonly [FITS]?: T;
}

/** A property that may be missing. */
export interface OptionalSchema<T = unknown> extends Schema<T> {
  readonly [OPTIONAL]: true;
}

/** The type of what fits a schema. */
export type Static<S extends Schema> = S extends Schema<infer T> ? T : never;

export type Properties = Readonly<Record<string, Schema>>;

type OptionalKeys<P extends Properties> = { [K in keyof P]: P[K] extends OptionalSchema ? K : never }[keyof P];
type Flat<T> = { [K in keyof T]: T[K] };
/** The type of a mapping with these properties. */
export type Fitting<P extends Properties> = Flat<
  { [K in Exclude<keyof P, OptionalKeys<P>>]: Static<P[K]> } & { [K in OptionalKeys<P>]?: Static<P[K]> }
>;

type Keywords = Readonly<Record<string, unknown>>;

/** The forms there are; `options` are further keywords: a description, bounds, a default. */
export const Type = {
  String: (options: Keywords = {}): Schema<string> => ({ ...options, type: 'string' }),
  Number: (options: Keywords = {}): Schema<number> => ({ ...options, type: 'number' }),
  Integer: (options: Keywords = {}): Schema<number> => ({ ...options, type: 'integer' }),
  Boolean: (options: Keywords = {}): Schema<boolean> => ({ ...options, type: 'boolean' }),
  Null: (options: Keywords = {}): Schema<null> => ({ ...options, type: 'null' }),

  /** This value and no other. */
  Literal: <const T extends string | number | boolean>(value: T, options: Keywords = {}): Schema<T> => ({
    ...options,
    const: value,
    type: typeof value,
  }),

  Array: <S extends Schema>(items: S, options: Keywords = {}): Schema<Static<S>[]> => ({ ...options, type: 'array', items }),

  /** Properties that are not wrapped in Optional must be there. */
  Object: <const P extends Properties>(properties: P, options: Keywords = {}): Schema<Fitting<P>> => {
    const required = Object.keys(properties).filter((name) => properties[name] !== undefined && !(OPTIONAL in properties[name]));
    return { ...options, type: 'object', ...(required.length > 0 ? { required } : {}), properties };
  },

  Optional: <T>(schema: Schema<T>): OptionalSchema<T> => ({ ...schema, [OPTIONAL]: true }),

  /** A mapping from any name, or from names that match the key's pattern. */
  Record: <S extends Schema>(key: Schema<string>, value: S, options: Keywords = {}): Schema<Record<string, Static<S>>> => {
    const { pattern } = key;
    const values = typeof pattern === 'string' ? { patternProperties: { [pattern]: value } } : { additionalProperties: value };
    return { ...options, type: 'object', ...values };
  },

  Union: <S extends Schema>(forms: readonly S[], options: Keywords = {}): Schema<Static<S>> => ({ ...options, anyOf: forms }),

  /** JSON Schema as it is given, for a form that the others do not have. */
  Unsafe: <T>(schema: Keywords): Schema<T> => schema,
} as const;
