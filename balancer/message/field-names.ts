// Names and values of fields as they arrive: checked against the grammar of RFC 9110. A name is mapped to lower case and to a number the
// engines can switch on, and remembered, so that it is checked once.
import { isToken } from './grammar.ts';
import { METHOD_FIELDS } from './methods.ts';

/** Fields the engines themselves act on; every other name is FieldKind.Other. */
export const FieldKind = {
  Other: 0,
  Host: 1,
  ContentLength: 2,
  TransferEncoding: 3,
  Connection: 4,
  KeepAlive: 5,
  ProxyConnection: 6,
  Te: 7,
  Trailer: 8,
  Upgrade: 9,
  Expect: 10,
  ForwardedFor: 11,
  RequestId: 12,
  Cookie: 13,
  Underscored: 14,
  MethodOverride: 15,
} as const;

export interface FieldName {
  readonly lower: string;
  readonly kind: number;
}

const KINDS = new Map<string, number>([
  ['host', FieldKind.Host],
  ['content-length', FieldKind.ContentLength],
  ['transfer-encoding', FieldKind.TransferEncoding],
  ['connection', FieldKind.Connection],
  ['keep-alive', FieldKind.KeepAlive],
  ['proxy-connection', FieldKind.ProxyConnection],
  ['te', FieldKind.Te],
  ['trailer', FieldKind.Trailer],
  ['upgrade', FieldKind.Upgrade],
  ['expect', FieldKind.Expect],
  ['x-forwarded-for', FieldKind.ForwardedFor],
  ['x-request-id', FieldKind.RequestId],
  ['cookie', FieldKind.Cookie],
  ...[...METHOD_FIELDS].map((name) => [name, FieldKind.MethodOverride] as const),
]);

/** Bounds what strangers can make us remember. */
const MAX_REMEMBERED = 2048;
const MAX_REMEMBERED_LENGTH = 64;
const remembered = new Map<string, FieldName>();

/** Null when `raw` is no token (a space before the colon, an empty name, bytes outside the grammar). */
export function fieldName(raw: string): FieldName | null {
  return remembered.get(raw) ?? learn(raw);
}

function learn(raw: string): FieldName | null {
  if (!isToken(raw)) return null;
  // A slice would keep the whole head in memory for as long as the name is remembered.
  const own = Buffer.from(raw, 'latin1').toString('latin1');
  const lower = own.toLowerCase();
  const name = { lower, kind: KINDS.get(lower) ?? (lower.includes('_') ? FieldKind.Underscored : FieldKind.Other) };
  if (remembered.size < MAX_REMEMBERED && raw.length <= MAX_REMEMBERED_LENGTH) remembered.set(own, name);
  return name;
}

/** Beyond 15 digits a length is no exact number any more. */
const MAX_LENGTH_DIGITS = 15;

/** The value of Content-Length; -1: it is none. */
export function contentLengthOf(value: string): number {
  if (value === '' || value.length > MAX_LENGTH_DIGITS) return -1;
  let length = 0;
  for (let i = 0; i < value.length; i += 1) {
    const digit = value.charCodeAt(i) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    length = length * 10 + digit;
  }
  return length;
}
