// The link of a host to its fleet: says each second that it lives and what it serves, takes over what others changed, and hears who leads.
import { pause, type Clock, type Random, type Timer } from '../../../health/clock.ts';
import { LedgerForgedError, type Digest, type Lease, type Ledger, type LedgerHead } from '../../store/ledger.ts';
import type { RevisionStore } from '../../store/store.ts';
import type { FleetAppliedView } from '../api/views.ts';
import type { IntentKeeper } from '../intent-keeper.ts';
import { OneAtATime } from '../one-at-a-time.ts';
import { countedBy, type Counted } from './counting.ts';
import { DemandSum } from './demand-sum.ts';
import { DemandTelling } from './demand-telling.ts';
import type { Fleet, Peer } from './fleet.ts';
import { follow, join, type Followed } from './follow.ts';
import { Leadership } from './leadership.ts';
import { decodeDigest, decodePresence, type HostCounts, type HostDemand, type Presence } from './presence.ts';
import { Roster } from './roster.ts';

export interface FleetLinkOptions {
  readonly ledger: Ledger;
  readonly keeper: IntentKeeper;
  readonly store: RevisionStore;
  readonly clock: Clock;
  readonly random: Random;
  /** The name of the fleet. */
  readonly fleet: string;
  /** Of this host. */
  readonly id: string;
  readonly instance: string;
  /** What this host is and serves now. */
  readonly describe: () => Omit<Presence, 'leads' | 'skewMs'>;
  /** What its clients ask for now. */
  readonly demand: () => HostDemand;
  /** What became of their requests. */
  readonly count: () => HostCounts;
  /** While this host leads: what each has told, of how many that live. */
  readonly onCounted: (all: readonly Counted[], live: number) => void;
  /** Revisions of others are in force here; settles when the workers serve them. */
  readonly onFollowed: (followed: Followed) => Promise<unknown>;
  /** Something that an operator should know. */
  readonly tell: (text: string) => void;
  /** The fleet can be asked, for the first time or again. */
  readonly onReached: () => void;
}

/** Under it the store has how many hosts were last heard of. */
const HOSTS = 'fleet hosts';
/** Under it the store has the name of the fleet that its chain is of; absent: the host was alone. */
const JOINED = 'fleet joined';
const BEAT_MS = 1000;
/** A host that was not heard of for so long is away. */
const PRESENCE_MS = 5000;
/** Between two looks at what the others serve. */
const LOOK_MS = 50;
/** A gap of more revisions than this is closed in several beats. */
const MOST_STEPS = 100;

/** Another place has the id of this host. */
class TwinError extends Error {
  constructor(own: string, by: string) {
    super(
      `two hosts have the same id, and the other one is in the fleet: ${by}. This one is ${own}; it serves what it knows and takes no part. Stop one of the two; one that was copied starts with a state directory of its own, which it fills from the fleet`,
    );
    this.name = 'TwinError';
  }
}

export class FleetLink implements Fleet {
  readonly #options: FleetLinkOptions;
  readonly #leadership: Leadership;
  readonly #looks = new OneAtATime();
  readonly #roster: Roster;
  readonly #demand: DemandTelling;
  /** While this host leads. */
  readonly #sum: DemandSum;
  /** The version of the digest that was taken over last; 0: none. */
  #digest = 0;
  #twin: string | null = null;
  #timer: Timer | null = null;
  #endWatch: (() => void) | null = null;
  #problem: string | null = 'the fleet was not reached yet';
  /** What is in the ledger and is not taken over, told once. */
  #unfit: string | null = null;
  #unkept: string | null = null;
  #skewMs: number | null = null;
  /** The clock of the ledger minus the monotonic one; null: it was not heard yet. */
  #aheadMs: number | null = null;
  #led = false;
  #hinted = false;
  #closed = false;

