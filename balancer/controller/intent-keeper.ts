// The intent that this host serves by: a copy of the fleet's, changed only by a revision that the ledger has taken, and kept in the host's own store.
import { pause, type Clock } from '../../health/clock.ts';
import { EMPTY_INTENT } from '../intent/diff.ts';
import {
  CONFIG_PATH,
  type Author,
  type Change,
  type DecisionInputs,
  type Intent,
  type Revision,
  type RevisionSource,
  type TouchedField,
} from '../intent/intent.ts';
import { chainRevision } from '../intent/revision.ts';
import type { History } from '../intent/undo.ts';
import {
  EMPTY_HEAD,
  LedgerAwayError,
  sameHead,
  type Append,
  type AppendResult,
  type ConfigOfRecord,
  type Lease,
  type Ledger,
  type LedgerHead,
} from '../store/ledger.ts';
import { StoreTakesNothingError, nothingChanged, type RevisionStore, type ServedConfig, type StoredRevision } from '../store/store.ts';

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
  /** The second person; absent: one was enough. */
  readonly approvedBy?: Author;
  /** The program acts only while it leads the fleet; absent: a person acts. */
  readonly lease?: Lease | null;
  /** The text of the config that the revision names; absent: it names none, or the fleet has it. */
  readonly configText?: ConfigOfRecord;
  /** Of a host alone, the config that is in service from then on; in a fleet each host keeps its own by itself. */
  readonly served?: ServedConfig;
}

/** `conflict`: the intent has moved on, or somebody else leads now; nothing was written. `unreachable`: the fleet's ledger cannot be asked. */
export type CommitOutcome =
  { readonly ok: true } | { readonly ok: false; readonly code: 'conflict' | 'unreachable'; readonly message: string };

/** A fleet's ledger is asked again for so long before a change is given up. */
const COMMIT_DEADLINE_MS = 2000;
const ASK_AGAIN_MS = 100;

/** Records read at a time when history is walked. */
const PAGE = 50;

/** What of this host's sight goes into the record of a change; undefined: nothing. */
export type SeesInputs = (touched: readonly TouchedField[]) => DecisionInputs | undefined;

export class IntentKeeper {
  readonly #store: RevisionStore;
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #sees: SeesInputs;
  #intent: Intent;
  #newest: Revision | null;
  #config: string | null;
  /** Why this host must not change what is the fleet's; null: it may. */
  barred: string | null = null;
  /** Writes to the store, in order: a disk that is full must not hold up what the fleet has agreed on. */
  readonly #unkept: (() => void)[] = [];

  constructor(store: RevisionStore, ledger: Ledger, clock: Clock, sees: SeesInputs = () => undefined) {
    this.#store = store;
    this.#ledger = ledger;
    this.#clock = clock;
    this.#sees = sees;
    this.#intent = store.readIntent() ?? EMPTY_INTENT;
    this.#newest = store.revisions(1)[0] ?? null;
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
    return this.#newest;
  }

  /** Where the chain ends here. */
  get head(): LedgerHead {
    return this.#newest === null ? EMPTY_HEAD : { revision: this.#newest.revision, hash: this.#newest.hash };
  }

