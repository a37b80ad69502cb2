// The listening sockets that the supervisor hands to this worker: its own at every address, and for a time those of workers that are away.
import { lookup } from 'node:dns/promises';
import { Socket, type Server } from 'node:net';
import type { ChildMessage, SupervisorMessage } from '../ipc-life-cycle.ts';
import type { Bind } from '../config/config.ts';
import { BACKLOG, createAcceptingServer, type Acceptor, type AcceptorHooks } from '../listener/acceptor.ts';

type Say = (message: ChildMessage) => void;

export class HandedSockets {
  readonly #say: Say;
  readonly #acceptors = new Map<string, HandedAcceptor>();

  constructor(say: Say) {
    this.#say = say;
  }

  /** An acceptor that asks the supervisor for what it accepts from. */
  createAcceptor(listener: string, bind: Bind, hooks: AcceptorHooks): Acceptor {
    const address = `${bind.host}:${bind.port}${bind.port === 0 ? ` of ${listener}` : ''}`;
    const acceptor = new HandedAcceptor(hooks);
    const close = (): void => {
      if (this.#acceptors.get(address) !== acceptor) return;
      this.#acceptors.delete(address);
      acceptor.close();
      this.#say({ type: 'unlisten', address });
    };
    const open = async (): Promise<void> => {
      if (this.#acceptors.has(address)) throw new Error(`listen EADDRINUSE ${address}: another listener has it`);
      this.#acceptors.set(address, acceptor);
      try {
        const { address: host } = await lookup(bind.host);
        this.#say({ type: 'listen', address, host, port: bind.port });
        await acceptor.opened;
      } catch (error) {
        close();
        throw error;
      }
    };
    return { open, close };
  }

  /** Does what the supervisor says about sockets; `handle` came with the message. */
  receive(message: SupervisorMessage, handle: unknown): void {
    if (message.type !== 'accept' && message.type !== 'cease' && message.type !== 'refuse') return;
    const acceptor = this.#acceptors.get(message.address);
    if (message.type === 'cease') acceptor?.cease(message.socket);
    else if (message.type === 'refuse') acceptor?.fail(new Error(`listen ${message.address}: ${message.problem}`));
    else if (handle instanceof Socket) {
      // Closed in the meantime: what waits in the socket is for whoever else has it.
      if (acceptor === undefined) handle.destroy();
      else acceptor.accept(message.socket, handle);
    }
  }
}

class HandedAcceptor {
  /** Settles with the first socket. */
  readonly opened: Promise<undefined>;
  readonly fail: (error: Error) => void;
  readonly #open: (value: undefined) => void;
  readonly #hooks: AcceptorHooks;
  readonly #servers = new Map<number, Server>();

  constructor(hooks: AcceptorHooks) {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    this.opened = promise;
    this.#open = resolve;
    this.fail = reject;
    this.#hooks = hooks;
  }

  /** Has to be called in the turn in which the socket came: Node would start to read from it. */
  accept(number: number, socket: Socket): void {
    const server = createAcceptingServer(this.#hooks);
    this.#servers.set(number, server);
    server.on('error', (error) => {
      this.fail(error);
      this.#hooks.onError(error);
    });
    server.listen(socket, BACKLOG, () => this.#open(undefined));
  }

  cease(number: number): void {
    this.#servers.get(number)?.close();
    this.#servers.delete(number);
  }

  close(): void {
    for (const server of this.#servers.values()) server.close();
    this.#servers.clear();
  }
}
