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

/**
 * JSON in bytes: a text of so many pieces would stay a tree of them for as long as it waits to be sent, which the collector of garbage
 * has to walk again and again.
 */
export function spanBytes(span: Span): Buffer {
  return Buffer.from(spanJson(span));
}

/** Written by hand: it is made for each span that is kept, on the thread that serves. */
function spanJson(span: Span): string {
  const { parentId, state, link } = span;
  return `{"traceId":"${span.traceId}","spanId":"${span.spanId}"${parentId === '' ? '' : `,"parentSpanId":"${parentId}"`}${
    state === '' ? '' : `,"traceState":${JSON.stringify(state)}`
  },"flags":${span.sampled ? SAMPLED_FLAG : 0},"name":${quoted(span.name)},"kind":${span.kind},"startTimeUnixNano":"${nanoseconds(span.startMs)}","endTimeUnixNano":"${nanoseconds(
    Math.max(span.startMs, span.endMs),
  )}","attributes":${attributesJson(span.attributes)}${link === null ? '' : `,"links":[{"traceId":"${link.traceId}","spanId":"${link.spanId}"}]`}${
    span.failed ? `,"status":{"code":${STATUS_ERROR}}` : ''
  }}`;
}

/** The body of a request to a collector, from spans as `spanBytes()` makes them. */
export function exportBody(resource: string, spans: readonly Buffer[], version: string): Buffer {
  const head = `{"resourceSpans":[{"resource":{"attributes":${resource}},"scopeSpans":[{"scope":{"name":"weir","version":${JSON.stringify(version)}},"spans":[`;
  return Buffer.concat([Buffer.from(head), ...spans.flatMap((span, index) => (index === 0 ? [span] : [COMMA, span])), TAIL]);
}

const COMMA = Buffer.from(',');
const TAIL = Buffer.from(']}]}]}');

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
  if (typeof value === 'string') return `{"stringValue":${quoted(value)}}`;
  if (typeof value === 'boolean') return `{"boolValue":${value}}`;
  return Number.isInteger(value) ? `{"intValue":"${value}"}` : `{"doubleValue":${value}}`;
}

/** Most values are plain: to see that costs a tenth of what JSON.stringify() does. */
function quoted(text: string): string {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code === 0x22 || code === 0x5c || code > 0x7e) return JSON.stringify(text);
  }
  return `"${text}"`;
}

/** A number has no room for nanoseconds since 1970; it has for microseconds. */
function nanoseconds(ms: number): string {
  return `${Math.round(ms * 1000)}000`;
}
