// The ledger on Redis. Everything that hosts leave there for each other is signed; Redis orders it, and can do no more than lose or hold it up.
import type { Clock } from '../../../health/clock.ts';
import { intentHash } from '../../intent/patch.ts';
import { decodeEntry, decodeSnapshot, entryText, snapshotText } from '../entry-text.ts';
import {
  LedgerForgedError,
  type Announced,
  type Announcement,
  type Append,
  type AppendResult,
  type HostText,
  type Lease,
  type Ledger,
  type LedgerEntry,
  type LedgerHead,
  type Replacement,
  type Snapshot,
  type ToldText,
} from '../ledger.ts';
import type { Seal } from '../seal.ts';
import { RedisConnection, type RedisAccess } from './connection.ts';
import {
  ANNOUNCE,
  APPEND,
  BEHIND,
  DEMANDS,
  HOSTS,
  PUBLISH_DIGEST,
  RELEASE_LEASE,
  RENEW_LEASE,
  REPLACE,
  TAKE_LEASE,
  WITHDRAW,
} from './scripts.ts';

export interface RedisLedgerOptions extends RedisAccess {
  /** What the fleet is called there: hosts with the same one are one fleet. */
  readonly fleet: string;
  readonly seal: Seal;
  readonly clock: Clock;
}

export class RedisLedger implements Ledger {
  readonly #connection: RedisConnection;
  readonly #seal: Seal;
  readonly #prefix: string;

  constructor(options: RedisLedgerOptions) {
    this.#connection = new RedisConnection(options, options.clock);
    this.#seal = options.seal;
    // The braces keep all keys of a fleet in one slot of a Redis Cluster.
    this.#prefix = `weir:{${options.fleet}}:`;
  }

  /** Why Redis cannot be asked; null: it answered the last time. */
  get problem(): string | null {
    return this.#connection.problem;
  }

  async head(): Promise<LedgerHead> {
    const [revision, hash] = await this.#connection.fields(this.#key('head'), ['revision', 'hash']);
    return headOf(revision ?? '0', hash ?? '');
  }

