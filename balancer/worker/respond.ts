// The one place that turns an error of the catalogue into a response: problem JSON (RFC 9457) or plain text, and nothing about the inside.
import { ERRORS, type ErrorCode } from '../errors.ts';
import type { Fields } from '../message/fields.ts';
import type { LocalReply } from '../message/response.ts';

/** Seconds after which a client may try again what was refused for want of room or place. */
const RETRY_AFTER_S = '1';

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
