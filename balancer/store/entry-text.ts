// Entries and snapshots of a ledger as texts, and the intent that an entry leads to.
import { intentHash, patchIntent } from '../intent/patch.ts';
import type { Intent } from '../intent/intent.ts';
import { decodeIntent, decodeRevision } from './decode.ts';
import { members, string, StoredTextError } from './decode-parts.ts';
import type { LedgerEntry, Snapshot } from './ledger.ts';

export function entryText({ record, intentHash: hash }: LedgerEntry): string {
  return JSON.stringify({ record, intentHash: hash });
}

/** Throws `StoredTextError`. */
export function decodeEntry(text: string, what: string): LedgerEntry {
  const entry = members(JSON.parse(text), what);
  return { record: decodeRevision(JSON.stringify(entry['record']), what), intentHash: string(entry['intentHash'], `${what}.intentHash`) };
}

export function snapshotText({ record, intent }: Snapshot): string {
  return JSON.stringify({ record, intent });
}

/** Throws `StoredTextError`. */
export function decodeSnapshot(text: string, what: string): Snapshot {
  const snapshot = members(JSON.parse(text), what);
  return {
    record: decodeRevision(JSON.stringify(snapshot['record']), what),
    intent: decodeIntent(JSON.stringify(snapshot['intent']), what),
  };
}

/** The intent after an entry. Throws `StoredTextError` when it is not the one that the maker of the entry had. */
export function followingIntent(before: Intent, { record, intentHash: wanted }: LedgerEntry): Intent {
  const what = `intent ${record.revision}`;
  const intent = decodeIntent(JSON.stringify(patchIntent(before, record)), what);
  if (intentHash(intent) !== wanted) throw new StoredTextError(what, 'the one that its record leads to');
  return intent;
}
