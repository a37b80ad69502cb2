// A client on a bare socket: says exactly these bytes and tells exactly what came back.
import { connect, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

const DEADLINE_MS = 10_000;

export class RawClient {
  readonly socket: Socket;
  #received = '';
  #ended = false;
  #wake: () => void = () => undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString('latin1');
      this.#wake();
    });
    const over = (): void => {
      this.#ended = true;
      this.#wake();
    };
    socket.on('end', over);
    socket.on('close', over);
    socket.on('error', over);
  }

  /** All that came so far. */
  get received(): string {
    return this.#received;
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** Waits until what came satisfies `enough`; fails with what came instead. */
  async until(enough: (received: string) => boolean, what: string): Promise<string> {
    await this.#wait(() => enough(this.#received), what);
    return this.#received;
  }

  /** Waits until `text` came. */
  async untilText(text: string): Promise<string> {
    return this.until((received) => received.includes(text), `"${text}"`);
  }

  /** Waits until the other side ended the connection; returns all that came. */
  async untilClosed(): Promise<string> {
    await this.#wait(() => this.#ended, 'the end of the connection');
    return this.#received;
  }

  get ended(): boolean {
    return this.#ended;
  }

  async #wait(done: () => boolean, what: string): Promise<void> {
    const timeout = AbortSignal.timeout(DEADLINE_MS);
    while (!done()) {
      if (timeout.aborted) throw new Error(`waited ${DEADLINE_MS} ms for ${what}; came: ${JSON.stringify(this.#received.slice(0, 2000))}`);
      const { promise, resolve } = Promise.withResolvers<undefined>();
      const handle = setTimeout(() => resolve(undefined), 100);
      this.#wake = () => resolve(undefined);
      await promise;
      clearTimeout(handle);
    }
  }
}

/** Connects to a port of this machine; the socket is destroyed with the test. */
export async function connectRaw(t: TestContext, port: number): Promise<RawClient> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  t.after(() => socket.destroy());
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  socket.once('connect', () => resolve(undefined));
  socket.once('error', reject);
  await promise;
  return new RawClient(socket);
}