  /** Makes `next` the intent, durable before it settles. */
  async commit(
    next: Intent,
    touched: readonly TouchedField[],
    { lease = null, configText, served, ...cause }: Cause,
  ): Promise<CommitOutcome> {
    if (this.barred !== null) return { ok: false, code: 'unreachable', message: `${this.barred}: nothing was changed` };
    const at = new Date(this.#clock.wallMs()).toISOString();
    const expected = this.head;
    const inputs = this.#sees(touched);
    const facts = { revision: next.revision, at, touched, ...cause, ...(inputs === undefined ? {} : { inputs }) };
    const record = chainRevision(facts, this.#newest);
    const change = { expected, record, intent: next, lease, configText: configText ?? null, ...(served === undefined ? {} : { served }) };
    let result: AppendResult;
    try {
      result = await this.#append(change);
    } catch (error) {
      if (error instanceof LedgerAwayError) return { ok: false, code: 'unreachable', message: awayText(error) };
      if (error instanceof StoreTakesNothingError) return { ok: false, code: 'unreachable', message: nothingChanged(error) };
      throw error;
    }
    if (result.outcome === 'fenced') return { ok: false, code: 'conflict', message: 'another host leads the fleet now' };
    if (result.outcome === 'moved') return { ok: false, code: 'conflict', message: `the fleet is at revision ${result.head.revision}` };
    // It may have come back from the ledger before the answer did, and what others made of it meanwhile with it.
    if (sameHead(this.head, expected)) this.take([{ record, intent: next }]);
    return { ok: true };
  }

  /** Takes over revisions of the ledger that follow the newest one here. */
  take(revisions: readonly StoredRevision[]): void {
    this.#serve(revisions);
    this.keep(() => {
      for (const { record, intent } of revisions) this.#store.commit(record.revision - 1, intent, record);
    });
  }

  /** Takes over another end of the chain: what was here after `after` is kept as a conflict. */
  takeInstead(after: number, revisions: readonly StoredRevision[]): void {
    this.#serve(revisions);
    this.keep(() => this.#store.replaceAfter(after, revisions));
    this.#config = revisions.map(({ record }) => configOf(record)).findLast((config) => config !== null) ?? this.#recordedConfig();
  }

  /** Writes to the store what follows from what the fleet has, now or as soon as it takes something again. */
  keep(write: () => void): void {
    this.#unkept.push(write);
    this.keepUp();
  }

  /** Tries again what the store did not take. Why it still does not; null: it has all. The ledger has it, and it is served in any case. */
  keepUp(): string | null {
    try {
      for (let [write] = this.#unkept; write !== undefined; [write] = this.#unkept) {
        write();
        this.#unkept.shift();
      }
      return null;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  history(): History {
    return { revisions: this.#newestFirst(), intentAt: (revision) => this.#store.intentAt(revision) };
  }

  #serve(revisions: readonly StoredRevision[]): void {
    for (const { record, intent } of revisions) {
      this.#intent = intent;
      this.#newest = record;
      this.#config = configOf(record) ?? this.#config;
    }
  }

  /**
   * An append is safe to ask twice: the ledger knows its own newest record. When an answer was lost, and others have gone on from there since, the record
   * stands in the chain all the same.
   */
  async #append(change: Append): Promise<AppendResult> {
    const endMs = this.#clock.nowMs() + COMMIT_DEADLINE_MS;
    let maybeDone = false;
    for (;;) {
      try {
        const result = await this.#ledger.append(change);
        return result.outcome === 'moved' && maybeDone && (await this.#isInChain(change.record)) ? { outcome: 'stored' } : result;
      } catch (error) {
        if (!(error instanceof LedgerAwayError)) throw error;
        maybeDone ||= error.maybeDone;
        if (this.#clock.nowMs() > endMs) throw new LedgerAwayError(error.message, maybeDone, { cause: error });
        await pause(this.#clock, ASK_AGAIN_MS);
      }
    }
  }

  async #isInChain({ revision, hash }: Revision): Promise<boolean> {
    const [entry] = await this.#ledger.entriesAfter(revision - 1, 1);
    return entry?.record.hash === hash;
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

function awayText({ message, maybeDone }: LedgerAwayError): string {
  const what = maybeDone
    ? 'whether the change was stored is not known; weir history shows it when the fleet can be asked again'
    : 'nothing was changed';
  return `the store of the fleet cannot be asked (${message}): ${what}. Traffic is served as before`;
}

function configOf({ touched }: Revision): string | null {
  const after = touched.find(({ path }) => path[0] === CONFIG_PATH[0])?.after;
  return typeof after === 'string' ? after : null;
}
