// Which fields a message of HTTP/2 may have (RFC 9113 section 8.2), for requests and responses, heads and trailers.
import { FieldKind, fieldName } from '../message/field-names.ts';
import { isFieldValue } from '../message/grammar.ts';

/** FieldKind of a field; -1: its name or its value may not stand in any message. Names are in lower case, as they have to be. */
export function kindOf(name: string, value: string): number {
  const known = fieldName(name);
  if (known === null || known.lower !== name || !isFieldValue(value, 0, value.length)) return -1;
  // RFC 9113 section 8.2.1: no blanks around a value.
  return isBlank(value.charCodeAt(0)) || isBlank(value.charCodeAt(value.length - 1)) ? -1 : known.kind;
}

/**
 * True for fields of one connection of HTTP/1.1, which make a message malformed (RFC 9113 section 8.2.2). Te is excepted in requests
 * alone, where it may say that the client takes trailers.
 */
export function isConnectionSpecific(kind: number): boolean {
  switch (kind) {
    case FieldKind.TransferEncoding:
    case FieldKind.Connection:
    case FieldKind.KeepAlive:
    case FieldKind.ProxyConnection:
    case FieldKind.Te:
    case FieldKind.Upgrade:
      return true;
    default:
      return false;
  }
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
