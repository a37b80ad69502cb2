// One connection of one agent: bounded in rate, watched with pings, greeted, and answered message by message.
import type { WebSocket } from '@fastify/websocket';
import type { HubHello, HubWishes } from '../../../agent/dialogue.ts';
import { type AgentProtocol, HUB_CLOSE, type HubReply } from '../../../agent/protocol.ts';
import type { Clock, Timer } from '../../../health/clock.ts';
import { RateBound } from './rate-bound.ts';

/** What becomes of a message. */
export interface Verdict {
  readonly sequence: number | null;
  /** One word; null: accepted. */
  readonly refused: string | null;
  /** The connection ends when it was answered. */
  readonly ends?: { readonly code: number; readonly reason: string };
}

export interface SessionHandlers {
  onMessage(text: string): Verdict;
  /** A message that no code looked into. */
  onRefused(reason: 'not_text' | 'too_fast'): void;
  /** Once. */
  onClosed(): void;
}

export interface SessionTerms {
  readonly protocol: AgentProtocol;
  /** Null: protocol 1 is not greeted. */
  readonly hello: HubHello | null;
  /** What the edge sees of its own requests to the cluster; null: nothing to say. */
  readonly observed: () => HubReply['observed'] | null;
}

const RATE = { perSecond: 10, burst: 20 };
const PING_MS = 10_000;
/** So many pings without any sign of life end the connection. */
const MAX_MISSED = 2;
/** An agent that does not read its answers is cut off. */
const MAX_BUFFERED_BYTES = 64 * 1024;
/** How long an agent may take to answer a close, and to say something that counts. */
const CLOSE_WAIT_MS = 1000;
const UNHEARD_MS = 15_000;

export class AgentSession {
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  readonly #handlers: SessionHandlers;
  readonly #terms: SessionTerms;
  readonly #rate: RateBound;
  readonly #openedAtMs: number;
  #missed = 0;
  #pingedAtMs: number | null = null;
  #roundTripMs: number | null = null;
  #heard = false;
  #wishesNumber = 0;
  #timer: Timer | null = null;
  #closing = false;

  constructor(socket: WebSocket, clock: Clock, terms: SessionTerms, handlers: SessionHandlers) {
    this.#socket = socket;
    this.#clock = clock;
    this.#terms = terms;
    this.#handlers = handlers;
    this.#openedAtMs = clock.nowMs();
    this.#rate = new RateBound(RATE, this.#openedAtMs);
  }

  get protocol(): AgentProtocol {
    return this.#terms.protocol;
  }

  get session(): string | null {
    return this.#terms.hello?.session ?? null;
  }

  /** The shortest that was seen between a ping and its answer; null: none yet. */
  get roundTripMs(): number | null {
    return this.#roundTripMs;
  }

  /** Attaches to the socket at once: a message that comes before its listener is lost. */
  start(): void {
    this.#socket.on('message', (data, isBinary) => this.#onMessage(data, isBinary));
    this.#socket.on('pong', () => this.#onPong());
    this.#socket.on('close', () => {
      this.#timer?.cancel();
      this.#handlers.onClosed();
    });
    const { hello } = this.#terms;
    if (hello !== null) this.#send(hello);
    // Only to measure: who does not answer is told by the ones that follow.
    this.#pingedAtMs = this.#clock.nowMs();
    this.#socket.ping();
    this.#schedulePing();
  }

  /** All that is wished for of the cluster now. */
  wish(wishes: HubWishes['wishes']): void {
    if (this.#terms.protocol === 1 || this.#closing) return;
    this.#wishesNumber += 1;
    const message: HubWishes = { kind: 'wishes', number: this.#wishesNumber, wishes };
    this.#send(message);
  }

  /** Tells the agent why and ends the connection, whether it answers or not. */
  close(code: number, reason: string): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#timer?.cancel();
    this.#timer = this.#clock.after(CLOSE_WAIT_MS, () => this.#socket.terminate(), true);
    this.#socket.close(code, reason);
  }

  #onMessage(data: Buffer | ArrayBuffer | Buffer[], isBinary: boolean): void {
    if (this.#closing) return;
    this.#missed = 0;
    if (!this.#rate.take(this.#clock.nowMs())) {
      this.#handlers.onRefused('too_fast');
      this.close(HUB_CLOSE.tooFast, `more than ${RATE.perSecond} messages a second`);
      return;
    }
    if (isBinary || !Buffer.isBuffer(data)) {
      this.#handlers.onRefused('not_text');
      this.#reply({ sequence: null, refused: 'not_text' });
      return;
    }
    const verdict = this.#handlers.onMessage(data.toString('utf8'));
    this.#reply(verdict);
    if (verdict.ends !== undefined) this.close(verdict.ends.code, verdict.ends.reason);
  }

  #reply({ sequence, refused }: Verdict): void {
    if (refused === null) this.#heard = true;
    const { protocol } = this.#terms;
    const observed = refused === null ? (this.#terms.observed() ?? null) : null;
    const reply: HubReply = { protocol, sequence, accepted: refused === null, reason: refused ?? '' };
    this.#send(observed === null ? reply : { ...reply, observed });
  }

  #send(message: HubHello | HubWishes | HubReply): void {
    // Deciding on a message may have ended the connection.
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#socket.bufferedAmount > MAX_BUFFERED_BYTES) {
      this.#socket.terminate();
      return;
    }
    this.#socket.send(JSON.stringify(message));
  }

  #schedulePing(): void {
    this.#timer = this.#clock.after(PING_MS, () => this.#ping(), true);
  }

  #ping(): void {
    if (this.#missed >= MAX_MISSED) {
      this.#socket.terminate();
      return;
    }
    // A connection that never said anything that counts keeps a place that another one may need.
    if (!this.#heard && this.#clock.nowMs() - this.#openedAtMs > UNHEARD_MS && this.#missed === 0) {
      this.close(HUB_CLOSE.unheard, `nothing that counts was reported within ${UNHEARD_MS / 1000} s`);
      return;
    }
    this.#missed += 1;
    this.#pingedAtMs = this.#clock.nowMs();
    this.#socket.ping();
    this.#schedulePing();
  }

  #onPong(): void {
    this.#missed = 0;
    if (this.#pingedAtMs === null) return;
    const tookMs = this.#clock.nowMs() - this.#pingedAtMs;
    this.#pingedAtMs = null;
    this.#roundTripMs = Math.min(this.#roundTripMs ?? tookMs, tookMs);
  }
}
