// Changes of a ledger that follow one another, and ends of a chain that differ, for tests of ledgers and of those who follow them.
import type { Intent, Revision } from '../../balancer/intent/intent.ts';
import { diffIntent, EMPTY_INTENT } from '../../balancer/intent/diff.ts';
import { intentHash } from '../../balancer/intent/patch.ts';
import { chainRevision } from '../../balancer/intent/revision.ts';
import type { LedgerEntry, LedgerHead, Snapshot } from '../../balancer/store/ledger.ts';
import { EMPTY_HEAD } from '../../balancer/store/ledger.ts';
import { intentOf } from './revision-chain.ts';

/** One that follows `before` (null: the first), made by `author`. */
export function nextOf(before: Snapshot | null, author = 'alice'): Snapshot {
  const revision = (before?.record.revision ?? 0) + 1;
  const dialled = intentOf(revision);
  const intent: Intent = dialled;
  const record: Revision = chainRevision(
    {
      revision,
      at: '2026-01-01T00:00:00.000Z',
      author: { name: author, how: `token ${author}` },
      source: 'operator',
      reason: `number ${revision} of ${author}, with ü`,
      change: { kind: 'dial', cluster: 'eu', percent: revision % 101 },
      touched: diffIntent(before?.intent ?? EMPTY_INTENT, intent),
      undoes: null,
    },
    before?.record ?? null,
  );
  return { record, intent };
}

/** So many revisions on `base`, oldest first. */
export function chainOf(length: number, author = 'alice', base: Snapshot | null = null): readonly Snapshot[] {
  const chain: Snapshot[] = [];
  for (let index = 0; index < length; index += 1) chain.push(nextOf(chain.at(-1) ?? base, author));
  return chain;
}

export function headOf(snapshot: Snapshot | null | undefined): LedgerHead {
  return snapshot === null || snapshot === undefined ? EMPTY_HEAD : { revision: snapshot.record.revision, hash: snapshot.record.hash };
}

export function entryOf({ record, intent }: Snapshot): LedgerEntry {
  return { record, intentHash: intentHash(intent) };
}
