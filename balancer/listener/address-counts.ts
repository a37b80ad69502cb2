// How many connections each client address has open, so that none takes a whole listener.
import { isIPv6 } from 'node:net';

export class AddressCounts {
  readonly #counts = new Map<string, number>();

  /** Counts one more of `address`, or says no when it has `most` already. */
  take(address: string, most: number): boolean {
    const key = countedAs(address);
    const count = this.#counts.get(key) ?? 0;
    if (count >= most) return false;
    this.#counts.set(key, count + 1);
    return true;
  }

  release(address: string): void {
    const key = countedAs(address);
    const count = this.#counts.get(key) ?? 0;
    if (count > 1) this.#counts.set(key, count - 1);
    else this.#counts.delete(key);
  }
}

/** One client of IPv6 has a whole /64 to choose addresses from (RFC 6177), so those count as one. */
export function countedAs(address: string): string {
  if (!isIPv6(address)) return address;
  const [bare = ''] = address.split('%');
  const [front = '', back] = bare.split('::');
  const groups = front === '' ? [] : front.split(':');
  // `::` stands for at least one group of zeros; what it leaves of the first four is zero.
  if (back !== undefined) {
    const behind = back === '' ? [] : back.split(':');
    const width = behind.length + (back.includes('.') ? 1 : 0);
    while (groups.length < 8 - width) groups.push('0');
    groups.push(...behind);
  }
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':');
}
