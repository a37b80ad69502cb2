// The field lines of a head or of trailers (RFC 9112 section 5), strict: what the grammar does not allow is refused, never repaired.
import type { Fields } from '../message/fields.ts';
import { contentLengthOf, FieldKind, fieldName } from '../message/field-names.ts';
import { isFieldValue } from '../message/grammar.ts';
import { share } from '../message/shared-fields.ts';

/** What the engine needs of a head to frame and route the message; filled while the fields are read. */
export interface FieldBlock {
  /** End-to-end fields; framing and connection fields are taken out. */
  fields: Fields;
  /** Values of the Host fields; more than one is an error of the caller's to name. */
  hosts: number;
  host: string;
  /** A name has an underscore. */
  underscored: boolean;
  /** A field names a method of its own. */
  namesMethod: boolean;
  /** -1: none. */
  contentLength: number;
  chunked: boolean;
  /** Lower case members of Connection other than close, keep-alive and upgrade: fields that end here. */
  connectionOptions: string[] | null;
  close: boolean;
  keepAlive: boolean;
  connectionUpgrade: boolean;
  upgrade: string;
  expect: string;
  acceptsTrailers: boolean;
  /** Value of `timeout` in Keep-Alive, seconds; -1: none. */
  keepAliveTimeoutS: number;
}

export type BlockProblem = 'malformed' | 'framing' | 'too_many';

export function emptyBlock(): FieldBlock {
  return {
    fields: [],
    hosts: 0,
    host: '',
    underscored: false,
    namesMethod: false,
    contentLength: -1,
    chunked: false,
    connectionOptions: null,
    close: false,
    keepAlive: false,
    connectionUpgrade: false,
    upgrade: '',
    expect: '',
    acceptsTrailers: false,
    keepAliveTimeoutS: -1,
  };
}

/**
 * Reads the lines of `text` from `at` up to `end`, where `end` is behind the CRLF of the last line. Returns null, or what is wrong.
 * A line without colon, with a space before it, with a bare CR or LF, or folded (obs-fold) is malformed.
 */
export function readFieldBlock(
  text: string,
  range: { readonly at: number; readonly end: number },
  maxFields: number,
  into: FieldBlock,
): BlockProblem | null {
  let at = range.at;
  let count = 0;
  while (at < range.end) {
    const lineEnd = text.indexOf('\r\n', at);
    const colon = text.indexOf(':', at);
    if (colon < 0 || colon > lineEnd) return 'malformed';
    const name = fieldName(text.slice(at, colon));
    if (name === null) return 'malformed';
    count += 1;
    if (count > maxFields) return 'too_many';
    let from = colon + 1;
    let to = lineEnd;
    while (from < to && isBlank(text.charCodeAt(from))) from += 1;
    while (to > from && isBlank(text.charCodeAt(to - 1))) to -= 1;
    if (!isFieldValue(text, from, to)) return 'malformed';
    const value = text.slice(from, to);
    if (name.kind === FieldKind.Other) into.fields.push(name.lower, value);
    else {
      // A tab beside the coding is white space to some and a part of it to others (RFC 9112 section 6.1 leaves no room for two readings).
      if (name.kind === FieldKind.TransferEncoding && text.slice(colon, lineEnd).includes('\t')) return 'framing';
      const problem = takeField(name.kind, name.lower, value, into);
      if (problem !== null) return problem;
    }
    at = lineEnd + 2;
  }
  if (into.connectionOptions !== null) dropOptions(into.fields, into.connectionOptions);
  return null;
}

/**
 * The last block of a connection. Clients send the same fields with request after request, so what was read once need not be read
 * again: equal text is equal fields. It stays within its connection, since fields carry credentials.
 */
export interface BlockMemo {
  text: string;
  block: Readonly<FieldBlock>;
}

/** Longer texts are not kept: an idle connection should cost little. */
const MAX_REMEMBERED_TEXT = 8192;

