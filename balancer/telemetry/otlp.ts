// Spans as OTLP writes them in JSON (opentelemetry-proto, trace v1). Pure. Written by hand: it is done on the thread that serves.

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
  /** One after the other, as `attribute()` and `numberAttribute()` make them; the first by a key of `first()`. */
  readonly attributes: string;
  readonly failed: boolean;
  readonly sampled: boolean;
  /** A trace that this one was caused by and does not go on with; null: none. */
  readonly link: { readonly traceId: string; readonly spanId: string } | null;
}

const STATUS_ERROR = 2;
const SAMPLED_FLAG = 1;

export function spanJson(span: Span): string {
  const { parentId, state, link } = span;
  return `{"traceId":"${span.traceId}","spanId":"${span.spanId}"${parentId === '' ? '' : `,"parentSpanId":"${parentId}"`}${
    state === '' ? '' : `,"traceState":${JSON.stringify(state)}`
  },"flags":${span.sampled ? SAMPLED_FLAG : 0},"name":"${escaped(span.name)}","kind":${span.kind},"startTimeUnixNano":"${nanoseconds(span.startMs)}","endTimeUnixNano":"${nanoseconds(
    Math.max(span.startMs, span.endMs),
  )}","attributes":[${span.attributes}]${link === null ? '' : `,"links":[{"traceId":"${link.traceId}","spanId":"${link.spanId}"}]`}${
    span.failed ? `,"status":{"code":${STATUS_ERROR}}` : ''
  }}`;
}

/** What stands before the spans in a request to a collector. `resource`: attributes. */
export const exportHead = (resource: string, version: string): string =>
  `{"resourceSpans":[{"resource":{"attributes":[${resource}]},"scopeSpans":[{"scope":{"name":"weir","version":${JSON.stringify(version)}},"spans":[`;

/** And behind them. */
export const EXPORT_TAIL = ']}]}]}';

/** An attribute that is a text, up to its value: made once for each key. */
export const textKey = (key: string): string => `,{"key":"${key}","value":{"stringValue":"`;

/** The same for the first attribute, which no other stands before. */
export const first = (key: string): string => key.slice(1);

export const attribute = (textKey: string, value: string): string => `${textKey}${escaped(value)}"}}`;

/** An attribute that is a number, up to its value. */
export const numberKey = (key: string): string => `,{"key":"${key}","value":{`;

/** 64-bit numbers are texts in the JSON form of protobuf. */
export const numberAttribute = (numberKey: string, value: number): string =>
  Number.isInteger(value) ? `${numberKey}"intValue":"${value}"}}` : `${numberKey}"doubleValue":${value}}}`;

/** Most values are plain: to see that costs a tenth of what JSON.stringify() does. */
function escaped(text: string): string {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code === 0x22 || code === 0x5c || code > 0x7e) return JSON.stringify(text).slice(1, -1);
  }
  return text;
}

/** A number has no room for nanoseconds since 1970; it has for microseconds. */
function nanoseconds(ms: number): string {
  return `${Math.round(ms * 1000)}000`;
}
