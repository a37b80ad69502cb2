// The header block of a request to an endpoint.
import { upstreamTarget, type CanonicalRequest } from '../message/request.ts';
import { createHash } from 'node:crypto';
import { UNKNOWN_LENGTH, type OutgoingRequest } from '../message/exchange.ts';
import type { Fields } from '../message/fields.ts';
import { flat, madeOf, sameStart } from '../message/shared-fields.ts';
import { FieldEncoder, lineOf } from './hpack-encoder.ts';

/** Shared by all connections: clients send the same lines to all of them. Time is dearer here than bytes. */
const encoder = new FieldEncoder(false);

/** Of another value each time. */
const pathLine = lineOf(':path');
const requestIdLine = lineOf('x-request-id');
const traceLine = lineOf('traceparent');

/** Methods whose requests say `content-length: 0` when they have no body (RFC 9110 section 8.6). */
const TELLS_ZERO = new Set(['POST', 'PUT', 'PATCH']);

/** Pseudo fields, then the fields of the request, then what frames it. */
export function requestBlock(outgoing: OutgoingRequest, secure: boolean): string {
  const { request, fields, host, bodyLength, expectsContinue, traceparent } = outgoing;
  const { method } = request;
  let block = startBlock(request, fields, host, secure) + requestIdLine(request.requestId);
  if (traceparent !== '') block += traceLine(traceparent);
  if (bodyLength > 0 || (bodyLength !== UNKNOWN_LENGTH && TELLS_ZERO.has(method)))
    block += encoder.line('content-length', String(bodyLength));
  if (expectsContinue) block += encoder.line('expect', '100-continue');
  if (request.acceptsTrailers) block += encoder.line('te', 'trailers');
  return block;
}

/** Pseudo fields, and the fields of the request. */
function startBlock(request: CanonicalRequest, fields: Readonly<Fields>, host: string, secure: boolean): string {
  const { method } = request;
  const target = upstreamTarget(request);
  const made = madeOf(fields);
  if (made === undefined) return pseudoBlock(method, target, host, secure) + encoder.block(fields);
  const before = sameStart(made, { method, target, host, form: secure ? 'http2-secure' : 'http2' });
  if (before !== null && before.text !== '') return before.text;
  if (made.http2 === '') made.http2 = flat(encoder.block(fields));
  const block = pseudoBlock(method, target, host, secure) + made.http2;
  return before === null ? block : (before.text = flat(block));
}

function pseudoBlock(method: string, target: string, host: string, secure: boolean): string {
  return (
    encoder.line(':method', method) +
    encoder.line(':scheme', secure ? 'https' : 'http') +
    encoder.line(':authority', host) +
    pathLine(target)
  );
}

/** RFC 8441 section 4: CONNECT with a protocol. The handshake of HTTP/1.1 has no place in it. */
export function connectBlock({ request, fields, host, upgrade, traceparent }: OutgoingRequest, secure: boolean): string {
  const path = upstreamTarget(request);
  const passed = fields.filter((_, index, all) => all[index - (index % 2)] !== 'sec-websocket-key');
  return (
    encoder.line(':method', 'CONNECT') +
    encoder.line(':protocol', upgrade) +
    encoder.line(':scheme', secure ? 'https' : 'http') +
    encoder.line(':authority', host) +
    pathLine(path) +
    encoder.block(passed) +
    requestIdLine(request.requestId) +
    (traceparent === '' ? '' : traceLine(traceparent))
  );
}

/** What a WebSocket client of HTTP/1.1 wants to see of its key (RFC 6455 section 4.2.2). */
export function webSocketAccept(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

/** The header block of trailers. */
export function trailerBlock(fields: Readonly<Fields>): string {
  return encoder.block(fields);
}
