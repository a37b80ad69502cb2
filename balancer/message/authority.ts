// The Host field or :authority of a request, taken apart.

/** Names, addresses, `[v6]`; no user information, no empty host. */
const AUTHORITY = /^([A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?\.?|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?$/;

/** Lower case, without port and without the root's dot; null when it is malformed. */
export function hostOfAuthority(authority: string): string | null {
  const match = AUTHORITY.exec(authority);
  if (match === null || (match[2] !== undefined && Number(match[2]) > 65535)) return null;
  const host = (match[1] ?? '').toLowerCase();
  return host.endsWith('.') ? host.slice(0, -1) : host;
}
