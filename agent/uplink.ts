// The way up to the hub: reports every period, notices silence, comes back with growing waits.
import type { Log } from '../balancer/log.ts';
import { BackOff } from '../health/back-off.ts';
import type { Clock, Random, Timer } from '../health/clock.ts';
import { HubConnection } from './hub-connection.ts';
import { AGENT_PROTOCOL, type CapacitySnapshot, HUB_CLOSE, type HubReply } from './protocol.ts';

export interface UplinkSettings {
  /** With the path of the cluster. */
  readonly url: URL;
  /** Asked before each connection. */
  readonly token: () => string;
  readonly ca: string | null;
  readonly periodMs: number;
}

export interface UplinkDependencies {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The next full snapshot. */
  readonly snapshot: () => Promise<CapacitySnapshot>;
}

const BACK_OFF = { baseMs: 500, maxMs: 30_000, jitter: 0.5 };
/** Two agents of one cluster must not push each other out all the time. */
const REPLACED_WAIT_MS = 30_000;
/** So many periods without an answer, and at least so long, and the connection counts as dead. */
const SILENT_PERIODS = 5;
const SILENT_MIN_MS = 10_000;
/** A hub that takes in less than this much is behind; reports of the past are of no use to it. */
const MAX_BUFFERED_BYTES = 64 * 1024;
/** How long the hub may take to answer a goodbye. */
const CLOSE_WAIT_MS = 1000;

export class Uplink {
  readonly #settings: UplinkSettings;
  readonly #dependencies: UplinkDependencies;
  readonly #backOff: BackOff;
  #connection: HubConnection | null = null;
  #timer: Timer | null = null;
  #heardAtMs = 0;
  /** The last refusal that was logged: a reason that stays is said once. */
  #refusal = '';
  #closing = false;
  #onEnded: (() => void) | null = null;

  constructor(settings: UplinkSettings, dependencies: UplinkDependencies) {
    this.#settings = settings;
    this.#dependencies = dependencies;
    this.#backOff = new BackOff(BACK_OFF, dependencies.random);
  }

  start(): void {
    this.#connect();
  }

  /** Says goodbye to the hub and is over after a second at the latest. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#timer?.cancel();
    const connection = this.#connection;
    if (connection === null) return;
    const limit = this.#dependencies.clock.after(CLOSE_WAIT_MS, () => connection.destroy('the hub did not answer the goodbye'));
    await new Promise<void>((resolve) => {
      this.#onEnded = resolve;
      connection.close();
    });
    limit.cancel();
  }

  #connect(): void {
    const { url, ca } = this.#settings;
    try {
      this.#connection = new HubConnection(
        { url, ca, token: this.#settings.token() },
        {
          onOpen: () => this.#onOpen(),
          onMessage: (text) => this.#onMessage(text),
          onClosed: (code, reason) => this.#onClosed(code, reason),
        },
      );
    } catch (error) {
      // The token's file is gone, or the token cannot stand in a header: both may be mended while the agent runs.
      this.#onClosed(0, error instanceof Error ? error.message : String(error));
    }
  }

  #onOpen(): void {
    const { clock, log } = this.#dependencies;
    this.#heardAtMs = clock.nowMs();
    log.info({ hub: this.#settings.url.href }, 'connected to the hub');
    void this.#report();
  }

  async #report(): Promise<void> {
    const { clock, log, snapshot } = this.#dependencies;
    const connection = this.#connection;
    if (connection === null || this.#closing) return;
    const { periodMs } = this.#settings;
    if (clock.nowMs() - this.#heardAtMs > Math.max(SILENT_MIN_MS, SILENT_PERIODS * periodMs)) {
      connection.destroy('the hub is silent');
      return;
    }
    this.#timer = clock.after(periodMs, () => void this.#report());
    try {
      const text = JSON.stringify(await snapshot());
      if (connection.bufferedBytes < MAX_BUFFERED_BYTES) connection.send(text);
    } catch (error) {
      log.error({ problem: String(error) }, 'the machine could not be measured; nothing was reported');
    }
  }

  #onMessage(text: string): void {
    this.#heardAtMs = this.#dependencies.clock.nowMs();
    const reply = decodeReply(text);
    if (reply === null) return;
    if (reply.accepted) this.#backOff.reset();
    if (reply.reason === this.#refusal) return;
    this.#refusal = reply.reason;
    if (!reply.accepted) this.#dependencies.log.warn({ reason: reply.reason, sequence: reply.sequence }, 'the hub refuses the reports');
  }

  #onClosed(code: number, reason: string): void {
    const { clock, log } = this.#dependencies;
    this.#connection = null;
    this.#timer?.cancel();
    this.#onEnded?.();
    if (this.#closing) return;
    const waitMs = Math.round(code === HUB_CLOSE.replaced ? REPLACED_WAIT_MS : this.#backOff.nextMs());
    log.warn({ hub: this.#settings.url.href, reason, retryInMs: waitMs }, 'no connection to the hub');
    this.#timer = clock.after(waitMs, () => this.#connect());
  }
}

/** Null for what is not a reply of this protocol: a newer hub may say more. */
export function decodeReply(text: string): HubReply | null {
  const value = parse(text);
  if (typeof value !== 'object' || value === null) return null;
  if (!('protocol' in value && 'sequence' in value && 'accepted' in value && 'reason' in value)) return null;
  const { protocol, sequence, accepted, reason } = value;
  if (protocol !== AGENT_PROTOCOL || typeof accepted !== 'boolean' || typeof reason !== 'string') return null;
  if (sequence !== null && typeof sequence !== 'number') return null;
  return { protocol, sequence, accepted, reason };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
