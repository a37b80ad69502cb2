// Who is in the fleet, and who was: told by the leader to all, and asked of the ledger by who needs to know more.
import type { HostText } from '../../store/ledger.ts';
import type { Peer } from './fleet.ts';
import { decodePresence, type FleetDigest, type Presence } from './presence.ts';

/** One that is away is remembered for so long: who takes a host out of the fleet stops it, which withdraws it. */
const REMEMBER_MS = 600_000;

interface Heard {
  readonly presence: Presence;
  /** When it was last known to live. */
  readonly atMs: number;
}

export class Roster {
  readonly #own: string;
  readonly #tell: (text: string) => void;
  readonly #keep: (hosts: number) => void;
  readonly #heard = new Map<string, Heard>();
  /** Id → name of the others that live. */
  #live: ReadonlyMap<string, string> = new Map();
  #isHeard = false;

  /** `own`: the id of this host. `keep` gets how many there are with this one, when it is another number. */
  constructor(own: string, tell: (text: string) => void, keep: (hosts: number) => void) {
    this.#own = own;
    this.#tell = tell;
    this.#keep = keep;
  }

  /** Whether anything is known. */
  get isHeard(): boolean {
    return this.#isHeard;
  }

  /** Id and name of the others that live. */
  get live(): ReadonlyMap<string, string> {
    return this.#live;
  }

  /** Other hosts that live. */
  get count(): number {
    return this.#live.size;
  }

  /** All that live, as they describe themselves. */
  hear(hosts: readonly HostText[], nowMs: number): void {
    const live = new Map<string, string>();
    for (const { id, text } of hosts) {
      const presence = id === this.#own ? null : decodePresence(text);
      if (presence === null) continue;
      live.set(id, presence.name);
      this.#heard.set(id, { presence, atMs: nowMs });
    }
    this.#lives(live, nowMs);
  }

  /** What the leader has heard. */
  take({ hosts, away }: FleetDigest, nowMs: number): void {
    const live = new Map(Object.entries(hosts).flatMap(([id, { name }]) => (id === this.#own ? [] : [[id, name] as const])));
    for (const { id, silentMs, presence } of away)
      if (id !== this.#own && !live.has(id)) this.#heard.set(id, { presence, atMs: nowMs - silentMs });
    this.#lives(live, nowMs);
  }

  /** For the others. */
  away(nowMs: number): FleetDigest['away'] {
    return [...this.#heard].flatMap(([id, { presence, atMs }]) =>
      this.#live.has(id) ? [] : [{ id, silentMs: Math.round(nowMs - atMs), presence }],
    );
  }

  peers(nowMs: number): readonly Peer[] {
    return [...this.#heard]
      .map(([id, { presence, atMs }]) => ({ id, presence, silentMs: this.#live.has(id) ? null : nowMs - atMs }))
      .sort((one, other) => (one.presence.name < other.presence.name ? -1 : 1));
  }

  #lives(live: ReadonlyMap<string, string>, nowMs: number): void {
    for (const [id, name] of this.#live) if (!live.has(id)) this.#tell(`host ${name} is not heard of any more`);
    for (const [id, name] of live) if (!this.#live.has(id)) this.#tell(`host ${name} is in the fleet`);
    if (live.size !== this.#live.size || !this.#isHeard) this.#keep(live.size + 1);
    this.#isHeard = true;
    this.#live = live;
    for (const [id, { presence, atMs }] of this.#heard) {
      if (live.has(id)) this.#heard.set(id, { presence, atMs: nowMs });
      else if (nowMs - atMs > REMEMBER_MS) this.#heard.delete(id);
    }
  }
}
