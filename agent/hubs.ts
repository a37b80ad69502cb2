// All hubs of an agent: each gets the same reports, at the same time, and what they wish for comes together here.
import type { Log } from '../balancer/log.ts';
import type { Clock, Random, Timer } from '../health/clock.ts';
import type { HubHello } from './dialogue.ts';
import { HubAddresses, type HubPlace, type Resolve } from './hub-addresses.ts';
import type { Credentials } from './hub-connection.ts';
import type { CapacitySnapshot, HubReply } from './protocol.ts';
import { Uplink } from './uplink.ts';
import type { WishBook } from './wish-book.ts';

export interface HubsSettings {
  /** With the path of the cluster. */
  readonly urls: readonly URL[];
  readonly credentials: () => Credentials;
  readonly ca: string | null;
  readonly periodMs: number;
}

export interface HubsDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly resolve: Resolve;
  /** The next full snapshot; asked once for all hubs. */
  readonly snapshot: () => Promise<CapacitySnapshot>;
  readonly wishes: WishBook;
  /** A hub has said what it wishes for. */
  readonly onWishes: () => void;
  /** Each report that a hub has taken; `edge` tells the hubs apart. */
  readonly onReply?: (reply: HubReply, edge: string) => void;
}

interface Way {
  readonly uplink: Uplink;
  /** As the hub names itself; null: not greeted, or by one that does not say. */
  hub: string | null;
}

export class Hubs {
  readonly #settings: HubsSettings;
  readonly #dependencies: HubsDependencies;
  readonly #addresses: HubAddresses;
  readonly #ways = new Map<string, Way>();
  readonly #leaving = new Set<Promise<void>>();
  #places: readonly HubPlace[] = [];
  /** Null: another agent speaks for the cluster, and this one has no connections. */
  #epoch: number | null = null;
  #timer: Timer | null = null;
  #reporting = false;
  /** A hub became ready while a report was under way: that one may have been too early for it. */
  #again = false;
  #closed = false;

  constructor(settings: HubsSettings, dependencies: HubsDependencies) {
    this.#settings = settings;
    this.#dependencies = dependencies;
    const { clock, log, resolve } = dependencies;
    this.#addresses = new HubAddresses({ urls: settings.urls, resolve, clock, log, onChange: (places) => this.#onPlaces(places) });
  }

  start(): void {
    this.#addresses.start();
  }

  /** Says goodbye to all of them. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#addresses.close();
    this.rest();
    await Promise.all(this.#leaving);
  }

  /** This agent speaks for the cluster from now on. */
  lead(epoch: number): void {
    if (this.#closed || this.#epoch === epoch) return;
    this.rest();
    this.#epoch = epoch;
    this.#connectAll();
  }

  /** Another one does. */
  rest(): void {
    this.#epoch = null;
    this.#timer?.cancel();
    this.#timer = null;
    for (const key of [...this.#ways.keys()]) this.#leave(key);
  }

  /** Ends all connections without a goodbye; they come back as after any loss. */
  cut(reason: string): void {
    for (const { uplink } of this.#ways.values()) uplink.cut(reason);
  }

  /** Whether any hub would take a report now. */
  get ready(): boolean {
    return [...this.#ways.values()].some(({ uplink }) => uplink.ready);
  }

  /** When any hub last took a report, on the clock's own time; -Infinity: never. */
  get acceptedAtMs(): number {
    return Math.max(-Infinity, ...[...this.#ways.values()].map(({ uplink }) => uplink.acceptedAtMs));
  }

  #onPlaces(places: readonly HubPlace[]): void {
    this.#places = places;
    if (this.#epoch !== null) this.#connectAll();
  }

  #connectAll(): void {
    const wanted = new Set(this.#places.map(({ key }) => key));
    // A host that left the name may still serve, and is told until it goes.
    for (const [key, { uplink }] of this.#ways) if (!wanted.has(key) && !uplink.ready) this.#leave(key);
    for (const place of this.#places) if (!this.#ways.has(place.key)) this.#connect(place);
  }

  #connect({ key, url, address }: HubPlace): void {
    const { clock, random, log, wishes, onWishes, onReply } = this.#dependencies;
    const { credentials, ca, periodMs } = this.#settings;
    const uplink = new Uplink(
      { url, address, credentials, ca, periodMs },
      {
        ...{ clock, random, log },
        onReady: (hello) => this.#onReady(key, hello),
        onWishes: (asked) => {
          wishes.take(key, asked, clock.nowMs());
          onWishes();
        },
        onReply: (reply) => onReply?.(reply, key),
        onLost: () => this.#onLost(key),
      },
    );
    this.#ways.set(key, { uplink, hub: null });
    uplink.start();
  }

  #leave(key: string): void {
    const way = this.#ways.get(key);
    if (way === undefined) return;
    this.#ways.delete(key);
    this.#dependencies.wishes.lost(key, this.#dependencies.clock.nowMs());
    const gone = way.uplink.close().finally(() => this.#leaving.delete(gone));
    this.#leaving.add(gone);
  }

  #onReady(key: string, hello: HubHello | null): boolean {
    const way = this.#ways.get(key);
    if (way === undefined) return false;
    const hub = hello?.hub ?? null;
    if (hub !== null && [...this.#ways].some(([other, one]) => other !== key && one.hub === hub && one.uplink.ready)) return false;
    way.hub = hub;
    this.#again = this.#reporting;
    if (!this.#reporting) void this.#report();
    return true;
  }

  #onLost(key: string): void {
    const way = this.#ways.get(key);
    if (way === undefined) return;
    this.#dependencies.wishes.lost(key, this.#dependencies.clock.nowMs());
    const wasReady = way.hub !== null;
    way.hub = null;
    if (wasReady) for (const { uplink } of this.#ways.values()) uplink.wake();
    // Its name has lost this address, or there is no such host any more.
    if (!this.#places.some((place) => place.key === key)) this.#leave(key);
  }

  async #report(): Promise<void> {
    const { clock, log, snapshot } = this.#dependencies;
    const epoch = this.#epoch;
    this.#timer?.cancel();
    this.#timer = null;
    if (epoch === null || !this.ready) return;
    this.#timer = clock.after(this.#settings.periodMs, () => void this.#report());
    if (this.#reporting) return;
    this.#reporting = true;
    try {
      this.#offer({ ...(await snapshot()), epoch });
    } catch (error) {
      log.error({ problem: String(error) }, 'the cluster could not be measured; nothing was reported');
    } finally {
      this.#reporting = false;
    }
    if (this.#again) {
      this.#again = false;
      await this.#report();
    }
  }

  #offer(snapshot: CapacitySnapshot): void {
    // Another epoch may have begun while it was measured: its own first report follows.
    if (this.#epoch !== snapshot.epoch) return;
    for (const [key, { uplink }] of this.#ways) uplink.offer(snapshot, this.#dependencies.wishes.answersFor(key));
  }
}
