// Which fields a message of HTTP/2 may have (RFC 9113 section 8.2).
import { isFieldValue, isToken } from '../message/grammar.ts';

/** Fields of one connection, which have no meaning here (RFC 9113 section 8.2.2). */
const CONNECTION_FIELDS = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade']);
const UPPER_CASE = /[A-Z]/;
/** Names that were good; bounded, since strangers choose them. */
const known = new Set<string>();
const MAX_KNOWN = 2048;
const MAX_KNOWN_LENGTH = 64;

/** True for a name in lower case that is no field of a connection, with a value of the grammar and no blank around it. */
export function isRegularField(name: string, value: string): boolean {
  return (
    (known.has(name) || learn(name)) &&
    isFieldValue(value, 0, value.length) &&
    !isBlank(value.charCodeAt(0)) &&
    !isBlank(value.charCodeAt(value.length - 1))
  );
}

function learn(name: string): boolean {
  if (!isToken(name) || UPPER_CASE.test(name) || CONNECTION_FIELDS.has(name)) return false;
  if (known.size < MAX_KNOWN && name.length <= MAX_KNOWN_LENGTH) known.add(Buffer.from(name, 'latin1').toString('latin1'));
  return true;
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
