// GETs over TLS at a fixed rate, whether answers are there or not: most over kept connections, some over one of their own, as browsers come and go.
// By hand, since on a machine with two cores a client that costs as much as the appliance would be the bottleneck.
import { createSecureContext, connect, type TLSSocket } from 'node:tls';
import { readAnswerHead } from '../../bench/load.ts';

const KEPT = 64;
/** One of so many requests comes over a connection of its own. */
const OWN_CONNECTION_OF = 20;
const TICK_MS = 5;
/** Made once: with its own for each connection, reading the authorities of the system would be most of the work. */
const secureContext = createSecureContext();

const requestText = (last: boolean): string => `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n${last ? 'Connection: close\r\n' : ''}\r\n`;
const [KEEPING, LAST] = [requestText(false), requestText(true)];

export class SteadyLoad {
  answered = 0;
  sent = 0;
  readonly failures: string[] = [];
  readonly #port: number;
  readonly #idle: TLSSocket[] = [];
  #open = 0;
  /** Requests that wait for a kept connection. */
  #waiting = 0;
  #running = 0;
  #stopped = false;
  readonly #drained = Promise.withResolvers<undefined>();
  readonly #perSecond: number;
  readonly #startedMs = performance.now();
  readonly #timer: NodeJS.Timeout;

  constructor(port: number, perSecond: number) {
    this.#port = port;
    this.#perSecond = perSecond;
    this.#timer = setInterval(() => {
      for (const due = this.due; this.sent < due; this.sent += 1) this.#ask(this.sent % OWN_CONNECTION_OF === 0);
    }, TICK_MS);
  }

  /** How many should have been sent by now. */
  get due(): number {
    return Math.floor(((performance.now() - this.#startedMs) * this.#perSecond) / 1000);
  }

  /** Resolves when everything that was sent has its answer, or has failed. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopped = true;
    if (this.#running > 0) await this.#drained.promise;
    for (const socket of this.#idle) socket.destroy();
  }

  #ask(alone: boolean): void {
    this.#running += 1;
    if (alone) {
      this.#connect(
        (socket) => this.#send(socket, LAST),
        (problem) => this.#end(problem),
      );
      return;
    }
    const socket = this.#idle.pop();
    if (socket !== undefined) this.#send(socket, KEEPING);
    else {
      this.#waiting += 1;
      if (this.#open < KEPT) this.#openKept();
    }
  }

  #openKept(): void {
    this.#open += 1;
    const socket = this.#connect(
      () => this.#next(socket),
      (problem) => {
        // One of those that wait goes with it, as there may be no other.
        this.#waiting -= 1;
        this.#end(problem);
      },
    ).once('close', () => {
      this.#open -= 1;
      const place = this.#idle.indexOf(socket);
      if (place >= 0) this.#idle.splice(place, 1);
      if (this.#waiting > 0 && this.#open < KEPT) this.#openKept();
    });
  }

  #next(socket: TLSSocket): void {
    if (this.#waiting === 0) this.#idle.push(socket);
    else {
      this.#waiting -= 1;
      this.#send(socket, KEEPING);
    }
  }

  #connect(onOpen: (socket: TLSSocket) => void, onFailure: (problem: string) => void): TLSSocket {
    const socket = connect({ host: '127.0.0.1', port: this.#port, secureContext, rejectUnauthorized: false });
    const failed = (error: Error): void => onFailure(`no connection: ${error.message}`);
    return socket.once('error', failed).once('secureConnect', () => {
      socket
        .setNoDelay(true)
        .off('error', failed)
        .on('error', () => socket.destroy());
      onOpen(socket);
    });
  }

  #send(socket: TLSSocket, text: string): void {
    let received = '';
    const over = (failure: string | null, reusable: boolean): void => {
      socket.off('data', onData).off('close', onClose);
      this.#end(failure);
      if (reusable && !this.#stopped) this.#next(socket);
      else socket.destroy();
    };
    const onData = (chunk: Buffer): void => {
      received += chunk.toString('latin1');
      const head = readAnswerHead(received);
      if (head === null || received.length < head.totalBytes) return;
      const closes = text === LAST || /\r\nconnection: *close/i.test(received.slice(0, received.indexOf('\r\n\r\n')));
      over(head.ok ? null : received, !closes);
    };
    const onClose = (): void => over(`closed without an answer after ${received.length} bytes`, false);
    socket.on('data', onData).on('close', onClose);
    socket.write(text);
  }

  /** Null: it was answered with 200. */
  #end(failure: string | null): void {
    if (failure === null) this.answered += 1;
    else this.failures.push(failure);
    this.#running -= 1;
    if (this.#stopped && this.#running === 0) this.#drained.resolve(undefined);
  }
}
