// Changes of a ledger that follow one another, and ends of a chain that differ, for tests of ledgers and of those who follow them.
import type { Intent, Revision } from '../../balancer/intent/intent.ts';
import { diffIntent, EMPTY_INTENT } from '../../balancer/intent/diff.ts';
import { intentHash } from '../../balancer/intent/patch.ts';
import { chainRevision } from '../../balancer/intent/revision.ts';
import { EMPTY_HEAD, type LedgerEntry, type LedgerHead, type Snapshot } from '../../balancer/store/ledger.ts';
import { intentOf } from './revision-chain.ts';

interface NextOptions {
  /** Every cluster is drained. */
  readonly close?: boolean;
  /** Rules that were overruled. */
  readonly overruled?: readonly string[];
}

/** One that follows `before` (null: the first), made by `author`. */
export function nextOf(before: Snapshot | null, author = 'alice', { close = false, overruled }: NextOptions = {}): Snapshot {
  const revision = (before?.record.revision ?? 0) + 1;
  const intent = close ? closed(intentOf(revision)) : open(intentOf(revision));
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
      ...(overruled === undefined ? {} : { overruled }),
    },
    before?.record ?? null,
  );
  return { record, intent };
}

/** Whatever eu has, us takes traffic. */
function open(intent: Intent): Intent {
  return { ...intent, clusters: { ...intent.clusters, us: { admin: 'active', dialPercent: 100 } } };
}

function closed(intent: Intent): Intent {
  const clusters = Object.entries(intent.clusters).map(([name, cluster]) => [name, { ...cluster, admin: 'drain' as const }] as const);
  return { ...intent, clusters: Object.fromEntries(clusters) };
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
