// The ledger of a fleet: the one chain of revisions that all its hosts follow, who is there, and who leads. A host keeps a whole copy in its own store,
// serves from that copy, and comes here to change something and to hear what others changed.
import type { Intent, Revision } from '../intent/intent.ts';
import type { ServedConfig } from './store.ts';

/** Where a chain ends. An empty one: revision 0 and an empty hash. */
export interface LedgerHead {
  readonly revision: number;
  /** Of the record. */
  readonly hash: string;
}

export const EMPTY_HEAD: LedgerHead = { revision: 0, hash: '' };

/** One revision as the ledger hands it out: the intent after it is that before with what the record says, and has this hash. */
export interface LedgerEntry {
  readonly record: Revision;
  /** SHA-256 of the canonical JSON of the intent, in hex. */
  readonly intentHash: string;
}

/** The newest revision with its whole intent, for a host that has nothing to build on. */
export interface Snapshot {
  readonly record: Revision;
  readonly intent: Intent;
}

/** The right to act for the fleet, for a while. Whoever got it later has the higher fence. */
export interface Lease {
  readonly name: string;
  readonly holder: string;
  readonly fence: number;
}

export interface ConfigOfRecord {
  readonly fingerprint: string;
  readonly text: string;
}

export interface Append extends Snapshot {
  /** What this revision was made on. */
  readonly expected: LedgerHead;
  /** Acts only while this is held; null: an operator acts, whoever leads. */
  readonly lease: Lease | null;
  /** The text of the config that the record names; null: it names none, or one that is there already. */
  readonly configText: ConfigOfRecord | null;
  /** Of a host alone: its config, in the same step as the revision about it. */
  readonly served?: ServedConfig;
}

/** Another end of the chain: what a host knows and the ledger has lost, or never had. */
export interface Replacement {
  /** What is there now. */
  readonly over: LedgerHead;
  /** The last revision that both have. */
  readonly after: number;
  /** All that follow it, oldest first. */
  readonly entries: readonly LedgerEntry[];
  readonly newest: Snapshot;
}

/**
 * `stored`: durable as far as the ledger can promise; also for an entry that is its newest already, so that asking again is harmless.
 * `moved`: the chain ends elsewhere, nothing was written. `fenced`: the lease is not held any more, nothing was written.
 */
export type AppendResult =
  { readonly outcome: 'stored' } | { readonly outcome: 'moved'; readonly head: LedgerHead } | { readonly outcome: 'fenced' };

/** What a host says of itself. */
export interface HostText {
  readonly id: string;
  readonly text: string;
}

/** What a host announces once a second. */
export interface Announcement extends HostText {
  /** Of the place that this host is: two that live at the same time with one id have different ones. */
  readonly instance: string;
  /** All its workers serve this revision, or a later one. */
  readonly served: number;
  /** What it has counted: for the leader alone. */
  readonly counts: string;
  /** What its clients ask for: for the leader alone, and long where there are thousands of services. Null: what it told last still stands. */
  readonly demand: string | null;
}

/** `number`: where it stands among all that was told; it only rises, until the ledger begins anew. */
export interface ToldText extends HostText {
  readonly number: number;
}

/** What the leader tells all others at once. */
export interface Digest {
  /** Rises with each one. */
  readonly version: number;
  readonly text: string;
}

/** `taken`: another place lives with this id, and this is how it describes itself; nothing was announced. */
export type Announced =
  | {
      readonly outcome: 'announced';
      readonly head: LedgerHead;
      /** Milliseconds since 1970 by the clock of the ledger. */
      readonly wallMs: number;
      /** Null: there is none but the one that the host has. */
      readonly digest: Digest | null;
      /** How another place describes itself that wanted this id since the last time; null: none did. */
      readonly twin: string | null;
    }
  | { readonly outcome: 'taken'; readonly by: string };

/** All of it may throw `LedgerAwayError`. */
export interface Ledger {
  head(): Promise<LedgerHead>;
  /** Compare-and-set on the head, record and intent in one step. */
  append(change: Append): Promise<AppendResult>;
  /**
   * Puts another end in place of the one that is there, if it reaches a higher revision, or the same with the lower hash: a rule by which
   * all hosts decide alike. `moved`: there is another end than was said, or the one there stands above this.
   */
  replace(replacement: Replacement): Promise<AppendResult>;
  /** Oldest first, without a gap, at most `limit`. Throws `LedgerForgedError` for what none of the fleet has written. */
  entriesAfter(revision: number, limit: number): Promise<readonly LedgerEntry[]>;
  /** Null: the ledger is empty. Throws `LedgerForgedError` like `entriesAfter`. */
  snapshot(): Promise<Snapshot | null>;
  /** The config that a record names by its fingerprint; null: it is not there. Throws `LedgerForgedError`. */
  configText(fingerprint: string): Promise<string | null>;

  /** Says that the host lives, for `ttlMs` from now. `known`: the version of the digest that it has, 0: none. */
  announce(host: Announcement, ttlMs: number, known: number): Promise<Announced>;
  /** Only what this place has announced. */
  withdraw(host: Pick<Announcement, 'id' | 'instance'>): Promise<void>;
  /** Those that live; what none of the fleet has written is left out. */
  hosts(): Promise<readonly HostText[]>;
  /** Of those that live, those that serve a lower revision. */
  hostsBehind(revision: number): Promise<readonly HostText[]>;
  /** What those that live have counted. */
  counts(): Promise<readonly HostText[]>;
  /**
   * What those that live have told of their demand after that number, lowest number first, at most `limit`. All of it when the ledger has no such number
   * any more.
   */
  demandsAfter(number: number, limit: number): Promise<readonly ToldText[]>;
  /** Tells it to all hosts. False: the lease is lost, and nothing was told. */
  publishDigest(lease: Lease, text: string): Promise<boolean>;

  /** Null: somebody else has it. */
  takeLease(name: string, holder: string, ttlMs: number): Promise<Lease | null>;
  /** False: it is lost. */
  renewLease(lease: Lease, ttlMs: number): Promise<boolean>;
  releaseLease(lease: Lease): Promise<void>;

  /** Calls back when the chain may have grown: a hint that can be lost, never the truth. Returns what ends it. */
  watch(onHint: () => void): () => void;
  close(): Promise<void>;
}

/** The ledger cannot be asked now. */
export class LedgerAwayError extends Error {
  /** What was asked may have been done all the same. */
  readonly maybeDone: boolean;

  constructor(message: string, maybeDone: boolean, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LedgerAwayError';
    this.maybeDone = maybeDone;
  }
}

/** What stands in the ledger was not written by a host that has the fleet's key. */
export class LedgerForgedError extends Error {
  constructor(what: string) {
    super(`${what} in the ledger does not carry a signature of this fleet: it is not applied, and everything stays as it is`);
    this.name = 'LedgerForgedError';
  }
}

/** Whether an end of the chain stands above another, by the rule of `replace`. */
export function standsAbove(one: LedgerHead, other: LedgerHead): boolean {
  return one.revision > other.revision || (one.revision === other.revision && one.hash < other.hash);
}

export function sameHead(one: LedgerHead, other: LedgerHead): boolean {
  return one.revision === other.revision && one.hash === other.hash;
}
