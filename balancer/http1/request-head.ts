// The head of a request (RFC 9112 sections 2 to 5): one pass over the text, and every doubt is an error.
import type { ErrorCode } from '../errors.ts';
import { isToken } from '../message/grammar.ts';
import { canonicalRequest, sameRequest } from '../message/canonical-request.ts';
import type { ConnectionFacts } from '../message/connection.ts';
import { usualMethod } from '../message/methods.ts';
import type { CanonicalRequest } from '../message/request.ts';
import { emptyBlock, readRememberedBlock, type BlockMemo, type FieldBlock } from './field-block.ts';

export interface RequestHead {
  readonly method: string;
  /** As sent: origin-form, absolute-form or `*`. */
  readonly target: string;
  readonly minor: 0 | 1;
  readonly block: Readonly<FieldBlock>;
}

/** RFC 9112 section 3: recipients should take at least 8000 octets of request line. */
const MAX_TARGET = 16_384;

/** What is kept of it costs an idle connection memory. */
const MAX_KEPT_BYTES = 2048;

/** Reads the heads of one connection, whose client asks the same again and again, or at least with the same fields. */
export class RequestHeads {
  readonly #memo: BlockMemo = { text: '', block: emptyBlock() };
  #text = '';
  #head: RequestHead | null = null;
  #repeats = false;
  /** What it makes, for the third request with it and those that follow. */
  #request: Readonly<CanonicalRequest> | null = null;

  /** The head that `text` is, if it is that of the request before, to the last byte. */
  again(text: string): RequestHead | null {
    this.#repeats = text === this.#text;
    return this.#repeats ? this.#head : null;
  }

  /** Parses the head in `text` from `at`; `end` is the index behind the empty line. Returns the head or the error to answer. */
  read(text: string, at: number, end: number, maxFields: number): RequestHead | ErrorCode {
    const head = parseRequestHead(text, { at, end }, maxFields, this.#memo);
    if (typeof head === 'string' || at > 0 || end !== text.length || end > MAX_KEPT_BYTES) return head;
    this.#text = text;
    this.#head = head;
    this.#request = null;
    return head;
  }

  /** The request that `head` makes, which was read last, or the error to answer. */
  request({ method, target, minor, block }: RequestHead, facts: ConnectionFacts): CanonicalRequest | ErrorCode {
    if (this.#repeats && this.#request !== null) return sameRequest(this.#request, facts);
    const { host: authority, underscored, namesMethod, acceptsTrailers } = block;
    // Shared fields go on with what this version and this host make of them.
    const fields = minor === 1 ? block.fields : block.fields.slice();
    const version = minor === 1 ? '1.1' : '1.0';
    const request = canonicalRequest({ method, target, authority, fields, underscored, namesMethod, version, acceptsTrailers }, facts);
    if (this.#repeats && typeof request !== 'string' && request.fields === block.fields) this.#request = { ...request };
    return request;
  }
}

function parseRequestHead(
  text: string,
  { at, end }: { readonly at: number; readonly end: number },
  maxFields: number,
  memo: BlockMemo,
): RequestHead | ErrorCode {
  const lineEnd = text.indexOf('\r\n', at);
  const first = text.indexOf(' ', at);
  const second = text.indexOf(' ', first + 1);
  if (first < 0 || second < 0 || second > lineEnd) return 'bad_request';
  const usual = usualMethod(text, at, first);
  const method = usual ?? text.slice(at, first);
  const minor = versionOf(text, second + 1, lineEnd);
  if (usual === null && !isToken(method)) return 'bad_request';
  if (typeof minor === 'string') return minor;
  if (second - first > MAX_TARGET) return 'target_too_long';
  const block = readRememberedBlock(text, { at: lineEnd + 2, end: end - 2 }, maxFields, memo);
  if (typeof block === 'string') return block === 'malformed' ? 'bad_request' : block === 'framing' ? 'bad_framing' : 'head_too_large';
  if (block.contentLength >= 0 && block.chunked) return 'bad_framing';
  // Transfer-Encoding in HTTP/1.0: the origin may not know it and read the body as the next request (RFC 9112 section 6.1).
  if (minor === 0 && block.chunked) return 'bad_framing';
  // An empty Host names no authority, and every http URI has one (RFC 9110 section 4.2.1).
  if (block.hosts > 1 || (block.host === '' && (block.hosts === 1 || minor === 1))) return 'bad_host';
  return { method, target: text.slice(first + 1, second), minor, block };
}

function versionOf(text: string, from: number, to: number): 0 | 1 | ErrorCode {
  if (to - from !== 8 || !text.startsWith('HTTP/', from)) return 'bad_request';
  if (text.startsWith('1.1', from + 5)) return 1;
  if (text.startsWith('1.0', from + 5)) return 0;
  return /^\d\.\d$/.test(text.slice(from + 5, to)) ? 'version_not_supported' : 'bad_request';
}

/** The first line cannot become a request line any more (TLS on a plain port, a bare LF, binary): refuse it before the time-out does. */
export function looksForeign(text: string, at: number): boolean {
  // The first byte of the empty line that is forgiven before a request.
  if (text === '\r') return false;
  return text.length > at && !/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?: [^\n]*)?(?:\r\n[\s\S]*)?$/.test(text.slice(at).replace(/\r$/, ''));
}
