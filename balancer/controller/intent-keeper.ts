// The intent as it is stored: read once, changed only by a revision that the store has taken, in a chain of records.
import type { Clock } from '../../health/clock.ts';
import { EMPTY_INTENT } from '../intent/diff.ts';
import type { Author, Change, Intent, Revision, RevisionSource, TouchedField } from '../intent/intent.ts';
import { chainRevision } from '../intent/revision.ts';
import type { History } from '../intent/undo.ts';
import type { Store } from '../store/store.ts';

/** Who changes what, and why. */
export interface Cause {
  readonly author: Author;
  readonly source: RevisionSource;
  readonly reason: string;
  readonly change: Change | null;
  /** The revision this one takes back. */
  readonly undoes: number | null;
}

/** Records read at a time when history is walked. */
const PAGE = 50;

export class IntentKeeper {
  readonly #store: Store;
  readonly #clock: Clock;
  #intent: Intent;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    this.#intent = store.readIntent() ?? EMPTY_INTENT;
  }

  get intent(): Intent {
    return this.#intent;
  }

  /** The newest record; null: nothing was ever changed. */
  get newest(): Revision | null {
    return this.#store.revisions(1)[0] ?? null;
  }

  /** Makes `next` the intent, durable before it returns. False: the store has moved on, and its intent is the present one now. */
  commit(next: Intent, touched: readonly TouchedField[], cause: Cause): boolean {
    const at = new Date(this.#clock.wallMs()).toISOString();
    const record = chainRevision({ revision: next.revision, at, touched, ...cause }, this.newest);
    const result = this.#store.commit(this.#intent.revision, next, record);
    this.#intent = result.ok ? next : (this.#store.readIntent() ?? EMPTY_INTENT);
    return result.ok;
  }

  history(): History {
    return { revisions: this.#newestFirst(), intentAt: (revision) => this.#store.intentAt(revision) };
  }

  *#newestFirst(): Iterable<Revision> {
    let page = this.#store.revisions(PAGE);
    while (page.length > 0) {
      yield* page;
      page = this.#store.revisions(PAGE, page.at(-1)?.revision);
    }
  }
}
