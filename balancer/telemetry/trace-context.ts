// W3C Trace Context, level 1: what a request says of the trace it is part of, read strictly, and what is said of it further on. Pure.
import type { Fields } from '../message/fields.ts';

/** What a `traceparent` says. */
export interface TraceParent {
  /** 32 hexadecimal digits, not all 0. */
  readonly traceId: string;
  /** 16 of them: the span that the caller is in. */
  readonly parentId: string;
  /** The caller keeps this trace. */
  readonly sampled: boolean;
}

/** Version 00 in full; of a later one the part that this one has too, as section 3.2.4 asks. */
const PARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_TRACE = '0'.repeat(32);
const NO_PARENT = '0'.repeat(16);
const SAMPLED = 1;

/** Null: it is not one, and the trace is to begin anew (section 3.2.2). */
export function parseTraceParent(text: string): TraceParent | null {
  const [, version = '', traceId = '', parentId = '', flags = '', more] = PARENT.exec(text) ?? [];
  if (traceId === '' || version === 'ff' || traceId === NO_TRACE || parentId === NO_PARENT) return null;
  if (version === '00' && more !== undefined) return null;
  return { traceId, parentId, sampled: (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED };
}

export function traceParentText(traceId: string, spanId: string, sampled: boolean): string {
  return sampled ? `00-${traceId}-${spanId}-01` : `00-${traceId}-${spanId}-00`;
}

/** Of a text that traceParentText makes. */
export const traceIdOf = (traceparent: string): string => traceparent.slice(3, 35);
export const spanIdOf = (traceparent: string): string => traceparent.slice(36, 52);

const MAX_STATE_MEMBERS = 32;
/** Section 3.3.1.1: at least so much is passed on. */
const MAX_STATE_CHARS = 512;
const STATE_MEMBER =
  /^[ \t]*(?:[a-z][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,256}[ \t]*$/;

/** The lists of one field or several, in their order; empty: there is none, or it is none, and is not passed on (section 3.3.1). */
export function combinedState(lists: readonly string[]): string {
  const members = lists
    .join(',')
    .split(',')
    .filter((member) => member.trim() !== '');
  const state = members.join(',');
  return members.length <= MAX_STATE_MEMBERS && state.length <= MAX_STATE_CHARS && members.every((member) => STATE_MEMBER.test(member))
    ? state
    : '';
}

/** Fields that carry a trace; the last two mean nothing without the first. */
const T = 't'.charCodeAt(0);
const B = 'b'.charCodeAt(0);

/** What the fields of a request say of its trace. */
export interface ToldTrace {
  /** Null: none, none that can be read, or more than one. */
  readonly parent: TraceParent | null;
  readonly state: string;
}

const TOLD_NOTHING: ToldTrace = { parent: null, state: '' };

/** Whether any of the fields is about a trace; most requests have none, so this is all they cost. */
export function tellsTrace(fields: Readonly<Fields>): boolean {
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] ?? '';
    const first = name.charCodeAt(0);
    if (first === T ? name === 'traceparent' || name === 'tracestate' : first === B && name === 'baggage') return true;
  }
  return false;
}

export function toldTrace(fields: Readonly<Fields>): ToldTrace {
  const parents = valuesOf(fields, 'traceparent');
  const parent = parents.length === 1 ? parseTraceParent(parents[0] ?? '') : null;
  return parent === null ? TOLD_NOTHING : { parent, state: combinedState(valuesOf(fields, 'tracestate')) };
}

/** Fields of their own, as somebody else may share those that are given; `baggage` stays only where the sender is believed. */
export function withoutTrace(fields: Readonly<Fields>, keepsBaggage: boolean): Fields {
  const kept: Fields = [];
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] ?? '';
    if (name === 'traceparent' || name === 'tracestate' || (name === 'baggage' && !keepsBaggage)) continue;
    kept.push(name, fields[i + 1] ?? '');
  }
  return kept;
}

function valuesOf(fields: Readonly<Fields>, name: string): readonly string[] {
  const values: string[] = [];
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) values.push((fields[i + 1] ?? '').trim());
  return values;
}
