// Spans as OTLP writes them in JSON (opentelemetry-proto, trace v1). Pure.

export type AttributeValue = string | number | boolean;
/** Name, value, name, value. */
export type Attributes = readonly AttributeValue[];

export const SPAN_SERVER = 2;
export const SPAN_CLIENT = 3;

export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty: it is the first of its trace. */
  readonly parentId: string;
  /** `tracestate`; empty: none. */
  readonly state: string;
  readonly name: string;
  readonly kind: typeof SPAN_SERVER | typeof SPAN_CLIENT;
  /** Milliseconds since 1970, with a fraction. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  readonly failed: boolean;
  readonly sampled: boolean;
  /** A trace that this one was caused by and does not go on with; null: none. */
  readonly link: { readonly traceId: string; readonly spanId: string } | null;
}

const STATUS_ERROR = 2;
const SAMPLED_FLAG = 1;

/** Written by hand: it is made for each span that is kept, on the thread that serves. */
export function spanJson(span: Span): string {
  const { parentId, state, link } = span;
  return `{"traceId":"${span.traceId}","spanId":"${span.spanId}"${parentId === '' ? '' : `,"parentSpanId":"${parentId}"`}${
    state === '' ? '' : `,"traceState":${JSON.stringify(state)}`
  },"flags":${span.sampled ? SAMPLED_FLAG : 0},"name":${JSON.stringify(span.name)},"kind":${span.kind},"startTimeUnixNano":"${nanoseconds(span.startMs)}","endTimeUnixNano":"${nanoseconds(
    Math.max(span.startMs, span.endMs),
  )}","attributes":${attributesJson(span.attributes)}${link === null ? '' : `,"links":[{"traceId":"${link.traceId}","spanId":"${link.spanId}"}]`}${
    span.failed ? `,"status":{"code":${STATUS_ERROR}}` : ''
  }}`;
}

/** The body of a request to a collector. */
export function exportJson(resource: string, spans: readonly string[], version: string): string {
  return `{"resourceSpans":[{"resource":{"attributes":${resource}},"scopeSpans":[{"scope":{"name":"weir","version":${JSON.stringify(version)}},"spans":[${spans.join(
    ',',
  )}]}]}]}`;
}

export function attributesJson(attributes: Attributes): string {
  let text = '[';
  for (let i = 0; i < attributes.length; i += 2) {
    const value = attributes[i + 1] ?? '';
    text += `${i === 0 ? '' : ','}{"key":"${String(attributes[i])}","value":${valueJson(value)}}`;
  }
  return `${text}]`;
}

/** 64-bit numbers are texts in the JSON form of protobuf. */
function valueJson(value: AttributeValue): string {
  if (typeof value === 'string') return `{"stringValue":${JSON.stringify(value)}}`;
  if (typeof value === 'boolean') return `{"boolValue":${value}}`;
  return Number.isInteger(value) ? `{"intValue":"${value}"}` : `{"doubleValue":${value}}`;
}

/** A number has no room for nanoseconds since 1970; it has for microseconds. */
function nanoseconds(ms: number): string {
  return `${Math.round(ms * 1000)}000`;
}
