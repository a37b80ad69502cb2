// Who the client is: the trusted walk over forwarded fields, right to left.
import { BlockList, isIP } from 'node:net';

/** A set of CIDR blocks; `::ffff:a.b.c.d` counts as `a.b.c.d`. */
export class AddressSet {
  readonly #list = new BlockList();
  readonly #empty: boolean;

  /** `blocks` are addresses or `address/prefix`, already validated by the config. */
  constructor(blocks: readonly string[]) {
    this.#empty = blocks.length === 0;
    for (const block of blocks) {
      const [address = '', prefix] = block.split('/');
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
      if (prefix === undefined) this.#list.addAddress(address, family);
      else this.#list.addSubnet(address, Number(prefix), family);
    }
  }

  has(address: string): boolean {
    if (this.#empty) return false;
    const family = isIP(address);
    return family !== 0 && this.#list.check(address, family === 6 ? 'ipv6' : 'ipv4');
  }
}

/** `::ffff:10.0.0.1` → `10.0.0.1`: what a dual-stack socket reports for an IPv4 peer. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

/**
 * Walks `x-forwarded-for` from the right while the addresses are trusted, starting from a trusted peer. The first one that is
 * not trusted, or the last one before an entry that is no address, is the client.
 */
export function clientAddress(peer: string, forwardedFor: readonly string[], trusted: AddressSet): string {
  let client = peer;
  const entries = forwardedFor.join(',').split(',');
  for (let i = entries.length - 1; i >= 0 && trusted.has(client); i -= 1) {
    const entry = bareAddress((entries[i] ?? '').trim());
    if (entry === null) break;
    client = entry;
  }
  return client;
}

/** Accepts `1.2.3.4`, `1.2.3.4:80`, `2001:db8::1`, `[2001:db8::1]:80`. */
function bareAddress(entry: string): string | null {
  if (isIP(entry) !== 0) return plainAddress(entry);
  const bracketed = /^\[([0-9A-Fa-f:.]+)\](?::\d{1,5})?$/.exec(entry)?.[1];
  if (bracketed !== undefined && isIP(bracketed) === 6) return plainAddress(bracketed);
  const withPort = /^(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}$/.exec(entry)?.[1];
  return withPort !== undefined && isIP(withPort) === 4 ? withPort : null;
}
