// What accepts connections at an address: a server of its own here, or sockets that the supervisor hands out.
import { createServer, type Server, type Socket } from 'node:net';
import type { Bind } from '../config/config.ts';

export interface Acceptor {
  /** Resolves when connections are accepted. Rejects with the system's reason, e.g. EADDRINUSE, and the address. */
  open(): Promise<void>;
  /** Accepts nothing more; connections that are open go on. */
  close(): void;
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
    close: () => void server.close(),
  };
};
