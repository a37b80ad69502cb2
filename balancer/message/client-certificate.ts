// Who a client proved to be by its certificate in the TLS handshake.
import type { Fields } from './fields.ts';

/** Verified: the chain, the purpose and the time were right, and the client holds the key. */
export interface ClientCertificate {
  /** As OpenSSL tells it, the parts in the order of the certificate: `O=Example, CN=shop`. */
  readonly subject: string;
  /** Names with their kind in front: `DNS:shop.example`, `URI:spiffe://example/shop`, `email:shop@example`. */
  readonly alternativeNames: readonly string[];
  /** SHA-256 of the certificate, 64 hexadecimal digits in lower case. */
  readonly fingerprint: string;
  /** What the cluster is told of it, names and values: `client-cert` and `client-cert-chain` (RFC 9440), or nothing. */
  readonly told: Fields;
}

/** A byte sequence of structured fields (RFC 9651 section 3.3.5). */
export const byteSequence = (bytes: Buffer): string => `:${bytes.toString('base64')}:`;

/** `DNS:a.example, URI:"with, comma"` as node:crypto writes subject alternative names → one text for each. */
export function alternativeNames(text: string): readonly string[] {
  const names: string[] = [];
  for (const [, kind = '', value = ''] of text.matchAll(/(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,"]*)/g))
    names.push(`${kind}:${value.startsWith('"') ? unquoted(value) : value}`);
  return names;
}

function unquoted(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    return text;
  }
}
