// Heads as text. Values were checked when they were parsed or made; nothing here can end a line early.
import { upstreamTarget, type CanonicalRequest } from '../message/request.ts';
import { UNKNOWN_LENGTH, type OutgoingRequest } from '../message/exchange.ts';
import { fieldIndex, type Fields } from '../message/fields.ts';
import { reasonPhrase } from '../message/reason-phrases.ts';
import { flat, madeOf, sameStart } from '../message/shared-fields.ts';

const statusLines: string[] = [];

function statusLine(status: number): string {
  return (statusLines[status] ??= `HTTP/1.1 ${status} ${reasonPhrase(status) ?? 'Unknown'}\r\n`);
}

/** How a response ends and whether the connection goes on. */
export interface ResponseFraming {
  /** Declared length, or UNKNOWN_LENGTH. */
  readonly length: number;
  readonly chunked: boolean;
  /** 204 and 1xx must not tell a length. */
  readonly tellsLength: boolean;
  /** Empty, or a whole line. */
  readonly connectionLine: string;
}

/** Status line, fields, framing, empty line. `date` is added when the fields have none (RFC 9110 section 6.6.1). */
export function responseHeadText(status: number, fields: Readonly<Fields>, framing: ResponseFraming, date: () => string): string {
  const made = madeOf(fields);
  if (made === undefined) return headText(status, fieldLines(fields), framing, dateOf(fields, date));
  if (made.http1 === '') {
    made.http1 = flat(fieldLines(fields));
    made.dated = fieldIndex(fields, 'date') >= 0;
  }
  const dateLine = made.dated ? '' : date();
  const isPlain = framing.tellsLength && framing.length !== UNKNOWN_LENGTH && framing.connectionLine === '';
  if (!isPlain) return headText(status, made.http1, framing, dateLine);
  const { length } = framing;
  const before = made.head;
  const isSame = before !== null && before.status === status && before.length === length && before.date === dateLine;
  if (isSame && before.text !== '') return before.text;
  const text = headText(status, made.http1, framing, dateLine);
  if (isSame) before.text = flat(text);
  else made.head = { status, length, date: dateLine, text: '' };
  return text;
}

const dateOf = (fields: Readonly<Fields>, date: () => string): string => (fieldIndex(fields, 'date') >= 0 ? '' : date());

function headText(
  status: number,
  lines: string,
  { chunked, tellsLength, length, connectionLine }: ResponseFraming,
  dateLine: string,
): string {
  let text = statusLine(status) + lines + dateLine;
  if (chunked) text += 'transfer-encoding: chunked\r\n';
  else if (tellsLength && length !== UNKNOWN_LENGTH) text += `content-length: ${length}\r\n`;
  return `${text}${connectionLine}\r\n`;
}

/** A 1xx head. */
export function informationalText(status: number, fields: Readonly<Fields>): string {
  return `${statusLine(status)}${fieldLines(fields)}\r\n`;
}

export function fieldLines(fields: Readonly<Fields>): string {
  let text = '';
  for (let i = 0; i < fields.length; i += 2) text += `${fields[i] ?? ''}: ${fields[i + 1] ?? ''}\r\n`;
  return text;
}

/** Methods whose requests say `content-length: 0` when they have no body (RFC 9110 section 8.6). */
const TELLS_ZERO = new Set(['POST', 'PUT', 'PATCH']);

/** Request line and fields. */
function startText(request: CanonicalRequest, fields: Readonly<Fields>, host: string): string {
  const { method } = request;
  const target = upstreamTarget(request);
  const made = madeOf(fields);
  if (made === undefined) return lineText(method, target, host) + fieldLines(fields);
  const before = sameStart(made, { method, target, host, form: 'http1' });
  if (before !== null && before.text !== '') return before.text;
  if (made.http1 === '') made.http1 = flat(fieldLines(fields));
  const text = lineText(method, target, host) + made.http1;
  return before === null ? text : (before.text = flat(text));
}

const lineText = (method: string, target: string, host: string): string => `${method} ${target} HTTP/1.1\r\nhost: ${host}\r\n`;

/** Request line, fields, request id, framing, empty line. */
export function requestHeadText({ request, fields, host, bodyLength, expectsContinue, upgrade, traceparent }: OutgoingRequest): string {
  let text = `${startText(request, fields, host)}x-request-id: ${request.requestId}\r\n`;
  if (traceparent !== '') text += `traceparent: ${traceparent}\r\n`;
  if (bodyLength === UNKNOWN_LENGTH) text += 'transfer-encoding: chunked\r\n';
  else if (bodyLength > 0 || TELLS_ZERO.has(request.method)) text += `content-length: ${bodyLength}\r\n`;
  if (expectsContinue) text += 'expect: 100-continue\r\n';
  if (upgrade !== '') text += `connection: upgrade\r\nupgrade: ${upgrade}\r\n`;
  return `${text}\r\n`;
}

/** The last chunk and the trailers. */
export function lastChunkText(trailers: Readonly<Fields>): string {
  return trailers.length === 0 ? '0\r\n\r\n' : `0\r\n${fieldLines(trailers)}\r\n`;
}
