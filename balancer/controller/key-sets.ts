// Keys of issuers, fetched here for all workers: kept fresh, kept over failures and restarts, and asked for again when a token names a new one.
import type { Clock, Random, Timer } from '../../health/clock.ts';
import { isInTheClear } from '../config/addresses.ts';
import type { Config } from '../config/config.ts';
import { readKeySet } from '../filter/authenticate/key-set.ts';
import type { KeySetMessage } from '../ipc-keys.ts';
import type { Store } from '../store/store.ts';
import { boundedGet, type GetOutcome } from './bounded-get.ts';
import type { Edge } from './edge.ts';

/** How often keys are fetched without anybody asking, give or take a tenth, so that hosts do not ask all at once. */
const REFRESH_MS = 300_000;
/** A fetch that failed is tried again after this, longer each time. */
const RETRY_MS = 1000;
const MOST_RETRY_MS = 60_000;
/** An issuer is not asked more often than this, whatever tokens name. */
const COOLDOWN_MS = 30_000;
/** Keys that could not be fetched again for so long count for nothing: the issuer may have withdrawn them. */
const STALE_MS = 86_400_000;
const FETCH_TIMEOUT_MS = 5000;

export interface KeySetsOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly store: Pick<Store, 'getValue' | 'putValue'>;
  readonly fetch: (place: KeyPlace, signal: AbortSignal) => Promise<GetOutcome>;
  /** To every worker, and to each that comes later in place of the one before. */
  readonly send: (message: KeySetMessage) => void;
  readonly tell: (text: string) => void;
  readonly count: (outcome: 'fetched' | 'failed') => void;
}

/** Where keys are. */
export interface KeyPlace {
  readonly url: string;
  readonly ca: string | null;
  /** Of this issuer the document is there, which says where keys are; absent: keys are. */
  readonly discovers?: string;
}

interface Kept {
  readonly version: number;
  readonly keys: readonly object[];
  /** Milliseconds since 1970, of the last fetch that went well. */
  readonly atMs: number;
}

interface Entry {
  place: KeyPlace;
  kept: Kept | null;
  failures: number;
  /** Monotonic, of the last attempt. */
  triedAtMs: number;
  fetching: Promise<void> | null;
  timer: Timer | null;
}

export class KeySets {
  readonly #options: KeySetsOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #closed = new AbortController();

  constructor(options: KeySetsOptions) {
    this.#options = options;
  }

  /** Fetches what the config names from now on, and nothing else. */
  follow({ issuers }: Pick<Config, 'issuers'>): void {
    const places = new Map<string, KeyPlace>();
    for (const { keys } of Object.values(issuers)) if (keys.kind === 'url') places.set(keys.url, keys);
    for (const [url, entry] of this.#entries) {
      if (places.has(url)) continue;
      entry.timer?.cancel();
      this.#entries.delete(url);
    }
    for (const [url, place] of places) {
      const known = this.#entries.get(url);
      if (known === undefined) this.#begin(place);
      else known.place = place;
    }
  }

  /** A worker misses a key of this set. It hears of the set in any case. */
  async wanted(url: string): Promise<void> {
    const entry = this.#entries.get(url);
    if (entry === undefined) return;
    const isCool = this.#options.clock.nowMs() - entry.triedAtMs >= COOLDOWN_MS;
    // Nothing can be checked without the first set: then only the pause between retries holds.
    if (isCool || entry.fetching !== null) await this.#fetch(url, entry);
    this.#send(url, entry);
  }

