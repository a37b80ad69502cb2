// The store of an edge host: the intent, its audit chain, applied config, tokens, last known health. One interface, several homes.
import type { Intent, Revision } from '../intent/intent.ts';
import type { TokenRecord } from '../intent/tokens.ts';
import type { StoredUse } from './one-time-uses.ts';
import type { StoredMark } from './session-ends.ts';

export type { Role } from '../intent/tokens.ts';

/** A token of this host alone. */
export interface StoredToken extends TokenRecord {
  readonly name: string;
}

/** What is given out of a quota, to one counter in one window of the calendar. */
export interface QuotaCount {
  readonly limit: string;
  /** Whose, as a hash. */
  readonly key: string;
  /** Of the window, in milliseconds since 1970. */
  readonly startMs: number;
  readonly endMs: number;
  readonly used: number;
}

/** A config text that was applied over the file. */
export interface AppliedConfig {
  readonly text: string;
  readonly at: string;
  /** SHA-256 of the file's text when this was applied; a file that changed since wins again. */
  readonly fileHash: string;
}

/** The config that is in service, for the next start. */
export interface ServedConfig {
  readonly text: string;
  /** Null: it is the file's. */
  readonly applied: AppliedConfig | null;
}

/** The store takes nothing now, as on a full disk: nothing of what was asked is written. The message is the reason. */
export class StoreTakesNothingError extends Error {
  constructor(reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.name = 'StoreTakesNothingError';
  }
}

/** For whoever asked for what could not be written. */
export function nothingChanged({ message }: Error): string {
  return `the store of this host takes nothing (${message}): nothing was changed. Make room where state.dir is; traffic is served as before`;
}

export type CommitResult = { readonly ok: true } | { readonly ok: false; readonly revision: number };

export interface StoredRevision {
  readonly record: Revision;
  /** After it. */
  readonly intent: Intent;
}

/** All that writes throws `StoreTakesNothingError` when the disk takes nothing, and has written nothing then. */
export interface Store {
  /** Why the last thing that was to be written was not; null: all was, or room has been found since. */
  readonly trouble: string | null;
  /** Where there is trouble, tries whether it is over. To be called now and then: what has nothing to write would not find out. */
  findRoom(): void;
  /** The stored intent; null on an empty store. */
  readIntent(): Intent | null;
  /**
   * Writes the intent and its record in one transaction, durable before it returns, if the stored revision is still
   * `expected` (0 for an empty store). Otherwise tells the stored revision and writes nothing. `served`: the config that the revision is about,
   * in the same transaction.
   */
  commit(expected: number, intent: Intent, record: Revision, served?: ServedConfig): CommitResult;
  /**
   * In one transaction: takes out the revisions after `after` and puts these in their place. What was taken out is kept as a conflict, unless it
   * stands among them.
   */
  replaceAfter(after: number, revisions: readonly StoredRevision[]): void;
  /** Records that were acknowledged here once and are not in the chain any more, newest first. */
  conflicts(limit: number): readonly Revision[];
  /** Records newest first. */
  revisions(limit: number, before?: number): readonly Revision[];
  revision(revision: number): Revision | null;
  /** The intent as it was at a revision, for `undo --to`. */
  intentAt(revision: number): Intent | null;
  /** All records, oldest first, for verification. */
  chain(): Iterable<Revision>;

  tokens(): readonly StoredToken[];
  /** All in one transaction. */
  putTokens(tokens: readonly StoredToken[]): void;
  /** False when there was none. */
  deleteToken(name: string): boolean;

  appliedConfig(): AppliedConfig | null;
  /** Also of a config that was not applied: the text that was in service last. */
  servedText(): string | null;
  putServed(served: ServedConfig): void;

  /** Of windows that end after this. */
  quotaCounts(afterMs: number): readonly QuotaCount[];
  /** All in one transaction, on disk before it returns. Forgets windows that have ended by `endedMs`. */
  putQuotaCounts(counts: readonly QuotaCount[], endedMs: number): void;

  /** Of sessions that were ended, those that mean something after this. */
  sessionMarks(afterMs: number): readonly StoredMark[];
  /** All in one transaction, on disk before it returns. Forgets those keys, and what means nothing after `endedMs`. */
  putSessionMarks(marks: readonly StoredMark[], forgotten: readonly string[], endedMs: number): void;

  /** What may be used once and was, of that what means something after this. */
  oneTimeUses(afterMs: number): Iterable<StoredUse>;
  /** All in one transaction, which outlives the process. Forgets some of what means nothing after `endedMs`: at least as many as come. */
  putOneTimeUses(uses: readonly StoredUse[], endedMs: number): void;

  /** Small values by key: last plan number, generation, last health. Durable in order, not necessarily at once. */
  getValue(key: string): string | null;
  putValue(key: string, value: string): void;
  /** As `putValue`, on disk before it returns. */
  putDurably(key: string, value: string): void;

  close(): void;
}

/** What a host that follows a ledger asks of its store. */
export type RevisionStore = Pick<
  Store,
  'readIntent' | 'commit' | 'replaceAfter' | 'revisions' | 'revision' | 'intentAt' | 'getValue' | 'putValue'
>;