  async append({ expected, record, intent, lease, configText }: Append): Promise<AppendResult> {
    const keys = ['head', 'log', 'snapshot', 'configs', `lease:${lease?.name ?? ''}`].map((name) => this.#key(name));
    const answer = await this.#connection.run(APPEND, keys, [
      expected.revision,
      expected.hash,
      record.revision,
      record.hash,
      this.#closedEntry({ record, intentHash: intentHash(intent) }),
      this.#closedSnapshot({ record, intent }),
      this.#key('hints'),
      lease === null ? '' : heldBy(lease),
      configText?.fingerprint ?? '',
      configText === null ? '' : this.#seal.close('config', configText.fingerprint, configText.text),
    ]);
    return resultOf(answer);
  }

  async replace({ over, after, entries, newest }: Replacement): Promise<AppendResult> {
    const keys = ['head', 'log', 'snapshot'].map((name) => this.#key(name));
    const answer = await this.#connection.run(REPLACE, keys, [
      over.revision,
      over.hash,
      after,
      newest.record.revision,
      newest.record.hash,
      this.#closedSnapshot(newest),
      this.#key('hints'),
      ...entries.flatMap((entry) => [entry.record.revision, this.#closedEntry(entry)]),
    ]);
    return resultOf(answer);
  }

  async entriesAfter(revision: number, limit: number): Promise<readonly LedgerEntry[]> {
    const numbers = Array.from({ length: limit }, (_, index) => String(revision + 1 + index));
    const texts = await this.#connection.fields(this.#key('log'), numbers);
    const entries: LedgerEntry[] = [];
    for (const [index, sealed] of texts.entries()) {
      if (sealed === null) break;
      const name = numbers[index] ?? '';
      entries.push(decodeEntry(this.#opened('entry', name, sealed), `revision ${name}`));
    }
    return entries;
  }

  async snapshot(): Promise<Snapshot | null> {
    const sealed = await this.#connection.get(this.#key('snapshot'));
    return sealed === null ? null : decodeSnapshot(this.#opened('snapshot', '', sealed), 'the newest revision');
  }

  async configText(fingerprint: string): Promise<string | null> {
    const [sealed] = await this.#connection.fields(this.#key('configs'), [fingerprint]);
    return sealed === null || sealed === undefined ? null : this.#opened('config', fingerprint, sealed);
  }

  async announce({ id, text, instance, served, counts, demand }: Announcement, ttlMs: number, known: number): Promise<Announced> {
    const keys = ['head', 'hosts', 'deadlines', 'counts', 'served', 'instances', 'digest', 'demands', 'told'].map((name) =>
      this.#key(name),
    );
    const closed = [this.#seal.close('host', id, text), this.#seal.close('counts', id, counts)] as const;
    const told = demand === null ? '' : this.#seal.close('demand', id, demand);
    const answer = texts(await this.#connection.run(ANNOUNCE, keys, [id, closed[0], ttlMs, instance, closed[1], served, known, told]));
    if (answer[0] === 'taken') return { outcome: 'taken', by: this.#seal.open('host', id, answer[1] ?? '') ?? '' };
    const [, revision = '0', hash = '', wallMs, twin = '', version = '', digest = ''] = answer;
    const opened = version === '' ? null : this.#seal.open('digest', '', digest);
    return {
      outcome: 'announced',
      head: headOf(revision, hash),
      wallMs: Number(wallMs),
      digest: opened === null ? null : { version: Number(version), text: opened },
      twin: twin === '' ? null : this.#seal.open('host', id, twin),
    };
  }

  async withdraw({ id, instance }: Pick<Announcement, 'id' | 'instance'>): Promise<void> {
    const keys = ['hosts', 'deadlines', 'counts', 'served', 'instances', 'demands', 'told'].map((name) => this.#key(name));
    await this.#connection.run(WITHDRAW, keys, [id, instance]);
  }

  async hosts(): Promise<readonly HostText[]> {
    const keys = ['hosts', 'deadlines'].map((name) => this.#key(name));
    return this.#openedPairs('host', await this.#connection.run(HOSTS, keys, []));
  }

  async hostsBehind(revision: number): Promise<readonly HostText[]> {
    const keys = ['hosts', 'deadlines', 'served'].map((name) => this.#key(name));
    return this.#openedPairs('host', await this.#connection.run(BEHIND, keys, [revision]));
  }

  async counts(): Promise<readonly HostText[]> {
    const keys = ['counts', 'deadlines'].map((name) => this.#key(name));
    return this.#openedPairs('counts', await this.#connection.run(HOSTS, keys, []));
  }

  async demandsAfter(number: number, limit: number): Promise<readonly ToldText[]> {
    const keys = ['head', 'demands', 'told', 'deadlines'].map((name) => this.#key(name));
    const all = texts(await this.#connection.run(DEMANDS, keys, [number, limit]));
    const told: ToldText[] = [];
    for (let at = 0; at + 2 < all.length; at += 3) {
      const id = all[at] ?? '';
      // One that is forged says nothing; its number counts, or it would be asked for again and again.
      told.push({ id, number: Number(all[at + 1]), text: this.#seal.open('demand', id, all[at + 2] ?? '') ?? '' });
    }
    return told;
  }

  async publishDigest(lease: Lease, text: string): Promise<boolean> {
    const keys = [`lease:${lease.name}`, 'digest'].map((name) => this.#key(name));
    return Number(await this.#connection.run(PUBLISH_DIGEST, keys, [heldBy(lease), this.#seal.close('digest', '', text)])) === 1;
  }

  async takeLease(name: string, holder: string, ttlMs: number): Promise<Lease | null> {
    const fence = Number(await this.#connection.run(TAKE_LEASE, [this.#key(`lease:${name}`), this.#key('head')], [holder, ttlMs]));
    return fence === 0 ? null : { name, holder, fence };
  }

  async renewLease(lease: Lease, ttlMs: number): Promise<boolean> {
    return Number(await this.#connection.run(RENEW_LEASE, [this.#key(`lease:${lease.name}`)], [heldBy(lease), ttlMs])) === 1;
  }

  async releaseLease(lease: Lease): Promise<void> {
    await this.#connection.run(RELEASE_LEASE, [this.#key(`lease:${lease.name}`)], [heldBy(lease)]);
  }

  watch(onHint: () => void): () => void {
    return this.#connection.watch(this.#key('hints'), onHint);
  }

  close(): Promise<void> {
    this.#connection.close();
    return Promise.resolve();
  }

  #key(name: string): string {
    return this.#prefix + name;
  }

  /** Of a list of ids and texts, in turns, what the fleet has signed. */
  #openedPairs(purpose: 'host' | 'counts', answer: unknown): readonly HostText[] {
    const all = texts(answer);
    const opened: HostText[] = [];
    for (let at = 0; at + 1 < all.length; at += 2) {
      const id = all[at] ?? '';
      const text = this.#seal.open(purpose, id, all[at + 1] ?? '');
      if (text !== null) opened.push({ id, text });
    }
    return opened;
  }

  #closedEntry(entry: LedgerEntry): string {
    return this.#seal.close('entry', String(entry.record.revision), entryText(entry));
  }

  #closedSnapshot(snapshot: Snapshot): string {
    return this.#seal.close('snapshot', '', snapshotText(snapshot));
  }

  #opened(purpose: 'entry' | 'snapshot' | 'config', name: string, sealed: string): string {
    const text = this.#seal.open(purpose, name, sealed);
    if (text === null) throw new LedgerForgedError(`${NOUNS[purpose]} ${name}`.trim());
    return text;
  }
}

const NOUNS = { entry: 'revision', snapshot: 'the newest intent', config: 'the config' } as const;

function heldBy({ holder, fence }: Lease): string {
  return `${holder} ${fence}`;
}

/** It carries no signature: what it names has to be there, and has to be a number to be looked for. */
function headOf(text: string, hash: string): LedgerHead {
  const revision = Number(text);
  if (!Number.isSafeInteger(revision) || revision < 0) throw new LedgerForgedError('where the chain ends');
  return { revision, hash };
}

function resultOf(answer: unknown): AppendResult {
  const [outcome, revision = '0', hash = ''] = texts(answer);
  if (outcome === 'stored' || outcome === 'fenced') return { outcome };
  return { outcome: 'moved', head: headOf(revision, hash) };
}

/** Scripts answer with lists of texts. */
function texts(answer: unknown): readonly string[] {
  return Array.isArray(answer) ? answer.map(String) : [];
}
