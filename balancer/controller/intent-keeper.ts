// The intent as it is stored: read once, changed only by a revision that the store has taken, in a chain of records.
import type { Clock } from '../../health/clock.ts';
import { EMPTY_INTENT } from '../intent/diff.ts';
import {
  CONFIG_PATH,
  type Author,
  type Change,
  type Intent,
  type Revision,
  type RevisionSource,
  type TouchedField,
} from '../intent/intent.ts';
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
  /** Rules that were overruled. */
  readonly overruled?: readonly string[];
}

/** Records read at a time when history is walked. */
const PAGE = 50;

export class IntentKeeper {
  readonly #store: Store;
  readonly #clock: Clock;
  #intent: Intent;
  #config: string | null;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    this.#intent = store.readIntent() ?? EMPTY_INTENT;
    this.#config = this.#recordedConfig();
  }

  get intent(): Intent {
    return this.#intent;
  }

  /** The fingerprint of the config that the newest record about one names; null: there is none. */
  get config(): string | null {
    return this.#config;
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
    if (result.ok) this.#config = configOf(record) ?? this.#config;
    return result.ok;
  }

  history(): History {
    return { revisions: this.#newestFirst(), intentAt: (revision) => this.#store.intentAt(revision) };
  }

  #recordedConfig(): string | null {
    for (const record of this.#newestFirst()) {
      const config = configOf(record);
      if (config !== null) return config;
    }
    return null;
  }

  *#newestFirst(): Iterable<Revision> {
    let page = this.#store.revisions(PAGE);
    while (page.length > 0) {
      yield* page;
      page = this.#store.revisions(PAGE, page.at(-1)?.revision);
    }
  }
}

function configOf({ touched }: Revision): string | null {
  const after = touched.find(({ path }) => path[0] === CONFIG_PATH[0])?.after;
  return typeof after === 'string' ? after : null;
}
