// The part of a store that a host of a fleet asks, in memory: hundreds of hosts in one process need no disk each.
import type { Intent, Revision } from '../../balancer/intent/intent.ts';
import type { CommitResult, RevisionStore, StoredRevision } from '../../balancer/store/store.ts';

export class MemoryStore implements RevisionStore {
  readonly #revisions = new Map<number, StoredRevision>();
  readonly #values = new Map<string, string>();
  #newest = 0;

  /** What is there already; null: nothing. */
  constructor(first: StoredRevision | null) {
    if (first !== null) this.commit(0, first.intent, first.record);
  }

  readIntent(): Intent | null {
    return this.intentAt(this.#newest);
  }

  commit(_expected: number, intent: Intent, record: Revision): CommitResult {
    this.#revisions.set(record.revision, { intent, record });
    this.#newest = record.revision;
    // As much as is asked for here: the one before, for what takes its place.
    this.#revisions.delete(record.revision - 3);
    return { ok: true };
  }

  replaceAfter(_after: number, revisions: readonly StoredRevision[]): void {
    for (const { record, intent } of revisions) this.commit(0, intent, record);
  }

  revisions(limit: number, before = Infinity): readonly Revision[] {
    const all = [...this.#revisions.values()].map(({ record }) => record).filter(({ revision }) => revision < before);
    return all.sort((one, other) => other.revision - one.revision).slice(0, limit);
  }

  revision(revision: number): Revision | null {
    return this.#revisions.get(revision)?.record ?? null;
  }

  intentAt(revision: number): Intent | null {
    return this.#revisions.get(revision)?.intent ?? null;
  }

  getValue(key: string): string | null {
    return this.#values.get(key) ?? null;
  }

  putValue(key: string, value: string): void {
    this.#values.set(key, value);
  }
}
