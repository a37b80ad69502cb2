// What a route asks of a request besides host and path: method, header fields, query parameters.
import type { RouteMatch } from '../config/config.ts';
import type { FieldMatch, ValueMatch } from '../config/match-config.ts';
import { compilePattern } from '../config/pattern/linear-regex.ts';
import { fieldIndex, type Fields } from '../message/fields.ts';
import type { CanonicalRequest } from '../message/request.ts';

/** What routing looks at. */
export type RoutableRequest = Pick<CanonicalRequest, 'host' | 'path' | 'query' | 'method'> & { readonly fields: Readonly<Fields> };

/** Takes a value, or undefined where there is none. */
type ValueTest = (value: string | undefined) => boolean;

export interface NamedTest {
  readonly name: string;
  readonly test: ValueTest;
}

/** A route as one of those that share a host and a path. */
export interface Candidate {
  /** Position in the list of routes. */
  readonly index: number;
  /** Null: any. */
  readonly methods: ReadonlySet<string> | null;
  readonly headers: readonly NamedTest[];
  readonly query: readonly NamedTest[];
}

/** Most routes ask for nothing more; they share this. */
const NONE: readonly NamedTest[] = [];

export function compileCandidate(index: number, match: RouteMatch): Candidate {
  return {
    index,
    methods: match.methods.length === 0 ? null : new Set(match.methods),
    headers: match.headers.length === 0 ? NONE : match.headers.map(compileTest),
    query: match.query.length === 0 ? NONE : match.query.map(compileTest),
  };
}

/** Gateway API: a method before none, then more header fields, then more query parameters, then the order of the file. */
export function byRank(a: Candidate, b: Candidate): number {
  const withMethod = Number(b.methods !== null) - Number(a.methods !== null);
  return withMethod || b.headers.length - a.headers.length || b.query.length - a.query.length || a.index - b.index;
}

/** Whether host and path alone decide. */
export function asksNothing({ methods, headers, query }: Candidate): boolean {
  return methods === null && headers.length === 0 && query.length === 0;
}

export function holds(candidate: Candidate, request: RoutableRequest): boolean {
  if (candidate.methods !== null && !candidate.methods.has(request.method)) return false;
  for (const { name, test } of candidate.headers) if (!test(combinedValue(request.fields, name))) return false;
  for (const { name, test } of candidate.query) if (!test(firstParameter(request.query, name))) return false;
  return true;
}

/** The pattern must match the whole text; the config lets no other pattern through. */
export function compileTextTest(pattern: string): (text: string) => boolean {
  const compiled = compilePattern(pattern);
  if (!compiled.ok) throw new Error(`"${pattern}" passed the config and cannot be compiled: ${compiled.problem}`);
  return (text) => compiled.regex.test(text);
}

export function compileTest({ name, match }: FieldMatch): NamedTest {
  return { name, test: compileValueTest(match) };
}

function compileValueTest(match: ValueMatch): ValueTest {
  switch (match.kind) {
    case 'exact':
      return (value) => value === match.value;
    case 'regex': {
      const test = compileTextTest(match.value);
      return (value) => value !== undefined && test(value);
    }
    case 'present':
      return (value) => value !== undefined;
    case 'absent':
      return (value) => value === undefined;
  }
}

/** A field that is repeated counts as one with all values (RFC 9110 section 5.3). */
export function combinedValue(fields: Readonly<Fields>, name: string): string | undefined {
  const first = fieldIndex(fields, name);
  if (first < 0) return undefined;
  let value = fields[first];
  for (let at = first + 1; at < fields.length; at += 2) if (fields[at] === name) value = `${value ?? ''}, ${fields[at + 1] ?? ''}`;
  return value;
}

/** The value of the first parameter of that name, decoded; a parameter without `=` has the empty value. */
export function firstParameter(query: string, name: string): string | undefined {
  if (query === '') return undefined;
  for (const parameter of query.split('&')) {
    const equals = parameter.indexOf('=');
    const written = equals < 0 ? parameter : parameter.slice(0, equals);
    if (written === name || decode(written) === name) return equals < 0 ? '' : decode(parameter.slice(equals + 1));
  }
  return undefined;
}

/** Escapes that are no UTF-8 stay as they are written. */
function decode(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
