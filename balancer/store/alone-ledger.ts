// The ledger of a host that has no fleet: its own store is the chain, and it is the only host that there is.
import type { Clock } from '../../health/clock.ts';
import { EMPTY_INTENT } from '../intent/diff.ts';
import { intentHash } from '../intent/patch.ts';
import { followingIntent } from './entry-text.ts';
import {
  EMPTY_HEAD,
  sameHead,
  standsAbove,
  type Announced,
  type Announcement,
  type Append,
  type AppendResult,
  type Digest,
  type HostText,
  type Ledger,
  type LedgerEntry,
  type LedgerHead,
  type Lease,
  type Replacement,
  type Snapshot,
  type ToldText,
} from './ledger.ts';
import type { RevisionStore, StoredRevision } from './store.ts';

/** Kept over restarts, so that no fence comes twice. */
const FENCE = 'ledger.fence';
const CONFIG = 'ledger.config.';

interface Held {
  readonly lease: Lease;
  readonly untilMs: number;
}

interface Present {
  readonly host: Announcement;
  readonly untilMs: number;
}

export class AloneLedger implements Ledger {
  readonly #store: RevisionStore;
  readonly #clock: Clock;
  readonly #leases = new Map<string, Held>();
  readonly #present = new Map<string, Present>();
  /** Id → how another place describes itself that wanted it. */
  readonly #twins = new Map<string, string>();
  readonly #watchers = new Set<() => void>();
  /** By host, in the order of their numbers. */
  readonly #demands = new Map<string, ToldText>();
  #told = 0;
  #digest: Digest | null = null;