  constructor(options: FleetLinkOptions) {
    this.#options = options;
    this.#leadership = new Leadership(options.ledger, options.clock, options.id);
    this.#roster = new Roster(options.id, options.tell, (hosts) => this.#keep(HOSTS, String(hosts)));
    this.#demand = new DemandTelling(options.id);
    this.#sum = new DemandSum(options.id);
  }

  get leads(): boolean {
    return this.#leadership.lease !== null;
  }

  get lease(): Lease | null {
    return this.#leadership.lease;
  }

  get problem(): string | null {
    return this.#problem ?? this.#unfit ?? this.#unkept;
  }

  get skewMs(): number | null {
    return this.#skewMs;
  }

  get wallMs(): number | null {
    return this.#aheadMs === null ? null : this.#options.clock.nowMs() + this.#aheadMs;
  }

  peers(): readonly Peer[] {
    return this.#roster.peers(this.#options.clock.nowMs());
  }

  /** Before it was heard: what a controller before has. */
  get hosts(): number {
    return this.#roster.isHeard ? this.#roster.count + 1 : Number(this.#options.store.getValue(HOSTS) ?? 1);
  }

  async refresh(): Promise<void> {
    await this.#hear().catch(() => undefined);
  }

  /** While the fleet cannot be reached, what was last heard: this host goes on with its part of every cluster. */
  demandOfPeers(): HostDemand {
    return this.#demand.others;
  }

  async served(revision: number, timeoutMs: number): Promise<FleetAppliedView | null> {
    const { clock, ledger, id: own } = this.#options;
    const endMs = clock.nowMs() + timeoutMs;
    await this.refresh();
    let late = this.peers().filter(({ silentMs }) => silentMs === null);
    for (;;) {
      late = await ledger.hostsBehind(revision).then(
        (hosts) => hosts.flatMap(({ id, text }) => (id === own ? [] : peerOf(id, text))),
        () => late,
      );
      if (late.length === 0 || clock.nowMs() >= endMs) break;
      await pause(clock, LOOK_MS);
    }
    // One that was late, and was forgotten while it was waited for, serves nothing: it is away.
    await this.refresh();
    const away = this.peers().filter(({ silentMs }) => silentMs !== null);
    const hosts = this.#roster.count + away.length + 1;
    if (hosts === 1) return null;
    const laggards = [...late.map(lateText), ...away.map(awayText)];
    return { hosts, acknowledged: hosts - laggards.length, laggards };
  }

  start(): Promise<void> {
    this.#endWatch = this.#options.ledger.watch(() => this.#onHint());
    return this.#beat();
  }

  async look(): Promise<void> {
    try {
      await this.#looks.run(async () => this.#follow(await this.#options.ledger.head()));
    } catch (error) {
      this.#lost(error);
    }
  }

