// How fast new connections are begun. A thousand agents that come back at once cost a second or two of handshakes, and what they would hold
// up meanwhile are health probes: so each waits its turn, in the order of arrival, and a turn is so short that nothing else notices.
import type { Server, Socket } from 'node:net';
import type { Clock, Timer } from '../../../health/clock.ts';
import { RateBound } from './rate-bound.ts';

/** A handshake of TLS takes one to two milliseconds of the controller; of 200 in a second it keeps a third of a core. */
const RATE = { perSecond: 200, burst: 10 };
const TURN_MS = 20;
/** An agent that waited for so long has given up. */
const PATIENCE_MS = 20_000;

interface Waiting {
  readonly socket: Socket;
  readonly sinceMs: number;
}

export class Admission {
  readonly #clock: Clock;
  readonly #rate: RateBound;
  readonly #waiting: Waiting[] = [];
  #begin: (socket: Socket) => void = () => undefined;
  #timer: Timer | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#rate = new RateBound(RATE, clock.nowMs());
  }

  /** From now on connections of the server wait their turn; what would have begun them at once begins them then. */
  hold(server: Server): void {
    const begin = server.listeners('connection');
    server.removeAllListeners('connection');
    this.#begin = (socket) => {
      for (const listener of begin) Reflect.apply(listener, server, [socket]);
    };
    server.on('connection', (socket: Socket) => this.#arrive(socket));
  }

  close(): void {
    this.#timer?.cancel();
    for (const { socket } of this.#waiting.splice(0)) socket.destroy();
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  #arrive(socket: Socket): void {
    const nowMs = this.#clock.nowMs();
    if (this.#waiting.length === 0 && this.#rate.take(nowMs)) {
      this.#begin(socket);
      return;
    }
    // Nobody else listens yet, and an error without a listener ends the process.
    socket.on('error', ignore);
    this.#waiting.push({ socket, sinceMs: nowMs });
    this.#timer ??= this.#clock.after(TURN_MS, () => this.#turn(), true);
  }

  #turn(): void {
    this.#timer = null;
    const nowMs = this.#clock.nowMs();
    while (this.#waiting.length > 0) {
      const first = this.#waiting[0];
      if (first === undefined) break;
      const isGone = first.socket.destroyed || nowMs - first.sinceMs > PATIENCE_MS;
      if (!isGone && !this.#rate.take(nowMs)) break;
      this.#waiting.shift();
      first.socket.off('error', ignore);
      if (isGone) first.socket.destroy();
      else this.#begin(first.socket);
    }
    if (this.#waiting.length > 0) this.#timer = this.#clock.after(TURN_MS, () => this.#turn(), true);
  }
}

function ignore(): void {
  // The other end left while it waited.
}
