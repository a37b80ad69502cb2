// The Host field or :authority of a request, taken apart.

/** Names, addresses, `[v6]`; no user information, no empty host. */
const AUTHORITY = /^([A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?\.?|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?$/;

/** Authorities that were good, with their hosts; bounded, since strangers choose them. */
const known = new Map<string, string>();
const MAX_KNOWN = 512;
const MAX_KNOWN_LENGTH = 64;

/** Lower case, without port and without the root's dot; null when it is malformed. */
export function hostOfAuthority(authority: string): string | null {
  return known.get(authority) ?? readAuthority(authority);
}

function readAuthority(authority: string): string | null {
  const match = AUTHORITY.exec(authority);
  if (match === null || (match[2] !== undefined && Number(match[2]) > 65535)) return null;
  const host = (match[1] ?? '').toLowerCase();
  const name = host.endsWith('.') ? host.slice(0, -1) : host;
  if (known.size < MAX_KNOWN && authority.length <= MAX_KNOWN_LENGTH) known.set(unsliced(authority), unsliced(name));
  return name;
}

/** A copy of its own: a piece of a head would keep the whole head in memory. */
function unsliced(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
