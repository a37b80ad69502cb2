// Field names as they arrive, mapped to lower case and to a number the engine can switch on; remembered, so that a name is checked once.
import { isToken } from '../message/grammar.ts';

/** Fields the engine itself acts on; every other name is FieldKind.Other. */
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
  Underscored: 13,
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
