// The responses that a worker keeps for one route: within a bound, the one that was not asked for the longest goes first.
import { placeOf, type PurgeMatch } from './purging.ts';
import { conditionsFor } from './revalidation.ts';
import { saysTheSame } from './variants.ts';
import { sizeOf, type StoredResponse } from './stored-response.ts';

/** Of one URI. An origin that varies by what clients make up must not make every look-up long. */
const MOST_VARIANTS = 32;
/** Of those that were found lately, how many are passed over in one look for room: it must not be long. */
const MOST_SPARED = 64;
/** Bodies on their way take up to this part of the bound besides. */
const COLLECTED_PART = 1 / 4;

/** A request on its way whose response may be stored. */
export interface Pending {
  readonly uri: string;
  /** What it gets may be of before a change: it is not stored. */
  drop(): void;
}

interface OfUri {
  /** As purges name it. */
  readonly place: string;
  /** The newest first. */
  readonly variants: readonly StoredResponse[];
}

/** What a look-up did not find: any response for that URI, or one for such a request. */
export type NotFound = 'uri-miss' | 'vary-miss';

export class ResponseStore {
  readonly #maxBytes: number;
  readonly #byUri = new Map<string, OfUri>();
  /** URIs by their place, and responses by their tags: purges by these look at nothing else. */
  readonly #byPlace = new Map<string, readonly string[]>();
  readonly #byTag = new Map<string, Set<StoredResponse>>();
  /** In the order of their coming, or of being passed over. */
  readonly #used = new Set<StoredResponse>();
  readonly #pending = new Map<string, Set<Pending>>();
  #bytes = 0;
  #closed = false;
  #collectedBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Of what is stored. */
  get bytes(): number {
    return this.#bytes;
  }

  get objects(): number {
    return this.#used.size;
  }

  find(uri: string, partition: string, fields: readonly string[]): StoredResponse | NotFound {
    const stored = this.#byUri.get(uri);
    if (stored === undefined) return 'uri-miss';
    for (const one of stored.variants) {
      if (one.partition !== partition || !saysTheSame(fields, one.varies, one.values)) continue;
      one.wasFound = true;
      return one;
    }
    return 'vary-miss';
  }

