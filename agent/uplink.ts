// The way up to one hub: connects, greets, hands over reports, notices silence, comes back with growing waits.
import type { Log } from '../balancer/log.ts';
import { BackOff } from '../health/back-off.ts';
import type { Clock, Random, Timer } from '../health/clock.ts';
import type { HubHello, HubWishes, WishAnswers } from './dialogue.ts';
import { type Credentials, HubConnection } from './hub-connection.ts';
import { decodeHubMessage } from './hub-messages.ts';
import { type AgentProtocol, type CapacitySnapshot, HUB_CLOSE, type HubReply } from './protocol.ts';

export interface UplinkSettings {
  /** With the path of the cluster. */
  readonly url: URL;
  /** Of the several that the name in the URL has; null: any. */
  readonly address: string | null;
  /** Asked before each connection. */
  readonly credentials: () => Credentials;
  readonly ca: string | null;
  readonly periodMs: number;
}

export interface UplinkDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The hub takes reports from now on. False: it is one that has them by another way, and this one rests. */
  readonly onReady: (hello: HubHello | null) => boolean;
  readonly onWishes: (wishes: HubWishes) => void;
  readonly onReply: (reply: HubReply) => void;
  /** The connection ended, or there was none. */
  readonly onLost: () => void;
}

const BACK_OFF = { baseMs: 500, maxMs: 30_000, jitter: 0.5 };
/** Two agents of one cluster must not push each other out all the time; nor need a second way to a hub be looked at often. */
const REPLACED_WAIT_MS = 30_000;
const SECOND_WAY_WAIT_MS = 300_000;
/** So many periods without an answer, and at least so long, and the connection counts as dead. */
const SILENT_PERIODS = 5;
const SILENT_MIN_MS = 10_000;
/** A hub that takes in less than this much is behind; reports of the past are of no use to it. */
const MAX_BUFFERED_BYTES = 64 * 1024;
/** How long the hub may take to answer a goodbye, and to greet. */
const CLOSE_WAIT_MS = 1000;
const HELLO_WAIT_MS = 10_000;

export class Uplink {
  readonly #settings: UplinkSettings;
  readonly #dependencies: UplinkDependencies;
  readonly #backOff: BackOff;
  #connection: HubConnection | null = null;
  /** Null until the hub takes reports. */
  #speaks: { readonly protocol: AgentProtocol; readonly session: string | null } | null = null;
  #timer: Timer | null = null;
  #heardAtMs = 0;
  #acceptedAtMs = -Infinity;
  /** The last refusal that was logged: a reason that stays is said once. */
  #refusal = '';
  /** The hub is reported to by another of its addresses; and this one waits because of that. */
  #secondWay = false;
  #resting = false;
  #closing = false;
  #onEnded: (() => void) | null = null;

  constructor(settings: UplinkSettings, dependencies: UplinkDependencies) {
    this.#settings = settings;
    this.#dependencies = dependencies;
    this.#backOff = new BackOff(BACK_OFF, dependencies.random);
  }

  /** Whether it can be given reports. */
  get ready(): boolean {
    return this.#speaks !== null;
  }

  /** Whether there is a connection, or an attempt at one. */
  get connected(): boolean {
    return this.#connection !== null;
  }

