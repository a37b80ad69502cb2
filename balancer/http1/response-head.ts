// The head of a response (RFC 9112 section 4), as strict towards endpoints as towards clients.
import { isFieldValue } from '../message/grammar.ts';
import { readRememberedBlock, type FieldBlock } from './field-block.ts';
import type { HeadReading } from './request-head.ts';

export interface ResponseHead1 {
  status: number;
  minor: 0 | 1;
  block: Readonly<FieldBlock>;
}

/** Parses the head in `text` from `at`; `end` is the index behind the empty line. Null: malformed. */
export function parseResponseHead(text: string, at: number, end: number, { maxFields, memo }: HeadReading): ResponseHead1 | null {
  const lineEnd = text.indexOf('\r\n', at);
  if (!text.startsWith('HTTP/1.', at)) return null;
  const minorCode = text.charCodeAt(at + 7);
  if ((minorCode !== 0x31 && minorCode !== 0x30) || text.charCodeAt(at + 8) !== 0x20) return null;
  const status = statusOf(text, at + 9);
  // `HTTP/1.1 200` without the space before an empty reason phrase is common enough to be let through.
  const behind = lineEnd === at + 12 ? 0x20 : text.charCodeAt(at + 12);
  if (status < 100 || behind !== 0x20 || !isFieldValue(text, at + 12, lineEnd)) return null;
  const block = readRememberedBlock(text, { at: lineEnd + 2, end: end - 2 }, maxFields, memo);
  if (typeof block === 'string') return null;
  if (block.contentLength >= 0 && block.chunked) return null;
  if (minorCode === 0x30 && block.chunked) return null;
  return { status, minor: minorCode === 0x31 ? 1 : 0, block };
}

/** Three digits, 100 to 599; 0 for everything else. */
function statusOf(text: string, at: number): number {
  const a = text.charCodeAt(at) - 0x30;
  const b = text.charCodeAt(at + 1) - 0x30;
  const c = text.charCodeAt(at + 2) - 0x30;
  const digits = a >= 1 && a <= 5 && b >= 0 && b <= 9 && c >= 0 && c <= 9;
  return digits ? a * 100 + b * 10 + c : 0;
}