/** As `readFieldBlock`, with the memory of the connection: the block, and its fields, may be those of messages before. */
export function readRememberedBlock(
  text: string,
  range: { readonly at: number; readonly end: number },
  maxFields: number,
  memo: BlockMemo,
): Readonly<FieldBlock> | BlockProblem {
  const lines = text.slice(range.at, range.end);
  if (lines === memo.text) return memo.block;
  const block = emptyBlock();
  const problem = readFieldBlock(text, range, maxFields, block);
  if (problem !== null) return problem;
  if (text.length <= MAX_REMEMBERED_TEXT) {
    share(block.fields);
    memo.text = lines;
    memo.block = block;
  }
  return block;
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function takeField(kind: number, lower: string, value: string, into: FieldBlock): BlockProblem | null {
  switch (kind) {
    case FieldKind.Host:
      into.hosts += 1;
      into.host = value;
      return null;
    case FieldKind.ContentLength:
      return takeContentLength(value, into);
    case FieldKind.TransferEncoding:
      // Only one coding, and only chunked: everything else has been used to make two parsers disagree (RFC 9112 section 6.1).
      if (into.chunked || value.toLowerCase() !== 'chunked') return 'framing';
      into.chunked = true;
      return null;
    case FieldKind.Connection:
      takeConnection(value, into);
      return null;
    case FieldKind.KeepAlive:
      into.keepAliveTimeoutS = Number(/(?:^|[,\s])timeout=(\d{1,6})(?:$|[,\s])/.exec(value)?.[1] ?? -1);
      return null;
    case FieldKind.Te:
      into.acceptsTrailers ||= /(?:^|,)[ \t]*trailers[ \t]*(?:,|$)/i.test(value);
      return null;
    case FieldKind.Upgrade:
      into.upgrade = into.upgrade === '' ? value.toLowerCase() : `${into.upgrade}, ${value.toLowerCase()}`;
      return null;
    case FieldKind.Expect:
      // An empty one is an expectation nobody can name, and refused as such.
      into.expect = into.expect === '' && value !== '' ? value.toLowerCase() : `${into.expect}, ${value.toLowerCase()}`;
      return null;
    case FieldKind.ProxyConnection:
      // Nothing of ours, but some parsers take its close for Connection's and read no further; so nothing further is read here.
      into.close ||= /(?:^|,)[ \t]*close[ \t]*(?:,|$)/i.test(value);
      return null;
    case FieldKind.Trailer:
      return null;
    case FieldKind.Underscored:
      into.underscored = true;
      into.fields.push(lower, value);
      return null;
    case FieldKind.MethodOverride:
      into.namesMethod = true;
      into.fields.push(lower, value);
      return null;
    default:
      into.fields.push(lower, value);
      return null;
  }
}

function takeContentLength(value: string, into: FieldBlock): BlockProblem | null {
  // A repeated length is refused even when equal: some parsers take the first, some the last (RFC 9112 section 6.3).
  if (into.contentLength >= 0) return 'framing';
  const length = contentLengthOf(value);
  if (length < 0) return 'framing';
  into.contentLength = length;
  return null;
}

function takeConnection(value: string, into: FieldBlock): void {
  if (value === 'keep-alive') {
    into.keepAlive = true;
    return;
  }
  for (const part of value.split(',')) {
    const option = part.trim().toLowerCase();
    if (option === 'close') into.close = true;
    else if (option === 'keep-alive') into.keepAlive = true;
    else if (option === 'upgrade') into.connectionUpgrade = true;
    else if (option !== '') (into.connectionOptions ??= []).push(option);
  }
}

/** Removes the fields that Connection names: they end at this hop (RFC 9110 section 7.6.1). */
function dropOptions(fields: Fields, options: readonly string[]): void {
  for (let i = fields.length - 2; i >= 0; i -= 2) if (options.includes(fields[i] ?? '')) fields.splice(i, 2);
}
