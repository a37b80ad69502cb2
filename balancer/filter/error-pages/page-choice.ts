// Which page a client gets for an error: by what the page is for and by what the client accepts.
import { fieldValue } from '../../message/fields.ts';
import { mediaRank, preferences, type Preference } from '../../message/preferences.ts';
import type { CanonicalRequest } from '../../message/request.ts';
import type { ResponseHead } from '../../message/response.ts';
import { mediaTypeOf, type ErrorPage } from './page.ts';

export class PageChoice {
  readonly #pages: readonly ErrorPage[];
  /** By code and status: both come from bounded sets. */
  readonly #meant = new Map<string, readonly ErrorPage[]>();

  constructor(pages: readonly ErrorPage[]) {
    this.#pages = pages;
  }

  /** Null: what there is is better for this client. */
  of({ fields }: CanonicalRequest, head: Readonly<ResponseHead>): ErrorPage | null {
    const own = head.own === undefined ? '' : mediaTypeOf(fieldValue(head.fields, 'content-type') ?? '');
    // It is no page that a client of gRPC can read.
    if (own.startsWith('application/grpc')) return null;
    const wanted = preferences(fields, 'accept');
    let best: ErrorPage | null = null;
    let bestRank = ownRank(wanted, own);
    for (const page of this.#meantFor(head.own?.code ?? '', head.status)) {
      const rank = mediaRank(wanted, page.mediaType);
      if (rank === 0 || rank < bestRank || (rank === bestRank && best !== null)) continue;
      [best, bestRank] = [page, rank];
    }
    return best;
  }

  #meantFor(code: string, status: number): readonly ErrorPage[] {
    const key = `${code} ${status}`;
    const known = this.#meant.get(key);
    if (known !== undefined) return known;
    const meant = this.#pages.filter((page) => page.meant(code, status) > 0);
    meant.sort((a, b) => b.meant(code, status) - a.meant(code, status));
    this.#meant.set(key, meant);
    return meant;
  }
}

/** Problem details are JSON to whoever asks for JSON. */
function ownRank(wanted: readonly Preference[] | null, type: string): number {
  if (type === '') return 0;
  return Math.max(mediaRank(wanted, type), type === 'application/problem+json' ? mediaRank(wanted, 'application/json') : 0);
}
