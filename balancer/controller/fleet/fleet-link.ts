// The link of a host to its fleet: says each second that it lives and what it serves, takes over what others changed, and hears who leads.
import { pause, type Clock, type Random, type Timer } from '../../../health/clock.ts';
import type { Lease, Ledger, LedgerHead } from '../../store/ledger.ts';
import type { Store } from '../../store/store.ts';
import type { FleetAppliedView } from '../api/views.ts';
import type { IntentKeeper } from '../intent-keeper.ts';
import { OneAtATime } from '../one-at-a-time.ts';
import type { Fleet, HostDemand, Peer } from './fleet.ts';
import { follow, type Followed } from './follow.ts';
import { Leadership } from './leadership.ts';
import { decodePresence, type Presence } from './presence.ts';

export interface FleetLinkOptions {
  readonly ledger: Ledger;
  readonly keeper: IntentKeeper;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  /** Of this host. */
  readonly id: string;
  /** What this host is and serves now. */
  readonly describe: () => Omit<Presence, 'leads' | 'skewMs'>;
  /** Revisions of others are in force here; settles when the workers serve them. */
  readonly onFollowed: (followed: Followed) => Promise<unknown>;
  /** Something that an operator should know. */
  readonly tell: (text: string) => void;
  /** The fleet can be asked, for the first time or again. */
  readonly onReached: () => void;
}

const BEAT_MS = 1000;
/** A host that was not heard of for so long is away. */
const PRESENCE_MS = 5000;
/** One that is away is remembered for so long: who takes a host out of the fleet stops it, which withdraws it. */
const REMEMBER_MS = 600_000;
/** Between two looks at what the others serve. */
const LOOK_MS = 50;
/** A gap of more revisions than this is closed in several beats. */
const MOST_STEPS = 100;

interface Heard {
  readonly presence: Presence;
  readonly atMs: number;
}

export class FleetLink implements Fleet {
  readonly #options: FleetLinkOptions;
  readonly #leadership: Leadership;
  readonly #looks = new OneAtATime();
  readonly #heard = new Map<string, Heard>();
  /** Those that lived at the last beat that reached the ledger. */
  #live: ReadonlySet<string> = new Set();
  #timer: Timer | null = null;
  #endWatch: (() => void) | null = null;
  #problem: string | null = 'the fleet was not reached yet';
  /** What is in the ledger and is not taken over, told once. */
  #unfit: string | null = null;
  #unkept: string | null = null;
  #skewMs: number | null = null;
  #led = false;
  #hinted = false;
  #closed = false;

  constructor(options: FleetLinkOptions) {
    this.#options = options;
    this.#leadership = new Leadership(options.ledger, options.clock, options.id);
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

  peers(): readonly Peer[] {
    const nowMs = this.#options.clock.nowMs();
    return [...this.#heard]
      .map(([id, { presence, atMs }]) => ({ id, presence, silentMs: this.#live.has(id) ? null : nowMs - atMs }))
      .sort((one, other) => (one.presence.name < other.presence.name ? -1 : 1));
  }

  /** While the fleet cannot be reached, what was last heard: this host goes on with its part of every cluster. */
  demandOfPeers(): readonly HostDemand[] {
    return [...this.#live].flatMap((id) => this.#heard.get(id)?.presence ?? []);
  }

  async served(revision: number, timeoutMs: number): Promise<FleetAppliedView | null> {
    const { clock } = this.#options;
    const endMs = clock.nowMs() + timeoutMs;
    for (;;) {
      await this.#hear().catch(() => undefined);
      const peers = this.peers();
      const late = peers.filter(({ presence, silentMs }) => silentMs === null && presence.servedRevision < revision);
      if (late.length > 0 && clock.nowMs() < endMs) {
        await pause(clock, LOOK_MS);
        continue;
      }
      if (peers.length === 0) return null;
      const away = peers.filter(({ silentMs }) => silentMs !== null);
      return {
        hosts: peers.length + 1,
        acknowledged: peers.length + 1 - late.length - away.length,
        laggards: [...late.map(lateText), ...away.map(awayText)],
      };
    }
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
      return this.#unfit;
    } catch (error) {
      this.#lost(error);
      return this.#problem;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#endWatch?.();
    const { ledger, id } = this.#options;
    await Promise.allSettled([this.#leadership.release(), ledger.withdraw(id)]);
    await ledger.close();
  }

  async #beat(): Promise<void> {
    try {
      this.#unkept = this.#keptProblem();
      const head = await this.#announce();
      await this.#hear();
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
    const { ledger, id, clock, describe } = this.#options;
    const described = describe();
    const text: Presence = { ...described, leads: this.leads, problem: this.problem ?? described.problem, skewMs: this.#skewMs };
    const askedMs = clock.nowMs();
    const { head, wallMs } = await ledger.announce({ id, text: JSON.stringify(text) }, PRESENCE_MS);
    this.#skewMs = Math.round(clock.wallMs() - (clock.nowMs() - askedMs) / 2 - wallMs);
    return head;
  }

  async #hear(): Promise<void> {
    const { ledger, id: own, clock } = this.#options;
    const live = new Set<string>();
    for (const { id, text } of await ledger.hosts()) {
      const presence = id === own ? null : decodePresence(text);
      if (presence === null) continue;
      live.add(id);
      this.#heard.set(id, { presence, atMs: clock.nowMs() });
    }
    const nowMs = clock.nowMs();
    for (const [id, { presence, atMs }] of this.#heard) {
      if (live.has(id)) continue;
      if (this.#live.has(id)) this.#options.tell(`host ${presence.name} is not heard of any more`);
      if (nowMs - atMs > REMEMBER_MS) this.#heard.delete(id);
    }
    for (const id of live) if (!this.#live.has(id)) this.#options.tell(`host ${this.#heard.get(id)?.presence.name ?? id} is in the fleet`);
    this.#live = live;
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
    let there = head;
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

  /** Null: what is there must not be taken over. */
  async #step(sides: Parameters<typeof follow>[0], there: LedgerHead): Promise<Followed | null> {
    try {
      const followed = await follow(sides, there);
      this.#unfit = null;
      return followed;
    } catch (error) {
      if (!(error instanceof Error) || error.name === 'LedgerAwayError') throw error;
      if (this.#unfit !== error.message) this.#options.tell(`ALERT: ${error.message}`);
      this.#unfit = error.message;
      return null;
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
    const said = error instanceof Error ? error.message : String(error);
    if (this.#problem === null) this.#options.tell(`the fleet cannot be reached, this host serves on as it is: ${said}`);
    this.#problem = said;
    this.#tellLead();
  }

  #tellLead(): void {
    if (this.leads !== this.#led)
      this.#options.tell(this.leads ? 'this host leads the fleet' : 'this host does not lead the fleet any more');
    this.#led = this.leads;
  }
}

function lateText({ presence: { name, laggards, servedRevision } }: Peer): string {
  return laggards.length > 0 ? `${name} (${laggards.join(', ')})` : `${name} (at revision ${servedRevision})`;
}

function awayText({ presence: { name }, silentMs }: Peer): string {
  return `${name} (not heard of for ${Math.round((silentMs ?? 0) / 1000)} s)`;
}
