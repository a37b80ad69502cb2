// One connection of one agent: bounded in rate, watched with pings, answered message by message.
import type { WebSocket } from '@fastify/websocket';
import { AGENT_PROTOCOL, HUB_CLOSE, type HubReply } from '../../../agent/protocol.ts';
import type { Clock, Timer } from '../../../health/clock.ts';
import { RateBound } from './rate-bound.ts';

/** What becomes of a message. */
export interface Verdict {
  readonly sequence: number | null;
  /** One word; null: accepted. */
  readonly refused: string | null;
}

export interface SessionHandlers {
  onMessage(text: string): Verdict;
  /** A message that no code looked into. */
  onRefused(reason: 'not_text' | 'too_fast'): void;
  /** Once. */
  onClosed(): void;
}

const RATE = { perSecond: 10, burst: 20 };
const PING_MS = 10_000;
/** So many pings without any sign of life end the connection. */
const MAX_MISSED = 2;
/** An agent that does not read its answers is cut off. */
const MAX_BUFFERED_BYTES = 64 * 1024;
/** How long an agent may take to answer a close. */
const CLOSE_WAIT_MS = 1000;

export class AgentSession {
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  readonly #handlers: SessionHandlers;
  readonly #rate: RateBound;
  #missed = 0;
  #timer: Timer | null = null;
  #closing = false;

  constructor(socket: WebSocket, clock: Clock, handlers: SessionHandlers) {
    this.#socket = socket;
    this.#clock = clock;
    this.#handlers = handlers;
    this.#rate = new RateBound(RATE, clock.nowMs());
  }

  /** Attaches to the socket at once: a message that comes before its listener is lost. */
  start(): void {
    this.#socket.on('message', (data, isBinary) => this.#onMessage(data, isBinary));
    this.#socket.on('pong', () => (this.#missed = 0));
    this.#socket.on('close', () => {
      this.#timer?.cancel();
      this.#handlers.onClosed();
    });
    this.#schedulePing();
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
    this.#reply(this.#handlers.onMessage(data.toString('utf8')));
  }

  #reply({ sequence, refused }: Verdict): void {
    // Deciding on the message may have ended the connection.
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#socket.bufferedAmount > MAX_BUFFERED_BYTES) {
      this.#socket.terminate();
      return;
    }
    const reply: HubReply = { protocol: AGENT_PROTOCOL, sequence, accepted: refused === null, reason: refused ?? '' };
    this.#socket.send(JSON.stringify(reply));
  }

  #schedulePing(): void {
    this.#timer = this.#clock.after(PING_MS, () => this.#ping(), true);
  }

  #ping(): void {
    if (this.#missed >= MAX_MISSED) {
      this.#socket.terminate();
      return;
    }
    this.#missed += 1;
    this.#socket.ping();
    this.#schedulePing();
  }
}
