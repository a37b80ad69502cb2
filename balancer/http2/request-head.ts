// Header blocks of clients to heads of requests and to trailers (RFC 9113 sections 8.2 and 8.3): every doubt is an error.
import type { ListenerLimits } from '../config/config.ts';
import type { ErrorCode } from '../errors.ts';
import { contentLengthOf, FieldKind, fieldName } from '../message/field-names.ts';
import type { Fields } from '../message/fields.ts';
import { isFieldValue } from '../message/grammar.ts';
import { share } from '../message/shared-fields.ts';
import { withoutForbidden } from '../message/trailers.ts';
import { BlockMemory } from './block-memory.ts';
import { kindOf } from './field-rules.ts';
import { Decoded, HpackDecoder } from './hpack-decoder.ts';

export interface Http2RequestHead {
  method: string;
  scheme: string;
  path: string;
  /** `:authority`, or the Host field where there is none. */
  authority: string;
  /** Of an extended CONNECT (RFC 8441); empty: none. */
  protocol: string;
  /** End-to-end fields, shared by equal blocks; cookies are one field again. */
  fields: Fields;
  /** -1: none. */
  contentLength: number;
  expect: string;
  acceptsTrailers: boolean;
  /** A field names a method of its own. */
  namesMethod: boolean;
}

/** RFC 9112 section 3: recipients should take at least 8000 octets. */
const MAX_PATH = 16_384;
const PSEUDO_NAMES = new Set([':method', ':scheme', ':path', ':authority', ':protocol']);
const UNSET = '\0';
/** The table that clients may use until they know better, and with us ever after. */
const TABLE_BYTES = 4096;

/** Reads the header blocks of one connection, and remembers those that keep coming. */
export class RequestHeads {
  readonly #decoder: HpackDecoder;
  readonly #memory = new BlockMemory<Http2RequestHead>();
  readonly #maxFields: number;

  constructor({ headBytes, fields }: Pick<ListenerLimits, 'headBytes' | 'fields'>) {
    this.#decoder = new HpackDecoder(TABLE_BYTES, headBytes);
    this.#maxFields = fields;
  }

