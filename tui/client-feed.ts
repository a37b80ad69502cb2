// The feed of the admin API as a WebSocket: messages as they come, until it ends. Beside client.ts the only importer of undici in the terminal.
import { createRequire } from 'node:module';
import type * as Undici from 'undici';
import { CommandFailure, EXIT } from './exit.ts';

/** Loaded when it is needed, as undici is most of the start of a command. */
const loadUndici = (): typeof Undici => createRequire(import.meta.url)('undici') as typeof Undici;

const CONNECT_TIMEOUT_MS = 3000;

export interface FeedAddress {
  /** `http://localhost` for a socket. */
  readonly origin: string;
  readonly socketPath: string | null;
  readonly ca: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** The connection was refused or is not to be had: what is wrong tells a request to the same place. */
export class FeedUnopened extends Error {}

/** Each message as text; ends without an error when `signal` aborts or the other end closes. Throws FeedUnopened when it never began. */
export async function* openFeedSocket(address: FeedAddress, path: string, signal: AbortSignal): AsyncGenerator<string> {
  const { Agent, WebSocket } = loadUndici();
  const dispatcher = new Agent({
    connect: {
      timeout: CONNECT_TIMEOUT_MS,
      ...(address.socketPath === null ? {} : { socketPath: address.socketPath }),
      ...(address.ca === null ? {} : { ca: address.ca }),
    },
  });
  const socket = new WebSocket(`${address.origin.replace(/^http/, 'ws')}${path}`, { dispatcher, headers: { ...address.headers } });
  const inbox = new Inbox();
  let opened = false;
  socket.addEventListener('open', () => (opened = true));
  socket.addEventListener('message', ({ data }) => {
    if (typeof data === 'string') inbox.push(data);
  });
  socket.addEventListener('close', () => inbox.end(opened ? null : new FeedUnopened('the feed was not opened')));
  socket.addEventListener('error', () => inbox.end(opened ? broken() : new FeedUnopened('the feed was not opened')));
  const leave = (): void => inbox.end(null);
  signal.addEventListener('abort', leave, { once: true });
  if (signal.aborted) leave();
  try {
    for (;;) {
      const message = await inbox.next();
      if (message === null) return;
      yield message;
    }
  } finally {
    signal.removeEventListener('abort', leave);
    if (socket.readyState !== socket.CLOSED) socket.close();
    void dispatcher.destroy();
  }
}

function broken(): CommandFailure {
  return new CommandFailure(EXIT.unreachable, 'the connection was broken');
}

/** Messages between who brings and who takes them; one end. */
class Inbox {
  readonly #messages: string[] = [];
  #ended: { readonly error: Error | null } | null = null;
  #wake: () => void = () => undefined;

  push(message: string): void {
    this.#messages.push(message);
    this.#wake();
  }

  end(error: Error | null): void {
    this.#ended ??= { error };
    this.#wake();
  }

  /** Null: it has ended. */
  async next(): Promise<string | null> {
    for (;;) {
      const message = this.#messages.shift();
      if (message !== undefined) return message;
      if (this.#ended !== null) {
        if (this.#ended.error !== null) throw this.#ended.error;
        return null;
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}