  constructor(store: RevisionStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  head(): Promise<LedgerHead> {
    return Promise.resolve(this.#head());
  }

  append({ expected, record, intent, lease, configText, served }: Append): Promise<AppendResult> {
    const head = this.#head();
    if (head.hash === record.hash) return stored();
    if (!sameHead(head, expected)) return Promise.resolve({ outcome: 'moved', head });
    if (lease !== null && !this.#holds(lease)) return Promise.resolve({ outcome: 'fenced' });
    // Before the record that names it: one without a record harms nobody.
    if (configText !== null) this.#store.putValue(`${CONFIG}${configText.fingerprint}`, configText.text);
    const result = this.#store.commit(expected.revision, intent, record, served);
    if (!result.ok) return Promise.resolve({ outcome: 'moved', head: this.#head() });
    for (const onHint of this.#watchers) onHint();
    return stored();
  }

  replace({ over, after, entries, newest }: Replacement): Promise<AppendResult> {
    const head = this.#head();
    const next = { revision: newest.record.revision, hash: newest.record.hash };
    if (sameHead(head, next)) return stored();
    if (!sameHead(head, over) || !standsAbove(next, head)) return Promise.resolve({ outcome: 'moved', head });
    const revisions: StoredRevision[] = [];
    let intent = this.#store.intentAt(after) ?? EMPTY_INTENT;
    for (const entry of entries) {
      intent = followingIntent(intent, entry);
      revisions.push({ record: entry.record, intent });
    }
    this.#store.replaceAfter(after, revisions);
    for (const onHint of this.#watchers) onHint();
    return stored();
  }

  entriesAfter(revision: number, limit: number): Promise<readonly LedgerEntry[]> {
    const entries: LedgerEntry[] = [];
    for (let next = revision + 1; entries.length < limit; next += 1) {
      const record = this.#store.revision(next);
      const intent = this.#store.intentAt(next);
      if (record === null || intent === null) break;
      entries.push({ record, intentHash: intentHash(intent) });
    }
    return Promise.resolve(entries);
  }

  snapshot(): Promise<Snapshot | null> {
    const [record] = this.#store.revisions(1);
    const intent = this.#store.readIntent();
    return Promise.resolve(record === undefined || intent === null ? null : { record, intent });
  }

  configText(fingerprint: string): Promise<string | null> {
    return Promise.resolve(this.#store.getValue(`${CONFIG}${fingerprint}`));
  }

  announce(host: Announcement, ttlMs: number, known: number): Promise<Announced> {
    const nowMs = this.#clock.nowMs();
    const before = this.#present.get(host.id);
    if (before !== undefined && before.untilMs > nowMs && before.host.instance !== host.instance) {
      this.#twins.set(host.id, host.text);
      return Promise.resolve({ outcome: 'taken', by: before.host.text });
    }
    this.#present.set(host.id, { host, untilMs: nowMs + ttlMs });
    if (host.demand !== null) {
      this.#told += 1;
      this.#demands.delete(host.id);
      this.#demands.set(host.id, { id: host.id, text: host.demand, number: this.#told });
    }
    const twin = this.#twins.get(host.id) ?? null;
    this.#twins.delete(host.id);
    const digest = this.#digest === null || this.#digest.version === known ? null : this.#digest;
    return Promise.resolve({ outcome: 'announced', head: this.#head(), wallMs: this.#clock.wallMs(), digest, twin });
  }

  withdraw({ id, instance }: Pick<Announcement, 'id' | 'instance'>): Promise<void> {
    if (this.#present.get(id)?.host.instance === instance) this.#present.delete(id);
    return Promise.resolve();
  }

  hosts(): Promise<readonly HostText[]> {
    return Promise.resolve(this.#living().map(({ id, text }) => ({ id, text })));
  }

  hostsBehind(revision: number): Promise<readonly HostText[]> {
    const behind = this.#living().filter(({ served }) => served < revision);
    return Promise.resolve(behind.map(({ id, text }) => ({ id, text })));
  }

  counts(): Promise<readonly HostText[]> {
    return Promise.resolve(this.#living().map(({ id, counts }) => ({ id, text: counts })));
  }

  demandsAfter(number: number, limit: number): Promise<readonly ToldText[]> {
    const living = new Set(this.#living().map(({ id }) => id));
    for (const id of this.#demands.keys()) if (!living.has(id)) this.#demands.delete(id);
    const after = number > this.#told ? 0 : number;
    return Promise.resolve([...this.#demands.values()].filter((told) => told.number > after).slice(0, limit));
  }

  publishDigest(lease: Lease, text: string): Promise<boolean> {
    if (!this.#holds(lease)) return Promise.resolve(false);
    this.#digest = { version: (this.#digest?.version ?? 0) + 1, text };
    return Promise.resolve(true);
  }

  takeLease(name: string, holder: string, ttlMs: number): Promise<Lease | null> {
    const held = this.#leases.get(name);
    if (held !== undefined && held.untilMs > this.#clock.nowMs()) return Promise.resolve(null);
    const fence = Number(this.#store.getValue(FENCE) ?? '0') + 1;
    this.#store.putValue(FENCE, String(fence));
    const lease = { name, holder, fence };
    this.#leases.set(name, { lease, untilMs: this.#clock.nowMs() + ttlMs });
    return Promise.resolve(lease);
  }

  renewLease(lease: Lease, ttlMs: number): Promise<boolean> {
    const holds = this.#holds(lease);
    if (holds) this.#leases.set(lease.name, { lease, untilMs: this.#clock.nowMs() + ttlMs });
    return Promise.resolve(holds);
  }

  releaseLease(lease: Lease): Promise<void> {
    if (this.#holds(lease)) this.#leases.delete(lease.name);
    return Promise.resolve();
  }

  watch(onHint: () => void): () => void {
    this.#watchers.add(onHint);
    return () => void this.#watchers.delete(onHint);
  }

  close(): Promise<void> {
    this.#watchers.clear();
    return Promise.resolve();
  }

  #living(): readonly Announcement[] {
    const nowMs = this.#clock.nowMs();
    return [...this.#present.values()].filter(({ untilMs }) => untilMs > nowMs).map(({ host }) => host);
  }

  #head(): LedgerHead {
    const [newest] = this.#store.revisions(1);
    return newest === undefined ? EMPTY_HEAD : { revision: newest.revision, hash: newest.hash };
  }

  #holds({ name, fence }: Lease): boolean {
    const held = this.#leases.get(name);
    return held !== undefined && held.lease.fence === fence && held.untilMs > this.#clock.nowMs();
  }
}

function stored(): Promise<AppendResult> {
  return Promise.resolve({ outcome: 'stored' });
}
