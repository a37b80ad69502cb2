// What the secure contexts of a listener have in common: versions, cipher suites, key exchange, and whose sessions they resume.
import { createHash, hkdfSync } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { ListenerTls } from '../config/config.ts';

/** Of the same guidelines as the default cipher suites. */
const GROUPS = 'X25519MLKEM768:X25519:prime256v1:secp384r1';
/** OpenSSL before 3.5, as in the first releases of Node 24, refuses a list with a group it does not know. */
const CLASSIC_GROUPS = 'X25519:prime256v1:secp384r1';
/** How long a client may offer a session. Tickets end earlier when their key does. */
const SESSION_S = 12 * 3600;
/** Name, HMAC key and AES key, 16 bytes each, as Node takes them. */
const TICKET_KEY_BYTES = 48;

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

/** A session is resumed only where a full handshake would have come to the same: at this listener, with these rules. */
export function sessionScope(listener: string, { minVersion, ciphers }: ListenerTls): string {
  const rules = JSON.stringify([listener, minVersion, ciphers]);
  // As long as OpenSSL lets the name of a scope be.
  return createHash('sha256').update(rules).digest('hex').slice(0, 32);
}

export function secureOptions({ minVersion, ciphers }: ListenerTls, scope: string): SecureContextOptions {
  return {
    minVersion,
    ciphers: ciphers.join(':'),
    ecdhCurve: keyExchangeGroups(),
    honorCipherOrder: false,
    sessionIdContext: scope,
    sessionTimeout: SESSION_S,
  };
}

/** The key of one scope from the one that the workers share: no ticket can be read where it was not made. */
export function ticketKeyOf(shared: Buffer, scope: string): Buffer {
  return Buffer.from(hkdfSync('sha256', shared, '', `weir session tickets ${scope}`, TICKET_KEY_BYTES));
}
