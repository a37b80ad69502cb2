// Brings the host's copy and the ledger of the fleet together: what others changed is taken over; what the ledger has lost is given back; of two ends of a
// chain all hosts choose the same.
import { revisionHash } from '../../intent/revision.ts';
import { EMPTY_INTENT } from '../../intent/diff.ts';
import type { Intent, Revision } from '../../intent/intent.ts';
import { intentHash } from '../../intent/patch.ts';
import { followingIntent } from '../../store/entry-text.ts';
import { sameHead, standsAbove, type Ledger, type LedgerEntry, type LedgerHead } from '../../store/ledger.ts';
import type { Store, StoredRevision } from '../../store/store.ts';
import type { IntentKeeper } from '../intent-keeper.ts';
import { unfitIntent } from './sanity.ts';

/** Entries that are asked for at a time. */
const PAGE = 100;

export interface Followed {
  /** Of others, taken over now, oldest first. */
  readonly taken: readonly Revision[];
  /** That were in force here and are not in the chain any more. */
  readonly lost: readonly Revision[];
  /** How many the ledger had lost and has again. */
  readonly given: number;
}

const NOTHING: Followed = { taken: [], lost: [], given: 0 };

/** What stands in the ledger cannot be right, and is not taken over. */
export class UnfitEntryError extends Error {
  constructor(revision: number, why: string) {
    super(`revision ${revision} of the fleet is not taken over: ${why}; this host stays at what it serves`);
    this.name = 'UnfitEntryError';
  }
}

export interface Sides {
  readonly keeper: IntentKeeper;
  readonly ledger: Ledger;
  readonly store: Pick<Store, 'revision' | 'intentAt'>;
}

/** One step towards the ledger; throws `LedgerAwayError`, `LedgerForgedError`, `StoredTextError` and `UnfitEntryError`, and then nothing has changed here. */
export async function follow(sides: Sides, there: LedgerHead): Promise<Followed> {
  try {
    return await stepTowards(sides, there);
  } catch (error) {
    // Another host has put another end there while this one was reading: what was read is of two chains. The next look reads one.
    if (error instanceof UnfitEntryError && !sameHead(await sides.ledger.head(), there)) return NOTHING;
    throw error;
  }
}

async function stepTowards(sides: Sides, there: LedgerHead): Promise<Followed> {
  const { keeper, ledger, store } = sides;
  const here = keeper.head;
  if (sameHead(here, there)) return NOTHING;
  const after = await lastShared(sides, Math.min(here.revision, there.revision));
  if (standsAbove(here, there)) return giveBack(sides, there, after);
  const base = after === here.revision ? keeper.intent : (store.intentAt(after) ?? EMPTY_INTENT);
  const entries = await ledger.entriesAfter(after, PAGE);
  if (entries.length === 0)
    throw new UnfitEntryError(there.revision, 'the ledger names it as its newest and does not have what leads there');
  const revisions = revisionsOf(entries, { base, previous: store.revision(after) });
  const newest = revisions.at(-1);
  // Another change has come in while this was read: the next look starts from there.
  if (newest === undefined || !sameHead(keeper.head, here)) return NOTHING;
  const taken = revisions.map(({ record }) => record);
  if (after === here.revision) {
    keeper.take(revisions);
    return { ...NOTHING, taken };
  }
  // In one step up to something that stands above what was here, so that no host ever goes back.
  if (!standsAbove({ revision: newest.record.revision, hash: newest.record.hash }, here))
    return takeLongEnd(sides, { here, after, revisions });
  const lost = lostOf(store, after, here, revisions);
  keeper.takeInstead(after, revisions);
  return { ...NOTHING, taken, lost };
}

/** An end of more than a page. */
async function takeLongEnd(
  { keeper, ledger, store }: Sides,
  { here, after, revisions }: { readonly here: LedgerHead; readonly after: number; readonly revisions: readonly StoredRevision[] },
): Promise<Followed> {
  const all = [...revisions];
  for (let newest = all.at(-1); newest !== undefined && newest.record.revision < here.revision + 1; newest = all.at(-1)) {
    const more = revisionsOf(await ledger.entriesAfter(newest.record.revision, PAGE), { base: newest.intent, previous: newest.record });
    if (more.length === 0) break;
    all.push(...more);
  }
  const newest = all.at(-1);
  if (newest === undefined || !sameHead(keeper.head, here)) return NOTHING;
  if (!standsAbove({ revision: newest.record.revision, hash: newest.record.hash }, here)) return NOTHING;
  const lost = lostOf(store, after, here, all);
  keeper.takeInstead(after, all);
  return { ...NOTHING, taken: all.map(({ record }) => record), lost };
}

