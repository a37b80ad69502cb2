// Records of the audit chain: each carries the hash of the one before, so that no record can be changed or taken out unseen.
import { createHash } from 'node:crypto';
import { canonicalJson, sameJson } from '../config/canonical-json.ts';
import { diffIntent, EMPTY_INTENT } from './diff.ts';
import { CONFIG_PATH, type Intent, type Revision, type TouchedField } from './intent.ts';

/** What the first record has as the hash of the one before. */
export const FIRST_PREVIOUS_HASH = '0'.repeat(64);

/** A record before it is chained. */
export type RevisionFacts = Omit<Revision, 'hash' | 'previousHash'>;

export interface ChainVerification {
  readonly records: number;
  readonly intact: boolean;
  /** The first revision that does not fit; null when intact. */
  readonly brokenAt: number | null;
}

/** The record that follows `previous` (null: the first). */
export function chainRevision(facts: RevisionFacts, previous: Pick<Revision, 'hash'> | null): Revision {
  const previousHash = previous?.hash ?? FIRST_PREVIOUS_HASH;
  return { ...facts, previousHash, hash: revisionHash({ ...facts, previousHash }) };
}

/** SHA-256, in hex, over the previous hash and the canonical JSON of the record without its hash. */
export function revisionHash(record: Omit<Revision, 'hash'>): string {
  const { revision, at, author, source, reason, change, touched, undoes, overruled, approvedBy, inputs, previousHash } = record;
  // By name, so that a record that carries its own hash, or something unknown, hashes as what it says.
  const body = {
    revision,
    at,
    author,
    source,
    reason,
    change,
    touched,
    undoes,
    ...(overruled === undefined ? {} : { overruled }),
    ...(approvedBy === undefined ? {} : { approvedBy }),
    ...(inputs === undefined ? {} : { inputs }),
    previousHash,
  };
  return createHash('sha256').update(previousHash).update(canonicalJson(body)).digest('hex');
}

/**
 * Goes through all records, oldest first. A record that was changed, moved, added or taken out breaks the chain there. Records cut off
 * at the end leave no trace in the chain itself: `newest`, the revision of the intent, tells. With `intentAt` (null: none that can be
 * read), each stored intent has to differ from the one before by what its record says, and by nothing else.
 */
export function verifyChain(
  records: Iterable<Revision>,
  newest?: number,
  intentAt?: (revision: number) => Intent | null,
): ChainVerification {
  const steps = verifyingChain(records, () => newest, intentAt);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** As `verifyChain`, a record in each step: a chain of many thousands takes longer than anybody should wait. `newest` is asked at the end, as revisions may be made meanwhile. */
export function* verifyingChain(
  records: Iterable<Revision>,
  newest: () => number | undefined,
  intentAt?: (revision: number) => Intent | null,
): Generator<undefined, ChainVerification> {
  let count = 0;
  let previousHash = FIRST_PREVIOUS_HASH;
  let last = 0;
  let brokenAt: number | null = null;
  let intent: Intent | null = EMPTY_INTENT;
  for (const record of records) {
    count += 1;
    const fits = record.previousHash === previousHash && record.revision === last + 1 && record.hash === revisionHash(record);
    if (!fits) brokenAt ??= record.revision;
    if (intentAt !== undefined) {
      const after = intentAt(record.revision);
      if (intent === null || after === null || !tells(record, intent, after)) brokenAt ??= record.revision;
      intent = after;
    }
    previousHash = record.hash;
    last = record.revision;
    yield;
  }
  const end = newest();
  if (end !== undefined && last !== end) brokenAt ??= last + 1;
  return { records: count, intact: brokenAt === null, brokenAt };
}

/** Is what the record says exactly what changed between these two? */
function tells({ revision, touched }: Revision, before: Intent, after: Intent): boolean {
  return after.revision === revision && sameJson(touched.filter(isOfIntent), diffIntent(before, after));
}

function isOfIntent({ path }: TouchedField): boolean {
  return path[0] !== CONFIG_PATH[0];
}
