// The one place that turns an error of the catalogue into a response: problem JSON (RFC 9457), plain text or a gRPC status, and nothing about
// the inside.
import { ERRORS, grpcStatusOf, grpcStatusOfError, type ErrorCode } from '../errors.ts';
import { type Fields, fieldValue, removeField } from '../message/fields.ts';
import type { CanonicalRequest } from '../message/request.ts';
import type { LocalReply } from '../message/response.ts';

/** Seconds after which a client may try again what was refused for want of room or place. */
const RETRY_AFTER_S = '1';

/** Of a call of gRPC, and of gRPC-Web in its forms. */
const GRPC_TYPE = /^application\/grpc(?:-web(?:-text)?)?(?:\+[a-z0-9.-]+)?(?=[ \t]*(?:;|$))/i;
/** What a client hears of a reply that a filter made. */
const MAX_GRPC_MESSAGE = 200;

/** The response to an error of a request that could be read, with fields that belong to this one. */
export function errorReplyTo({ fields, requestId }: CanonicalRequest, code: ErrorCode, further: Readonly<Fields> = []): LocalReply {
  const type = grpcTypeOf(fields);
  if (type === '') {
    const reply = errorReply(code, fieldValue(fields, 'accept'), requestId);
    if (further.length === 0) return reply;
    const own = [...reply.fields];
    // Who says more exactly when to come again is the one who says it.
    if (fieldValue(further, 'retry-after') !== undefined) removeField(own, 'retry-after');
    return { ...reply, fields: [...own, ...further] };
  }
  const { title, proxyStatus } = ERRORS[code];
  const own: Fields = ['cache-control', 'no-store', 'proxy-status', `weir; error=${proxyStatus}`];
  if (requestId !== '') own.push('x-request-id', requestId);
  own.push(...further);
  return grpcReply(type, grpcStatusOfError(code), title, own);
}

/** A reply of weir's own as its request can take it: a gRPC client looks for a status of gRPC and for nothing else. */
export function replyTo({ fields }: CanonicalRequest, reply: LocalReply): LocalReply {
  const type = grpcTypeOf(fields);
  if (type === '' || fieldValue(reply.fields, 'grpc-status') !== undefined) return reply;
  const plain = fieldValue(reply.fields, 'content-type')?.startsWith('text/plain') === true;
  const message = plain && reply.body.length <= MAX_GRPC_MESSAGE ? reply.body.trim() : `HTTP status ${reply.status}`;
  const kept = reply.fields.filter((_, index, all) => !BODY_FIELDS.has(all[index - (index % 2)] ?? ''));
  return grpcReply(type, grpcStatusOf(reply.status), message, kept);
}

/** Fields of a body that a gRPC reply does not have. */
const BODY_FIELDS = new Set(['content-type', 'content-encoding', 'content-language', 'content-length']);

/** All in one head, which is how gRPC sends a status without a message before it ("Trailers-Only"). */
function grpcReply(type: string, status: number, message: string, fields: Readonly<Fields>): LocalReply {
  const told = ['content-type', type, 'grpc-status', `${status}`, 'grpc-message', grpcMessage(message)];
  return { status: 200, fields: [...told, ...fields], body: '' };
}

/** Percent-encoded as the protocol of gRPC wants it: UTF-8, and all but the visible characters of ASCII. */
function grpcMessage(text: string): string {
  return [...Buffer.from(text, 'utf8')]
    .map((byte) =>
      byte < 0x20 || byte > 0x7e || byte === 0x25 ? `%${byte.toString(16).toUpperCase().padStart(2, '0')}` : String.fromCharCode(byte),
    )
    .join('');
}

/** The content type of a gRPC call, without parameters; empty: the request is none. */
function grpcTypeOf(fields: Readonly<Fields>): string {
  return GRPC_TYPE.exec(fieldValue(fields, 'content-type') ?? '')?.[0] ?? '';
}

/**
 * The response to an error. `accept` is the client's field, undefined when it has none; `requestId` is empty for a request
 * that could not be read. Must not be called for errors without a status (the connection is closed instead).
 */
export function errorReply(code: ErrorCode, accept: string | undefined, requestId: string): LocalReply {
  const { status, title, proxyStatus } = ERRORS[code];
  const json = accept === undefined || /json/i.test(accept) || !/text\/(?:html|plain|\*)/i.test(accept);
  const fields: Fields = [
    'content-type',
    json ? 'application/problem+json' : 'text/plain; charset=utf-8',
    'cache-control',
    'no-store',
    'proxy-status',
    `weir; error=${proxyStatus}`,
  ];
  if (status === 503) fields.push('retry-after', RETRY_AFTER_S);
  if (requestId !== '') fields.push('x-request-id', requestId);
  return { status, fields, body: json ? problemJson(code, requestId) : problemText(status, title, code, requestId) };
}

function problemJson(code: ErrorCode, requestId: string): string {
  const { status, title } = ERRORS[code];
  const problem = { type: 'about:blank', title, status, code, ...(requestId === '' ? {} : { requestId }) };
  return `${JSON.stringify(problem)}\n`;
}

function problemText(status: number, title: string, code: ErrorCode, requestId: string): string {
  return `${status} ${title}\ncode: ${code}\n${requestId === '' ? '' : `request id: ${requestId}\n`}`;
}
