// What accepts connections at an address: a server of its own here, or sockets that the supervisor hands out.
import { createServer, type Server, type Socket } from 'node:net';
import type { Bind } from '../config/config.ts';

export interface Acceptor {
  /** Resolves when connections are accepted. Rejects with the system's reason, e.g. EADDRINUSE, and the address. */
  open(): Promise<void>;
  /** Accepts what waits, and nothing more; connections that are open go on. Resolves when the address is closed here. */
  close(): Promise<void>;
}

export interface AcceptorHooks {
  onConnection(socket: Socket): void;
  /** A connection could not be accepted (no file descriptor left); it is lost, the others are not. */
  onError(error: Error): void;
}

/** `listener`: who accepts; with port 0 each listener has a port of its own. */
export type CreateAcceptor = (listener: string, bind: Bind, hooks: AcceptorHooks) => Acceptor;

/** Connections that wait to be accepted; the system may cap it (net.core.somaxconn). */
export const BACKLOG = 4096;

/** A server whose connections come with the options that every listener wants. */
export function createAcceptingServer(hooks: AcceptorHooks): Server {
  return createServer({ allowHalfOpen: true, noDelay: true }, (socket) => hooks.onConnection(socket));
}

/** Between the looks others get the processor, so that they hardly take it away between a look and the closing. */
const LOOK_MS = 1;
/** A turn of the event loop is so short that hardly anybody can have come after it has looked who waits. */
const SHORT_TURN_MS = 0.1;
/** On a host so busy that none is so short, after this a turn that has brought nobody is enough. */
const SHORT_WITHIN_MS = 100;
/** Somebody comes in each turn: the port closes all the same. */
const QUIET_WITHIN_MS = 2000;

/**
 * Closes when a short turn has brought no connection. The kernel resets whoever waits in a listening socket when the last copy of it closes, and does
 * not tell how many do.
 */
export function closeWhenQuiet(server: Server, nowMs = () => performance.now()): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const startedMs = nowMs();
  let quiet = true;
  server.on('connection', () => {
    quiet = false;
  });
  const look = (): void => {
    quiet = true;
    const sinceMs = nowMs();
    // What has come is accepted before an immediate runs.
    setImmediate(() => {
      const now = nowMs();
      const isEnough = now - startedMs < SHORT_WITHIN_MS ? quiet && now - sinceMs < SHORT_TURN_MS : quiet;
      if (!isEnough && now - startedMs < QUIET_WITHIN_MS) return void setTimeout(look, LOOK_MS);
      server.close();
      resolve(undefined);
    });
  };
  setTimeout(look, LOOK_MS);
  return promise;
}

/** A process on its own: it opens the address itself. */
export const acceptAlone: CreateAcceptor = (_listener, bind, hooks) => {
  const server = createAcceptingServer(hooks);
  return {
    open: async () => {
      const { promise, resolve, reject } = Promise.withResolvers<undefined>();
      server.once('error', reject);
      server.listen({ ...bind, backlog: BACKLOG }, () => {
        server.off('error', reject).on('error', (error) => hooks.onError(error));
        resolve(undefined);
      });
      await promise;
    },
    close: () => closeWhenQuiet(server),
  };
};