  /** Another address of the same hub went away: whether this one works is worth knowing now. */
  wake(): void {
    if (!this.#resting) return;
    this.#resting = false;
    this.#timer?.cancel();
    this.#connect();
  }

  /** When a report was last taken, on the clock's own time; -Infinity: never. */
  get acceptedAtMs(): number {
    return this.#acceptedAtMs;
  }

  /** For people. */
  get name(): string {
    const { url, address } = this.#settings;
    return address === null ? url.href : `${url.href} (${address})`;
  }

  start(): void {
    this.#connect();
  }

  /** Says goodbye to the hub and is over after a second at the latest. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#timer?.cancel();
    this.#speaks = null;
    const connection = this.#connection;
    if (connection === null) return;
    const limit = this.#dependencies.clock.after(CLOSE_WAIT_MS, () => connection.destroy('the hub did not answer the goodbye'));
    await new Promise<void>((resolve) => {
      this.#onEnded = resolve;
      connection.close();
    });
    limit.cancel();
  }

  /** Ends the connection without a goodbye. */
  cut(reason: string): void {
    this.#connection?.destroy(reason);
  }

  /** Hands over a report; one that the hub has no room for is dropped, as the next one says all again. */
  offer(snapshot: CapacitySnapshot, wishes: WishAnswers | null): void {
    const [connection, speaks] = [this.#connection, this.#speaks];
    if (connection === null || speaks === null) return;
    const { periodMs } = this.#settings;
    if (this.#dependencies.clock.nowMs() - this.#heardAtMs > Math.max(SILENT_MIN_MS, SILENT_PERIODS * periodMs)) {
      connection.destroy('the hub is silent');
      return;
    }
    if (connection.bufferedBytes >= MAX_BUFFERED_BYTES) return;
    const { protocol, session } = speaks;
    const own = session === null ? {} : { session, ...(wishes === null ? {} : { wishes }) };
    connection.send(JSON.stringify({ ...snapshot, protocol, ...own }));
  }

  #connect(): void {
    const { url, address, ca, credentials } = this.#settings;
    try {
      this.#connection = new HubConnection(
        { url, address, ca, credentials: credentials() },
        {
          onOpen: (protocol) => this.#onOpen(protocol),
          onMessage: (text) => this.#onMessage(text),
          onClosed: (code, reason) => this.#onClosed(code, reason),
        },
      );
    } catch (error) {
      // The token's file is gone, or the token cannot stand in a header: both may be mended while the agent runs.
      this.#onClosed(0, error instanceof Error ? error.message : String(error));
    }
  }

  #onOpen(protocol: AgentProtocol): void {
    this.#heardAtMs = this.#dependencies.clock.nowMs();
    if (protocol === 1) this.#begin(null);
    else this.#timer = this.#dependencies.clock.after(HELLO_WAIT_MS, () => this.#connection?.destroy('the hub does not greet'));
  }

  #begin(hello: HubHello | null): void {
    if (this.#closing || this.#speaks !== null) return;
    this.#timer?.cancel();
    this.#speaks = { protocol: hello === null ? 1 : 2, session: hello?.session ?? null };
    const host = hello?.host ?? '';
    if (this.#dependencies.onReady(hello)) this.#dependencies.log.info({ hub: this.name, host }, 'connected to the hub');
    else {
      this.#secondWay = true;
      this.#connection?.destroy(`${host} is reported to by another of its addresses`);
    }
  }

  #onMessage(text: string): void {
    this.#heardAtMs = this.#dependencies.clock.nowMs();
    const message = decodeHubMessage(text);
    switch (message?.kind) {
      case 'hello':
        this.#begin(message);
        return;
      case 'wishes':
        this.#dependencies.onWishes(message);
        return;
      case 'reply':
        this.#onReply(message.reply);
        return;
      case undefined:
        return;
    }
  }

  #onReply(reply: HubReply): void {
    if (reply.accepted) {
      this.#backOff.reset();
      this.#acceptedAtMs = this.#heardAtMs;
      this.#dependencies.onReply(reply);
    }
    if (reply.reason === this.#refusal) return;
    this.#refusal = reply.reason;
    const { reason, sequence } = reply;
    if (!reply.accepted) this.#dependencies.log.warn({ hub: this.name, reason, sequence }, 'the hub refuses the reports');
  }

  #onClosed(code: number, reason: string): void {
    const { clock, log, onLost } = this.#dependencies;
    this.#connection = null;
    this.#speaks = null;
    this.#timer?.cancel();
    this.#onEnded?.();
    onLost();
    if (this.#closing) return;
    const waitMs = Math.round(this.#waitMs(code));
    const fields = { hub: this.#settings.url.href, address: this.#settings.address, reason, retryInMs: waitMs };
    if (this.#secondWay) log.info(fields, 'one way to a hub is enough');
    else log.warn(fields, 'no connection to the hub');
    this.#resting = this.#secondWay;
    this.#secondWay = false;
    this.#timer = clock.after(waitMs, () => {
      this.#resting = false;
      this.#connect();
    });
  }

  #waitMs(code: number): number {
    if (this.#secondWay) return SECOND_WAY_WAIT_MS;
    return code === HUB_CLOSE.replaced || code === HUB_CLOSE.superseded ? REPLACED_WAIT_MS : this.#backOff.nextMs();
  }
}
