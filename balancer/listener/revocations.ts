// Lists of revoked certificates (RFC 5280 section 5): OpenSSL checks against them, and here is read until when they hold, which it does not tell.

export interface Revocations {
  /** Each as PEM: Node takes one list a piece. */
  readonly lists: readonly string[];
  /** When the first of them is out of date, on the wall clock; Infinity: none of them says. */
  readonly untilMs: number;
}

export const NO_REVOCATIONS: Revocations = { lists: [], untilMs: Infinity };

const LIST = /-----BEGIN X509 CRL-----([A-Za-z0-9+/=\s]+)-----END X509 CRL-----/g;

const INTEGER = 0x02;
const SEQUENCE = 0x30;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;

/** Throws an Error that says what is wrong with the text. */
export function parseRevocations(pem: string): Revocations {
  const found = [...pem.matchAll(LIST)];
  if (found.length === 0)
    throw new Error(
      'no revocation list can be read; expected a PEM file of them (`openssl crl -inform DER -in LIST -out LIST.pem` makes one)',
    );
  const until = found.map(([, body = '']) => nextUpdateMs(Buffer.from(body, 'base64')));
  return { lists: found.map(([whole]) => `${whole}\n`), untilMs: Math.min(...until) };
}

interface Element {
  readonly tag: number;
  /** Of the content. */
  readonly start: number;
  readonly end: number;
}

/** CertificateList is a sequence that begins with TBSCertList: version OPTIONAL, signature, issuer, thisUpdate, nextUpdate OPTIONAL, … */
function nextUpdateMs(der: Buffer): number {
  const list = elementAt(der, 0, SEQUENCE);
  let at = elementAt(der, list.start, SEQUENCE).start;
  const version = elementAt(der, at);
  if (version.tag === INTEGER) at = version.end;
  const signature = elementAt(der, at, SEQUENCE);
  const issuer = elementAt(der, signature.end, SEQUENCE);
  const thisUpdate = elementAt(der, issuer.end);
  if (timeMs(der, thisUpdate) === null) throw new Error(BROKEN);
  // Without one OpenSSL takes the list for good for ever.
  return thisUpdate.end < der.length ? (timeMs(der, elementAt(der, thisUpdate.end)) ?? Infinity) : Infinity;
}

const BROKEN = 'the revocation list is broken: it is not of the form of RFC 5280';

/** DER: a byte of tag, then the length, in one byte up to 127, else in as many bytes as the first says. */
function elementAt(der: Buffer, at: number, expected?: number): Element {
  const tag = der[at];
  const first = der[at + 1];
  if (tag === undefined || first === undefined || (expected !== undefined && tag !== expected)) throw new Error(BROKEN);
  const more = first < 0x80 ? 0 : first & 0x7f;
  const start = at + 2 + more;
  if (more > 4 || start > der.length) throw new Error(BROKEN);
  const length = more === 0 ? first : der.readUIntBE(at + 2, more);
  if (start + length > der.length) throw new Error(BROKEN);
  return { tag, start, end: start + length };
}

/** Null: it is no time. */
function timeMs(der: Buffer, { tag, start, end }: Element): number | null {
  if (tag !== UTC_TIME && tag !== GENERALIZED_TIME) return null;
  const written = der.toString('latin1', start, end);
  // RFC 5280 section 5.1.2.4: two digits of a year from 50 on are of the last century.
  const text = tag === GENERALIZED_TIME ? written : `${Number(written.slice(0, 2)) < 50 ? '20' : '19'}${written}`;
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text)?.slice(1).map(Number);
  if (parts === undefined) throw new Error(BROKEN);
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}
