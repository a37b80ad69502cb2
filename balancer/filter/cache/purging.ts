// What a purge takes of what is stored, and which purges are still to be applied here.
import { canonicalJson } from '../../config/canonical-json.ts';
import { MOST_PURGES, type Purge, type Purges } from '../../intent/purge.ts';

export class PurgeMatch {
  readonly tags: readonly string[];
  readonly urls: ReadonlySet<string>;
  readonly #prefixes: readonly string[];
  readonly #everything: boolean;

  constructor({ urls, prefixes, tags }: Pick<Purge, 'urls' | 'prefixes' | 'tags'>) {
    this.urls = new Set(urls);
    this.tags = tags;
    this.#prefixes = prefixes;
    this.#everything = urls.length + prefixes.length + tags.length === 0;
  }

  /** Everything, or what begins so: all there is has to be looked at. */
  get takesMany(): boolean {
    return this.#everything || this.#prefixes.length > 0;
  }

  /** Whatever its tags are. */
  takes(place: string): boolean {
    if (this.#everything || this.urls.has(place)) return true;
    return this.#prefixes.some((prefix) => place.startsWith(prefix, prefix.startsWith('/') ? place.indexOf('/') : 0));
  }

  /** Of what is on its way nobody knows the tags yet. */
  mayTake(uri: string): boolean {
    return this.tags.length > 0 || this.takes(placeOf(uri));
  }
}

/** `host/path?query`: without scheme and port, and without the dot of the root. */
export function placeOf(uri: string): string {
  const from = uri.indexOf('//') + 2;
  const slash = uri.indexOf('/', from);
  const authority = uri.slice(from, slash);
  const host = HAS_MORE.test(authority) ? authority.replace(/:\d*$/, '').replace(/\.$/, '') : authority;
  // A slice of what is there needs no memory of its own.
  return host === authority ? uri.slice(from) : `${host}${uri.slice(slash)}`;
}

const HAS_MORE = /:|\.$/;

/** Handed from generation to generation: a purge is applied once, to whatever there is. */
export class AppliedPurges {
  #list: Purges | null = null;
  /** Of the last list, by all that is in them: of two ends of a chain both may have a purge of one number. */
  #seen: ReadonlySet<string> = new Set();

  /** Those that are new in the list, oldest first. Null: others may have come and gone unseen. */
  take(list: Purges): readonly Purge[] | null {
    if (list === this.#list) return [];
    const all = Object.entries(list).sort(([one], [other]) => Number(one) - Number(other));
    const keys = all.map((entry) => canonicalJson(entry));
    const before = this.#seen;
    this.#list = list;
    this.#seen = new Set(keys);
    if (all.length >= MOST_PURGES && !keys.some((key) => before.has(key))) return null;
    return all.filter((_, index) => !before.has(keys[index] ?? '')).map(([, purge]) => purge);
  }
}