  /** The head in a block, or the error to answer; null: the block is broken, and the connection with it. */
  read(block: string): Http2RequestHead | ErrorCode | null {
    const { version } = this.#decoder;
    const known = this.#memory.get(block, version);
    if (known !== undefined) return known;
    const fields: Fields = [];
    const decoded = this.#decoder.decode(block, fields);
    if (decoded === Decoded.Broken) return null;
    if (decoded === Decoded.TooLarge) return 'head_too_large';
    const head = http2RequestHead(fields, this.#maxFields);
    if (typeof head !== 'string' && this.#decoder.version === version) this.#memory.set(block, version, head);
    return head;
  }

  /** The trailers in a block; `malformed`: it can be read and has none that are allowed; null: it is broken. */
  readTrailers(block: string): Fields | 'malformed' | null {
    const fields: Fields = [];
    const decoded = this.#decoder.decode(block, fields);
    if (decoded === Decoded.Broken) return null;
    return (decoded === Decoded.Well ? http2Trailers(fields, this.#maxFields) : null) ?? 'malformed';
  }
}

/** The head in `fields`, or the error to answer; those with status 400 are malformed requests (RFC 9113 section 8.1.1). */
export function http2RequestHead(fields: Readonly<Fields>, maxFields: number): Http2RequestHead | ErrorCode {
  const head: Http2RequestHead = {
    method: UNSET,
    scheme: UNSET,
    path: UNSET,
    authority: UNSET,
    protocol: UNSET,
    fields: [],
    contentLength: -1,
    expect: '',
    acceptsTrailers: false,
    namesMethod: false,
  };
  let at = 0;
  while (at < fields.length && fields[at]?.charCodeAt(0) === 0x3a) {
    if (!takePseudo(fields[at] ?? '', fields[at + 1] ?? '', head)) return 'bad_request';
    at += 2;
  }
  if ((fields.length - at) / 2 > maxFields) return 'head_too_large';
  const problem = takeFields(fields, at, head) ?? checkTarget(head);
  if (problem !== null) return problem;
  share(head.fields);
  return head;
}

/**
 * The trailers in `fields` that are passed on; null: malformed. They have no pseudo-header fields (RFC 9113 section 8.1), and no field
 * that frames or routes a message.
 */
export function http2Trailers(fields: Fields, maxFields: number): Fields | null {
  if (fields.length / 2 > maxFields) return null;
  for (let i = 0; i < fields.length; i += 2) {
    const kind = kindOf(fields[i] ?? '', fields[i + 1] ?? '');
    if (kind !== FieldKind.Other && kind < FieldKind.ForwardedFor && kind !== FieldKind.Trailer) return null;
  }
  return withoutForbidden(fields);
}

function takePseudo(name: string, value: string, head: Http2RequestHead): boolean {
  if (!PSEUDO_NAMES.has(name) || !isFieldValue(value, 0, value.length)) return false;
  // Known, so that the name behind the colon is one of the keys below.
  const key = name.slice(1) as 'method' | 'scheme' | 'path' | 'authority' | 'protocol';
  if (head[key] !== UNSET || value === '') return false;
  head[key] = value;
  return true;
}

function takeFields(fields: Readonly<Fields>, from: number, head: Http2RequestHead): ErrorCode | null {
  let cookie = -1;
  let host = UNSET;
  for (let i = from; i < fields.length; i += 2) {
    const name = fields[i] ?? '';
    const value = fields[i + 1] ?? '';
    const kind = kindOf(name, value);
    if (kind === FieldKind.Other || kind >= FieldKind.ForwardedFor) {
      if (kind !== FieldKind.Cookie || cookie < 0) {
        if (kind === FieldKind.Cookie) cookie = head.fields.length + 1;
        if (kind === FieldKind.MethodOverride) head.namesMethod = true;
        head.fields.push(name, value);
      } else head.fields[cookie] = `${head.fields[cookie] ?? ''}; ${value}`; // RFC 9113 section 8.2.3.
    } else if (kind === FieldKind.Host) {
      if (host !== UNSET) return 'bad_host';
      host = value;
    } else {
      const problem = takeFraming(kind, value, head);
      if (problem !== null) return problem;
    }
  }
  if (head.authority === UNSET) head.authority = host;
  // One of two names would be believed here and the other one elsewhere (RFC 9113 section 8.3.1).
  else if (host !== UNSET && host.toLowerCase() !== head.authority.toLowerCase()) return 'bad_host';
  return null;
}

/** Fields that say something about the connection or the framing of the message (RFC 9113 sections 8.1.1 and 8.2.2). */
function takeFraming(kind: number, value: string, head: Http2RequestHead): ErrorCode | null {
  switch (kind) {
    case FieldKind.ContentLength: {
      const length = contentLengthOf(value);
      if (length < 0 || head.contentLength >= 0) return 'bad_framing';
      head.contentLength = length;
      return null;
    }
    case FieldKind.Te:
      if (value.toLowerCase() !== 'trailers') return 'bad_request';
      head.acceptsTrailers = true;
      return null;
    case FieldKind.Expect:
      head.expect = head.expect === '' ? value.toLowerCase() : `${head.expect}, ${value.toLowerCase()}`;
      return null;
    case FieldKind.Trailer:
      return null;
    default:
      // A field of a connection, or one that is not allowed at all.
      return 'bad_request';
  }
}

/** Pseudo-header fields against each other (RFC 9113 sections 8.3.1 and 8.5, RFC 8441 section 4). What is unset becomes empty. */
function checkTarget(head: Http2RequestHead): ErrorCode | null {
  const extended = head.protocol !== UNSET;
  if (!extended) head.protocol = '';
  if (head.method === UNSET || (extended && head.method !== 'CONNECT') || fieldName(head.method) === null) return 'bad_request';
  if (head.method === 'CONNECT' && !extended) {
    const malformed = head.scheme !== UNSET || head.path !== UNSET || head.authority === UNSET;
    return malformed ? 'bad_request' : 'method_not_supported';
  }
  if ((head.scheme !== 'http' && head.scheme !== 'https') || head.path === UNSET) return 'bad_request';
  if (head.path.length > MAX_PATH) return 'target_too_long';
  if (head.path.charCodeAt(0) !== 0x2f && head.path !== '*') return 'bad_path';
  return head.authority === UNSET || head.authority === '' ? 'bad_host' : null;
}

/** What is wrong with a head as the beginning of this stream. */
export function problemOf(head: Http2RequestHead, endStream: boolean): ErrorCode | null {
  if (head.protocol !== '' && head.protocol !== 'websocket') return 'method_not_supported';
  // A tunnel that is half-closed before it is open.
  if (head.protocol !== '' && endStream) return 'bad_request';
  if (endStream && head.contentLength > 0) return 'bad_framing';
  return head.expect !== '' && head.expect !== '100-continue' ? 'expectation_failed' : null;
}