/**
 * A host that was alone, or in another fleet, comes to one that has a chain: however long its own is, the fleet's stands, since nobody of this fleet has
 * agreed to the other. How many revisions of its own were set aside, and what was taken over; null: the two have a beginning in common, or one of them is empty.
 */
export async function join(sides: Sides, there: LedgerHead): Promise<(Followed & { readonly setAside: number }) | null> {
  const { keeper, ledger } = sides;
  const here = keeper.head;
  if (here.revision === 0 || there.revision === 0) return null;
  if ((await lastShared(sides, Math.min(here.revision, there.revision))) > 0) return null;
  const all: StoredRevision[] = [];
  for (;;) {
    const newest = all.at(-1);
    const on = { base: newest?.intent ?? EMPTY_INTENT, previous: newest?.record ?? null };
    const more = revisionsOf(await ledger.entriesAfter(newest?.record.revision ?? 0, PAGE), on);
    if (more.length === 0) break;
    all.push(...more);
  }
  if (all.length === 0 || !sameHead(keeper.head, here)) return null;
  keeper.takeInstead(0, all);
  return { ...NOTHING, taken: all.map(({ record }) => record), setAside: here.revision };
}

/** The ledger has gone back, or stands below: Redis has lost writes, or was cut off with other hosts. */
async function giveBack({ keeper, ledger, store }: Sides, there: LedgerHead, after: number): Promise<Followed> {
  const entries: LedgerEntry[] = [];
  for (let revision = after + 1; revision <= keeper.head.revision; revision += 1) {
    const record = revision === keeper.newest?.revision ? keeper.newest : store.revision(revision);
    const intent = revision === keeper.intent.revision ? keeper.intent : store.intentAt(revision);
    if (record === null || intent === null) throw new UnfitEntryError(revision, 'the copy of this host has a gap there');
    entries.push({ record, intentHash: intentHash(intent) });
  }
  const record = keeper.newest;
  if (record === null) return NOTHING;
  const { outcome } = await ledger.replace({ over: there, after, entries, newest: { record, intent: keeper.intent } });
  return outcome === 'stored' ? { ...NOTHING, given: entries.length } : NOTHING;
}

/** The last revision that is the same on both sides, at most `from`. */
async function lastShared({ ledger, store }: Sides, from: number): Promise<number> {
  for (let to = from; to > 0; to -= PAGE) {
    const begin = Math.max(0, to - PAGE);
    const entries = await ledger.entriesAfter(begin, to - begin);
    for (const { record } of entries.toReversed()) if (store.revision(record.revision)?.hash === record.hash) return record.revision;
  }
  return 0;
}

/** Checks that each follows the one before, in the chain and in what it does. */
function revisionsOf(
  entries: readonly LedgerEntry[],
  { base, previous }: { readonly base: Intent; readonly previous: Revision | null },
): readonly StoredRevision[] {
  const revisions: StoredRevision[] = [];
  let intent = base;
  let before = previous;
  for (const entry of entries) {
    const { record } = entry;
    const chained =
      before === null ? record.revision === 1 : record.previousHash === before.hash && record.revision === before.revision + 1;
    if (!chained || record.hash !== revisionHash(record)) throw new UnfitEntryError(record.revision, 'it does not follow the one before');
    const next = followingIntent(intent, entry);
    const unfit = unfitIntent(intent, next, record);
    if (unfit !== null) throw new UnfitEntryError(record.revision, unfit);
    revisions.push({ record, intent: next });
    intent = next;
    before = record;
  }
  return revisions;
}

function lostOf(
  store: Pick<Store, 'revision'>,
  after: number,
  here: LedgerHead,
  revisions: readonly StoredRevision[],
): readonly Revision[] {
  const kept = new Set(revisions.map(({ record }) => record.hash));
  const lost: Revision[] = [];
  for (let revision = after + 1; revision <= here.revision; revision += 1) {
    const record = store.revision(revision);
    if (record !== null && !kept.has(record.hash)) lost.push(record);
  }
  return lost;
}
