// What a rule is: one keyword of a schema, ready to be asked of values.
import type { Schema } from './type.ts';

/** One thing that does not fit. */
export interface SchemaFailure {
  /** Of JSON Schema, or `kind`. */
  readonly keyword: string;
  readonly path: readonly (string | number)[];
  /** It is the name of the last key that does not fit, not its value. */
  readonly atKey: boolean;
  readonly params: Readonly<Record<string, unknown>>;
  readonly data: unknown;
  readonly schema: Schema;
}

export interface SchemaReading {
  /** Missing properties that have a default get it, except inside of unions. */
  readonly defaults?: boolean;
  /** Texts become the numbers and truth values that they spell, where one is expected: a query string has only texts. */
  readonly spelled?: boolean;
  /** Keys that a mapping does not list are failures also where its schema does not say so. */
  readonly closed?: boolean;
  /** Whether a value is of a kind, for the keyword `kind`; or why not, in words of its own. */
  readonly kind?: (name: string, value: unknown) => boolean | string;
}

/** What is known on the way down. */
export interface Walk {
  /** Of the value that is checked now. */
  readonly path: (string | number)[];
  readonly failures: SchemaFailure[];
}

export type Check = (value: unknown, walk: Walk) => void;

/** False: nothing else needs to be said of the value. */
export type Rule = (value: unknown, walk: Walk) => boolean;

/** Where a keyword stands. */
export interface At {
  readonly keyword: string;
  readonly schema: Schema;
  readonly reading: SchemaReading;
  /** The check of a schema inside of this one. */
  readonly part: (schema: unknown, reading?: SchemaReading) => Check;
}

export type RuleMaker = (argument: unknown, at: At) => Rule;

export function fail(walk: Walk, { keyword, schema }: At, data: unknown, params: Readonly<Record<string, unknown>> = {}): void {
  walk.failures.push({ keyword, path: [...walk.path], atKey: false, params, data, schema });
}

/** A mapping, as JSON has them. */
export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
