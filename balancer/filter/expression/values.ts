// What expressions work on: types as they are known from the file, values as they are met at run time, and failures, which are values too.

export type ValueType =
  | { readonly kind: 'bool' | 'int' | 'double' | 'string' | 'timestamp' | 'duration' | 'null' | 'dyn' }
  | { readonly kind: 'list' | 'map'; readonly of: ValueType };

export const BOOL: ValueType = { kind: 'bool' };
export const INT: ValueType = { kind: 'int' };
export const DOUBLE: ValueType = { kind: 'double' };
export const STRING: ValueType = { kind: 'string' };
export const TIMESTAMP: ValueType = { kind: 'timestamp' };
export const DURATION: ValueType = { kind: 'duration' };
export const DYN: ValueType = { kind: 'dyn' };
export const listType = (of: ValueType): ValueType => ({ kind: 'list', of });
export const mapType = (of: ValueType): ValueType => ({ kind: 'map', of });

/** Why an expression has no value: something is not there, is of another type, is no value (a division by 0), or took too many steps. */
export type FailureReason = 'missing' | 'type' | 'value' | 'cost';

/** In place of a value. No exception: what a client leaves out is nothing exceptional, and must cost no more than what it sends. */
export class Failed {
  readonly reason: FailureReason;
  /** Nothing that the client sent. */
  readonly detail: string;

  constructor(reason: FailureReason, detail: string) {
    this.reason = reason;
    this.detail = detail;
  }
}

export class Instant {
  readonly ms: number;

  constructor(ms: number) {
    this.ms = ms;
  }
}

export class Span {
  readonly ms: number;

  constructor(ms: number) {
    this.ms = ms;
  }
}

/** A mapping that is looked up without being made. */
export abstract class Mapping {
  /** Undefined: it is not there. A Failed: it is there, and has no one value. */
  abstract get(name: string): unknown;
  abstract names(): readonly string[];
}

export type JsonObject = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  !(value instanceof Instant) &&
  !(value instanceof Span) &&
  !(value instanceof Failed);

export const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

/** Own members only: what objects bring along is nobody's claim. Undefined: it is not there. */
export function memberOf(of: JsonObject, name: string): unknown {
  if (of instanceof Mapping) return of.get(name);
  return Object.hasOwn(of, name) ? of[name] : undefined;
}

export const namesIn = (of: JsonObject): readonly string[] => (of instanceof Mapping ? of.names() : Object.keys(of));

/** In words, for messages. */
export function typeText(type: ValueType): string {
  if (type.kind === 'list' || type.kind === 'map') {
    return type.of.kind === 'dyn' ? type.kind : `${type.kind} of ${typeText(type.of)}`;
  }
  return type.kind === 'dyn' ? 'value of any type' : type.kind;
}

/** Of a value that was met. */
export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (isList(value)) return 'list';
  if (value instanceof Instant) return 'timestamp';
  if (value instanceof Span) return 'duration';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return 'number';
  return typeof value === 'string' ? 'string' : 'map';
}

/** Whether values of both types may stand for each other. */
export function fits(one: ValueType, other: ValueType): boolean {
  if (one.kind === 'dyn' || other.kind === 'dyn') return true;
  if (one.kind !== other.kind) return false;
  return 'of' in one && 'of' in other ? fits(one.of, other.of) : true;
}
