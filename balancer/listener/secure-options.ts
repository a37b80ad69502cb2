// What the secure contexts of a listener have in common: versions, cipher suites, key exchange, and whose sessions they resume.
import { constants, createHash, hkdfSync } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { ListenerTls } from '../config/config.ts';
import type { ClientTrust } from './client-trust.ts';

/** Of the same guidelines as the default cipher suites. */
const GROUPS = 'X25519MLKEM768:X25519:prime256v1:secp384r1';
/** OpenSSL before 3.5, which a Node can be built with, refuses a list with a group it does not know. */
const CLASSIC_GROUPS = 'X25519:prime256v1:secp384r1';
/** How long a client may offer a session. Tickets end earlier when their key does. */
const SESSION_S = 12 * 3600;
/** Name, HMAC key and AES key, 16 bytes each, as Node takes them. */
const TICKET_KEY_BYTES = 48;

export type ScopedOptions = SecureContextOptions & { readonly sessionIdContext: string };

let groups: string | null = null;

function keyExchangeGroups(): string {
  if (groups !== null) return groups;
  try {
    createSecureContext({ ecdhCurve: GROUPS });
    groups = GROUPS;
  } catch {
    groups = CLASSIC_GROUPS;
  }
  return groups;
}

/**
 * A session is resumed only where a full handshake would have come to the same: at this listener, with these rules, by these
 * authorities. A client that was let in without a certificate must not come back to where one is needed.
 */
function sessionScope(listener: string, { minVersion, ciphers, clientCertificates }: ListenerTls, trust: ClientTrust | null): string {
  const rules = JSON.stringify([listener, minVersion, ciphers, clientCertificates]);
  const hash = createHash('sha256').update(rules);
  if (trust !== null) hash.update(trust.authorities);
  // Who was revoked since must not come back by a session: new lists end all sessions.
  for (const list of trust?.revocations.lists ?? []) hash.update(list);
  // As long as OpenSSL lets the name of a scope be.
  return hash.digest('hex').slice(0, 32);
}

/** `sessionIdContext` of the result is the scope of its sessions. `trust`: null when clients are asked for no certificates. */
export function secureOptions(listener: string, tls: ListenerTls, trust: ClientTrust | null): ScopedOptions {
  const { minVersion, ciphers, clientCertificates } = tls;
  return {
    minVersion,
    ciphers: ciphers.join(':'),
    ecdhCurve: keyExchangeGroups(),
    honorCipherOrder: false,
    sessionIdContext: sessionScope(listener, tls, trust),
    ...(trust === null ? {} : { ca: trust.authorities }),
    // With any list at all OpenSSL wants one of every authority of a chain, and refuses what it cannot look up or what is out of date.
    ...(trust === null || trust.revocations.lists.length === 0 ? {} : { crl: [...trust.revocations.lists] }),
    // No second handshake, which HTTP/2 forbids (RFC 9113 section 9.2.1). A ticket carries the certificate of the client and not its chain.
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION | (clientCertificates?.forward === 'chain' ? constants.SSL_OP_NO_TICKET : 0),
    sessionTimeout: SESSION_S,
  };
}

/** The key of one scope from the one that the workers share: no ticket can be read where it was not made. */
export function ticketKeyOf(shared: Buffer, scope: string): Buffer {
  return Buffer.from(hkdfSync('sha256', shared, '', `weir session tickets ${scope}`, TICKET_KEY_BYTES));
}