  /** In place of what is stored for such a request. How many others had to go for it. */
  add(response: StoredResponse): number {
    const size = sizeOf(response);
    if (size > this.#maxBytes || this.#closed) return 0;
    const stored = this.#byUri.get(response.uri);
    const others = stored?.variants ?? [];
    const kept = others.filter((one) => !replaces(response, one)).slice(0, MOST_VARIANTS - 1);
    for (const one of others) if (!kept.includes(one)) this.#forget(one);
    const place = stored?.place ?? placeOf(response.uri);
    if (stored === undefined) this.#byPlace.set(place, [...(this.#byPlace.get(place) ?? []), response.uri]);
    this.#byUri.set(response.uri, { place, variants: [response, ...kept] });
    this.#remember(response, size);
    return this.#makeRoom();
  }

  remove(response: StoredResponse): void {
    if (!this.#used.has(response)) return;
    this.#forget(response);
    const { uri } = response;
    const stored = this.#byUri.get(uri);
    const left = stored?.variants.filter((one) => one !== response) ?? [];
    if (stored === undefined || left.length === 0) this.#dropUri(uri);
    else this.#byUri.set(uri, { ...stored, variants: left });
  }

  /** It changed: what is stored of it goes, and what is on its way is not stored. */
  invalidate(uri: string): void {
    for (const one of this.#byUri.get(uri)?.variants ?? []) this.#forget(one);
    this.#dropUri(uri);
    for (const one of this.#pending.get(uri) ?? []) one.drop();
  }

  /** `endMs` null: what matches goes; else it ends then, on the monotonic clock. What is on its way is not stored in any case. How many there were. */
  purge(match: PurgeMatch, endMs: number | null): number {
    const taken = new Set<StoredResponse>();
    for (const tag of match.tags) for (const one of this.#byTag.get(tag) ?? []) taken.add(one);
    for (const place of match.urls)
      for (const uri of this.#byPlace.get(place) ?? []) for (const one of this.#byUri.get(uri)?.variants ?? []) taken.add(one);
    if (match.takesMany)
      for (const { place, variants } of this.#byUri.values()) if (match.takes(place)) for (const one of variants) taken.add(one);
    for (const one of taken) {
      if (endMs === null) this.remove(one);
      else this.#end(one, endMs);
    }
    for (const [uri, pending] of this.#pending) if (match.mayTake(uri)) for (const one of pending) one.drop();
    return taken.size;
  }

  /** How many there were. */
  clear(): number {
    const { objects } = this;
    this.#byUri.clear();
    this.#byTag.clear();
    this.#byPlace.clear();
    this.#used.clear();
    this.#bytes = 0;
    for (const pending of this.#pending.values()) for (const one of pending) one.drop();
    return objects;
  }

  /** Nothing is stored any more. */
  close(): void {
    this.clear();
    this.#closed = true;
  }

  begin(pending: Pending): void {
    const others = this.#pending.get(pending.uri);
    if (others === undefined) this.#pending.set(pending.uri, new Set([pending]));
    else others.add(pending);
  }

  end(pending: Pending): void {
    const others = this.#pending.get(pending.uri);
    if (others?.delete(pending) === true && others.size === 0) this.#pending.delete(pending.uri);
  }

  /** Takes memory for a body on its way; false: there is none. */
  reserve(bytes: number): boolean {
    if (this.#collectedBytes + bytes > this.#maxBytes * COLLECTED_PART) return false;
    this.#collectedBytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.#collectedBytes -= bytes;
  }

  /** It does not hold any more, and may be served and asked about as one that has come to its end by itself. */
  #end(response: StoredResponse, endMs: number): void {
    const { stale, fields, bornMs, lifetimeMs } = response;
    const isOfUse = stale.revalidatingMs > 0 || stale.failingMs > 0 || conditionsFor(fields).length > 0;
    if (!isOfUse) return this.remove(response);
    const ended = { ...response, lifetimeMs: Math.min(lifetimeMs, Math.max(0, endMs - bornMs)) };
    const stored = this.#byUri.get(response.uri);
    if (stored === undefined) return;
    this.#byUri.set(response.uri, { ...stored, variants: stored.variants.map((one) => (one === response ? ended : one)) });
    this.#forget(response);
    this.#remember(ended, sizeOf(ended));
  }

  #dropUri(uri: string): void {
    const stored = this.#byUri.get(uri);
    if (stored === undefined) return;
    this.#byUri.delete(uri);
    const left = (this.#byPlace.get(stored.place) ?? []).filter((other) => other !== uri);
    if (left.length === 0) this.#byPlace.delete(stored.place);
    else this.#byPlace.set(stored.place, left);
  }

  #remember(response: StoredResponse, size: number): void {
    this.#used.add(response);
    this.#bytes += size;
    for (const tag of response.tags) {
      const tagged = this.#byTag.get(tag);
      if (tagged === undefined) this.#byTag.set(tag, new Set([response]));
      else tagged.add(response);
    }
  }

  /** The oldest go. One that was found since it was passed over last is passed over again (CLOCK): a mark costs a hit less than a new place. */
  #makeRoom(): number {
    let [dropped, spared] = [0, 0];
    for (const oldest of this.#used) {
      if (this.#bytes <= this.#maxBytes) break;
      if (oldest.wasFound === true && spared < MOST_SPARED) {
        oldest.wasFound = false;
        this.#used.delete(oldest);
        this.#used.add(oldest);
        spared += 1;
      } else {
        this.remove(oldest);
        dropped += 1;
      }
    }
    return dropped;
  }

  #forget(response: StoredResponse): void {
    if (!this.#used.delete(response)) return;
    this.#bytes -= sizeOf(response);
    for (const tag of response.tags) {
      const tagged = this.#byTag.get(tag);
      tagged?.delete(response);
      if (tagged?.size === 0) this.#byTag.delete(tag);
    }
  }
}

/** The requests that get the one would get the other. */
function replaces(fresh: StoredResponse, stored: StoredResponse): boolean {
  const same = fresh.partition === stored.partition && fresh.varies.length === stored.varies.length;
  return same && fresh.varies.every((name, i) => name === stored.varies[i] && fresh.values[i] === stored.values[i]);
}
