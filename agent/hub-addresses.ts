// Which hubs there are: those that are named, and where a name has several addresses, each of them. Names are looked up again while the agent runs.
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Log } from '../balancer/log.ts';
import type { Clock, Timer } from '../health/clock.ts';

/** One way to one hub. */
export interface HubPlace {
  readonly key: string;
  readonly url: URL;
  /** Null: whatever the name leads to at that moment. */
  readonly address: string | null;
}

/** All addresses of a name, as the machine looks names up; rejects when there is none. */
export type Resolve = (host: string) => Promise<readonly string[]>;

export const resolveByMachine: Resolve = async (host) => (await lookup(host, { all: true })).map(({ address }) => address);

/** Names of edge hosts that come and go: a new one is reported to within this. */
const LOOK_MS = 30_000;
/** Of one name; a name with more is not one of edge hosts. */
const MOST_ADDRESSES = 64;

export interface HubAddressesParts {
  readonly urls: readonly URL[];
  readonly resolve: Resolve;
  readonly clock: Clock;
  readonly log: Log;
  readonly onChange: (places: readonly HubPlace[]) => void;
}

export class HubAddresses {
  readonly #parts: HubAddressesParts;
  /** By URL, as last known: a name server that is away takes no hub away. */
  readonly #addresses = new Map<string, readonly string[]>();
  #told = '';
  #timer: Timer | null = null;
  #closed = false;

  constructor(parts: HubAddressesParts) {
    this.#parts = parts;
  }

  /** Calls back with the places, first when all names were looked up once, then with each change. */
  start(): void {
    void this.#look();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  async #look(): Promise<void> {
    const { urls, clock } = this.#parts;
    const named = urls.filter(isName);
    await Promise.all(named.map((url) => this.#lookUp(url)));
    // Closed while the names were looked up.
    if (this.#isClosed()) return;
    const places = urls.flatMap((url) => this.#placesOf(url));
    const text = places.map(({ key }) => key).join(' ');
    if (text !== this.#told) {
      this.#told = text;
      this.#parts.onChange(places);
    }
    if (named.length > 0) this.#timer = clock.after(LOOK_MS, () => void this.#look());
  }

  #isClosed(): boolean {
    return this.#closed;
  }

  async #lookUp(url: URL): Promise<void> {
    try {
      const found = [...new Set(await this.#parts.resolve(url.hostname))].sort();
      this.#addresses.set(url.href, found.slice(0, MOST_ADDRESSES));
    } catch (error) {
      const known = this.#addresses.get(url.href)?.length ?? 0;
      this.#parts.log.warn({ hub: url.href, problem: String(error), known }, 'the name of the hub cannot be looked up');
    }
  }

  #placesOf(url: URL): readonly HubPlace[] {
    const addresses = this.#addresses.get(url.href) ?? [];
    // With one address the name is enough: a connection then looks it up by itself, as it moves.
    if (addresses.length <= 1) return [{ key: url.href, url, address: null }];
    return addresses.map((address) => ({ key: `${url.href}@${address}`, url, address }));
  }
}

/** Something else than an address: `localhost` is this machine, whatever addresses that has. */
function isName(url: URL): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return isIP(host) === 0 && host !== 'localhost';
}