  close(): void {
    this.#closed.abort();
    for (const { timer } of this.#entries.values()) timer?.cancel();
    this.#entries.clear();
  }

  #begin(place: KeyPlace): void {
    const kept = decodeKept(this.#options.store.getValue(storeKey(place.url)));
    const entry: Entry = { place, kept, failures: 0, triedAtMs: -Infinity, fetching: null, timer: null };
    this.#entries.set(place.url, entry);
    this.#send(place.url, entry);
    void this.#fetch(place.url, entry);
  }

  /** One at a time. */
  #fetch(url: string, entry: Entry): Promise<void> {
    entry.fetching ??= this.#fetchNow(url, entry).finally(() => {
      entry.fetching = null;
    });
    return entry.fetching;
  }

  async #fetchNow(url: string, entry: Entry): Promise<void> {
    const { clock, fetch, count, tell } = this.#options;
    entry.timer?.cancel();
    entry.triedAtMs = clock.nowMs();
    const timeout = AbortSignal.any([this.#closed.signal, AbortSignal.timeout(FETCH_TIMEOUT_MS)]);
    const outcome = await fetch(entry.place, timeout);
    if (this.#entries.get(url) !== entry) return;
    const keys = outcome.ok && outcome.answer.status === 200 ? readKeySet(outcome.answer.body) : null;
    if (keys === null) {
      count('failed');
      const problem = outcome.ok ? `the answer is ${outcome.answer.status} and no JSON Web Key Set` : outcome.problem;
      if (entry.failures === 0) tell(`keys of ${nameOf(url)} cannot be fetched: ${problem}; those fetched before hold for a day`);
      entry.failures += 1;
      this.#forgetStale(url, entry);
    } else {
      count('fetched');
      if (entry.failures > 0) tell(`keys of ${nameOf(url)} are fetched again`);
      entry.failures = 0;
      this.#keep(url, entry, keys);
    }
    this.#later(url, entry);
  }

  #keep(url: string, entry: Entry, keys: readonly object[]): void {
    const { clock, store } = this.#options;
    const atMs = clock.wallMs();
    const before = entry.kept?.version ?? 0;
    const changed = JSON.stringify(entry.kept?.keys) !== JSON.stringify(keys);
    // Workers outlive a controller and its clock may be set back: the number rises all the same.
    entry.kept = { version: changed ? Math.max(atMs, before + 1) : before, keys, atMs };
    store.putValue(storeKey(url), JSON.stringify(entry.kept));
    if (changed) this.#send(url, entry);
  }

  #forgetStale(url: string, entry: Entry): void {
    const { clock, tell } = this.#options;
    if (entry.kept === null || entry.kept.keys.length === 0 || clock.wallMs() - entry.kept.atMs < STALE_MS) return;
    tell(`keys of ${nameOf(url)} are a day old and could not be fetched again: they count for nothing`);
    entry.kept = { ...entry.kept, version: entry.kept.version + 1, keys: [] };
    this.#send(url, entry);
  }

  #later(url: string, entry: Entry): void {
    const { clock, random } = this.#options;
    const pause = entry.failures === 0 ? REFRESH_MS : Math.min(RETRY_MS * 2 ** (entry.failures - 1), MOST_RETRY_MS);
    entry.timer = clock.after(pause * (0.9 + 0.2 * random()), () => void this.#fetch(url, entry), true);
  }

  #send(url: string, { kept }: Entry): void {
    this.#options.send({ type: 'key_set', url, version: kept?.version ?? 0, keys: kept?.keys ?? [] });
  }
}

/** The keys of one edge host. */
export function keySetsOf(edge: Edge): KeySets {
  const { clock, random, store } = edge.options;
  return new KeySets({
    ...{ clock, random, store },
    fetch: fetchKeys,
    send: (message) => edge.links.sendKeySet(message),
    tell: (text) => edge.events.add('config.keys', text),
    count: (outcome) => edge.meter.counter('weir_key_fetches_total', [outcome]).add(1),
  });
}

/** Of an issuer that is discovered: by what its document says at that moment, since it may move its keys. */
export async function fetchKeys({ url, ca, discovers }: KeyPlace, signal: AbortSignal): Promise<GetOutcome> {
  if (discovers === undefined) return boundedGet({ url, ca, headers: { accept: 'application/jwk-set+json, application/json' } }, signal);
  const outcome = await boundedGet({ url, ca, headers: { accept: 'application/json' } }, signal);
  if (!outcome.ok) return outcome;
  const place =
    outcome.answer.status === 200 ? keyPlaceIn(outcome.answer.body, discovers) : `its document is answered ${outcome.answer.status}`;
  return typeof place === 'string' ? { ok: false, problem: place } : fetchKeys({ ...place, ca }, signal);
}

/** A text: why it does not say where keys are (OpenID Connect Discovery 1.0, section 4.3). */
function keyPlaceIn(body: string, issuer: string): { readonly url: string } | string {
  let told: unknown;
  try {
    told = JSON.parse(body);
  } catch {
    return 'its document is no JSON';
  }
  if (typeof told !== 'object' || told === null) return 'its document is no mapping';
  const named: unknown = Reflect.get(told, 'issuer');
  const url: unknown = Reflect.get(told, 'jwks_uri');
  if (named !== issuer) return `its document is of another issuer, and not of ${issuer}, character by character`;
  if (typeof url !== 'string' || !/^https?:\/\//.test(url)) return 'its document has no jwks_uri';
  return isInTheClear(url) ? 'its document says that keys come in the clear' : { url };
}

const storeKey = (url: string): string => `keys ${url}`;

/** Without what may stand behind the host. */
const nameOf = (url: string): string => new URL(url).host;

function decodeKept(text: string | null): Kept | null {
  if (text === null) return null;
  try {
    const value = JSON.parse(text) as Partial<Kept>;
    const { version, keys, atMs } = value;
    return typeof version === 'number' && typeof atMs === 'number' && Array.isArray(keys) ? { version, keys, atMs } : null;
  } catch {
    return null;
  }
}