  async cutOff(): Promise<string | null> {
    try {
      await this.#looks.run(async () => this.#follow(await this.#options.ledger.head()));
      return this.#options.keeper.barred ?? this.#unfit;
    } catch (error) {
      this.#lost(error);
      return this.#problem;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#endWatch?.();
    const { ledger, id, instance } = this.#options;
    await Promise.allSettled([this.#leadership.release(), ledger.withdraw({ id, instance })]);
    await ledger.close();
  }

  async #beat(): Promise<void> {
    try {
      this.#unkept = this.#keptProblem();
      const head = await this.#announce();
      if (this.lease !== null) await this.#tellAll(this.lease);
      await this.#looks.run(() => this.#follow(head));
      this.#reached();
      await this.#leadership.look();
      this.#tellLead();
    } catch (error) {
      this.#lost(error);
    }
    if (this.#closed) return;
    // Hosts that were started together drift apart, so that Redis is asked evenly.
    this.#timer = this.#options.clock.after(BEAT_MS * (0.9 + 0.2 * this.#options.random()), () => void this.#beat());
  }

  async #announce(): Promise<LedgerHead> {
    const { ledger, id, instance, clock, describe } = this.#options;
    const described = describe();
    const text: Presence = { ...described, leads: this.leads, problem: this.problem ?? described.problem, skewMs: this.#skewMs };
    const askedMs = clock.nowMs();
    const counts = JSON.stringify(this.#options.count());
    const demand = this.#demand.next(this.#options.demand, this.hosts, askedMs);
    const host = { id, instance, served: described.servedRevision, text: JSON.stringify(text), counts, demand };
    const announced = await ledger.announce(host, PRESENCE_MS, this.#digest);
    if (announced.outcome === 'taken') throw new TwinError(placeText(text), placeText(decodePresence(announced.by)));
    this.#options.keeper.barred = null;
    const tookMs = clock.nowMs() - askedMs;
    this.#skewMs = Math.round(clock.wallMs() - tookMs / 2 - announced.wallMs);
    this.#aheadMs = announced.wallMs - (askedMs + tookMs / 2);
    this.#tellTwin(announced.twin);
    if (announced.digest !== null) this.#takeDigest(announced.digest);
    return announced.head;
  }

  #takeDigest({ version, text }: Digest): void {
    this.#digest = version;
    const digest = this.leads ? null : decodeDigest(text);
    if (digest !== null && this.#demand.take(digest)) this.#roster.take(digest, this.#options.clock.nowMs());
  }

  /** Whoever leads adds up for all. */
  async #tellAll(lease: Lease): Promise<void> {
    const { ledger, clock } = this.#options;
    await this.#hear();
    const counted = countedBy(await ledger.counts());
    this.#options.onCounted(counted, this.#roster.count + 1);
    const names = new Map([[this.#options.id, this.#options.describe().name], ...this.#roster.live]);
    await this.#sum.hear(ledger, lease, new Set(names.keys()));
    const sum = this.#sum.next(names, clock.nowMs());
    if (sum === null) return;
    this.#demand.lead(this.#sum.others(sum), sum);
    const text = JSON.stringify({ ...sum, away: this.#roster.away(clock.nowMs()) });
    if (await ledger.publishDigest(lease, text)) this.#sum.published(text.length, clock.nowMs());
  }

  async #hear(): Promise<void> {
    const { ledger, clock } = this.#options;
    this.#roster.hear(await ledger.hosts(), clock.nowMs());
  }

  #tellTwin(text: string | null): void {
    const twin = text === null ? null : placeText(decodePresence(text));
    if (twin === null || twin === this.#twin) return;
    this.#twin = twin;
    this.#options.tell(`ALERT: another host with the id of this one wants to be in the fleet and is kept out: ${twin}`);
  }

  /** Several hints in one go are one look. */
  #onHint(): void {
    if (this.#hinted || this.#closed) return;
    this.#hinted = true;
    void this.#looks
      .run(async () => {
        this.#hinted = false;
        await this.#follow(await this.#options.ledger.head());
      })
      .catch((error: unknown) => this.#lost(error));
  }

  /** Until this host and the ledger say the same. */
  async #follow(head: LedgerHead): Promise<void> {
    const { ledger, keeper, store, onFollowed } = this.#options;
    if (keeper.barred !== null) return;
    let there = head;
    if (!(await this.#joined(head))) return;
    for (let step = 0; step < MOST_STEPS; step += 1) {
      const followed = await this.#step({ ledger, keeper, store }, there);
      if (followed === null) return;
      const { taken, lost, given } = followed;
      if (given > 0) this.#options.tell(`the ledger of the fleet had lost ${given} revisions and has them again from this host`);
      for (const { revision, author, reason } of lost)
        this.#options.tell(
          `CONFLICT: revision ${revision} by ${author.name} (${reason}) is not in force any more: another end of the chain stands above it`,
        );
      if (taken.length === 0) return;
      // Who changed it waits to hear that it is served here.
      void onFollowed(followed)
        .then(() => this.#announce())
        .catch((error: unknown) => this.#lost(error));
      there = await ledger.head();
    }
  }

  /** The first time that this host follows this fleet. False: what is there must not be taken over. */
  async #joined(head: LedgerHead): Promise<boolean> {
    const { ledger, keeper, store, fleet, tell, onFollowed } = this.#options;
    if (store.getValue(JOINED) === fleet) return true;
    const joined = await this.#sane(() => join({ ledger, keeper, store }, head));
    if (joined === undefined) return false;
    if (joined !== null) {
      tell(
        `this host has joined the fleet and follows it from here on: what it was asked for before, ${joined.setAside} revisions, is in force no more (kept as conflicts in its store)`,
      );
      void onFollowed(joined).catch((error: unknown) => this.#lost(error));
    }
    // An empty one is not joined yet: of two hosts that both bring a chain, the first one's is the fleet's.
    if (head.revision > 0) this.#keep(JOINED, fleet);
    return true;
  }

  /** Null: what is there must not be taken over. */
  async #step(sides: Parameters<typeof follow>[0], there: LedgerHead): Promise<Followed | null> {
    return (await this.#sane(() => follow(sides, there))) ?? null;
  }

  /** Undefined: what is there cannot be right, and everything stays as it is. */
  async #sane<T>(take: () => Promise<T>): Promise<T | undefined> {
    try {
      const taken = await take();
      this.#unfit = null;
      return taken;
    } catch (error) {
      if (!(error instanceof Error) || error.name === 'LedgerAwayError') throw error;
      if (this.#unfit !== error.message) this.#options.tell(`ALERT: ${error.message}`);
      this.#unfit = error.message;
      return undefined;
    }
  }

  #keep(key: string, value: string): void {
    try {
      this.#options.store.putValue(key, value);
    } catch {
      // A store that takes nothing is told of where it holds up more than this.
    }
  }

  #keptProblem(): string | null {
    const problem = this.#options.keeper.keepUp();
    if (problem !== null && this.#unkept === null) this.#options.tell(`what the fleet has agreed on cannot be stored here: ${problem}`);
    return problem === null ? null : `the store of this host takes nothing: ${problem}`;
  }

  #reached(): void {
    if (this.#problem === null) return;
    this.#problem = null;
    this.#options.tell('the fleet is reached');
    this.#options.onReached();
  }

  #lost(error: unknown): void {
    if (this.#closed) return;
    this.#demand.tellAgain();
    const said = error instanceof Error ? error.message : String(error);
    if (error instanceof TwinError) this.#stepAside(said);
    else if (error instanceof LedgerForgedError && this.#problem !== said) this.#options.tell(`ALERT: ${said}`);
    else if (this.#problem === null) this.#options.tell(`the fleet cannot be reached, this host serves on as it is: ${said}`);
    this.#problem = said;
    this.#tellLead();
  }

  /** What it would change would be taken for the other's doing. */
  #stepAside(why: string): void {
    if (this.#problem !== why) this.#options.tell(`ALERT: ${why}`);
    this.#options.keeper.barred = why;
    void this.#leadership.release().catch(() => undefined);
  }

  #tellLead(): void {
    if (this.leads !== this.#led)
      this.#options.tell(this.leads ? 'this host leads the fleet' : 'this host does not lead the fleet any more');
    this.#led = this.leads;
  }
}

function peerOf(id: string, text: string): readonly Peer[] {
  const presence = decodePresence(text);
  return presence === null ? [] : [{ id, presence, silentMs: null }];
}

function placeText(presence: Presence | null): string {
  return presence === null ? 'a host that cannot be read' : `${presence.name} (${presence.place ?? 'of an earlier version'})`;
}

function lateText({ presence: { name, laggards, servedRevision } }: Peer): string {
  return laggards.length > 0 ? `${name} (${laggards.join(', ')})` : `${name} (at revision ${servedRevision})`;
}

function awayText({ presence: { name }, silentMs }: Peer): string {
  return `${name} (not heard of for ${Math.round((silentMs ?? 0) / 1000)} s)`;
}
