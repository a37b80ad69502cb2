// What a purge takes of what is stored, and which purges are still to be applied here.
import { canonicalJson } from '../../config/canonical-json.ts';
import { MOST_PURGES, type Purge, type Purges } from '../../intent/purge.ts';
import type { StoredResponse } from './stored-response.ts';

export class PurgeMatch {
  readonly #urls: ReadonlySet<string>;
  readonly #tags: ReadonlySet<string>;
  readonly #prefixes: readonly string[];
  readonly #everything: boolean;

  constructor({ urls, prefixes, tags }: Pick<Purge, 'urls' | 'prefixes' | 'tags'>) {
    this.#urls = new Set(urls);
    this.#tags = new Set(tags);
    this.#prefixes = prefixes;
    this.#everything = urls.length + prefixes.length + tags.length === 0;
  }

  /** Whatever its tags are. */
  takesUri(uri: string): boolean {
    if (this.#everything) return true;
    if (this.#urls.size + this.#prefixes.length === 0) return false;
    const place = placeOf(uri);
    if (this.#urls.has(place)) return true;
    return this.#prefixes.some((prefix) => place.startsWith(prefix, prefix.startsWith('/') ? place.indexOf('/') : 0));
  }

  takesTags({ tags }: Pick<StoredResponse, 'tags'>): boolean {
    return this.#tags.size > 0 && tags.some((tag) => this.#tags.has(tag));
  }

  /** Of what is on its way nobody knows the tags yet. */
  mayTake(uri: string): boolean {
    return this.#tags.size > 0 || this.takesUri(uri);
  }
}

/** `host/path?query`: without scheme and port, and without the dot of the root. */
function placeOf(uri: string): string {
  const from = uri.indexOf('//') + 2;
  const slash = uri.indexOf('/', from);
  const host = uri.slice(from, slash).replace(/:\d*$/, '').replace(/\.$/, '');
  return `${host}${uri.slice(slash)}`;
}

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
