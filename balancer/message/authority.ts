// The Host field or :authority of a request, taken apart.
import { isIPv6 } from 'node:net';

/** The one way an authority is written from here on: two spellings must not reach two places. */
export interface Authority {
  /** Lower case, without port and without the root's dot. */
  readonly host: string;
  /** The host with the port the client named, if it did. */
  readonly text: string;
}

/** Names, addresses, `[v6]`; no user information, no empty host. */
const AUTHORITY = /^([A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?\.?|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?$/;

/** Authorities that were good, taken apart; bounded, since strangers choose them. */
const known = new Map<string, Authority>();
const MAX_KNOWN = 512;
const MAX_KNOWN_LENGTH = 64;

/** Null when it is malformed. */
export function readAuthority(authority: string): Authority | null {
  return known.get(authority) ?? takeApart(authority);
}

function takeApart(authority: string): Authority | null {
  const match = AUTHORITY.exec(authority);
  const [, written = '', port] = match ?? [];
  if (match === null || (port !== undefined && Number(port) > 65535)) return null;
  if (written.startsWith('[') && !isIPv6(written.slice(1, -1))) return null;
  const lower = written.toLowerCase();
  const host = unsliced(lower.endsWith('.') ? lower.slice(0, -1) : lower);
  const read = { host, text: port === undefined ? host : `${host}:${Number(port)}` };
  if (known.size < MAX_KNOWN && authority.length <= MAX_KNOWN_LENGTH) known.set(unsliced(authority), read);
  return read;
}

/** A copy of its own: a piece of a head would keep the whole head in memory. */
function unsliced(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
