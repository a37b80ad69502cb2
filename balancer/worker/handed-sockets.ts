// The listening sockets that the supervisor hands to this worker: its own at every address, and for a time those of workers that are away.
import { lookup } from 'node:dns/promises';
import { Socket, type Server } from 'node:net';
import type { ChildMessage, SupervisorMessage } from '../ipc-life-cycle.ts';
import type { Bind } from '../config/config.ts';
import { BACKLOG, closeWhenQuiet, createAcceptingServer, type Acceptor, type AcceptorHooks } from '../listener/acceptor.ts';

type Say = (message: ChildMessage) => void;

export class HandedSockets {
  readonly #say: Say;
  readonly #ceases: boolean;
  readonly #acceptors = new Map<string, HandedAcceptor>();
  /** Asked to close: they accept until the supervisor says that it has closed its copies, or that others accept. */
  readonly #closing = new Set<HandedAcceptor>();

  /** `ceases`: the supervisor says when nothing more is to be accepted; one of an earlier release does not. */
  constructor(say: Say, ceases: boolean) {
    this.#say = say;
    this.#ceases = ceases;
  }

  /** An acceptor that asks the supervisor for what it accepts from. */
  createAcceptor(listener: string, bind: Bind, hooks: AcceptorHooks): Acceptor {
    const address = `${bind.host}:${bind.port}${bind.port === 0 ? ` of ${listener}` : ''}`;
    const acceptor = new HandedAcceptor(hooks);
    const close = async (): Promise<void> => {
      if (this.#acceptors.get(address) === acceptor) {
        this.#acceptors.delete(address);
        this.#closing.add(acceptor);
        this.#say({ type: 'unlisten', address });
      }
      if (!this.#ceases) acceptor.ceaseAll();
      await acceptor.closed();
      this.#closing.delete(acceptor);
    };
    const open = async (): Promise<void> => {
      if (this.#acceptors.has(address)) throw new Error(`listen EADDRINUSE ${address}: another listener has it`);
      this.#acceptors.set(address, acceptor);
      try {
        const { address: host } = await lookup(bind.host);
        this.#say({ type: 'listen', address, host, port: bind.port });
        await acceptor.opened;
      } catch (error) {
        await close();
        throw error;
      }
    };
    return { open, close };
  }

  /** Does what the supervisor says about sockets; `handle` came with the message. */
  receive(message: SupervisorMessage, handle: unknown): void {
    if (message.type !== 'accept' && message.type !== 'cease' && message.type !== 'refuse') return;
    const acceptor = this.#acceptors.get(message.address);
    if (message.type === 'cease') for (const one of [...this.#acceptors.values(), ...this.#closing]) one.cease(message.socket);
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
  readonly #ceasing = new Set<Promise<void>>();
  /** Settles when it has ceased with all of them; null: nobody waits for that. */
  #closed: PromiseWithResolvers<undefined> | null = null;

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

  /** Accepts what waits, and then nothing more; of a socket that is not its own it knows nothing. */
  cease(number: number): void {
    const server = this.#servers.get(number);
    if (server === undefined) return;
    this.#servers.delete(number);
    const closed = closeWhenQuiet(server).then(() => {
      this.#ceasing.delete(closed);
      if (this.#isClosed) this.#closed?.resolve(undefined);
    });
    this.#ceasing.add(closed);
  }

  get #isClosed(): boolean {
    return this.#servers.size + this.#ceasing.size === 0;
  }

  ceaseAll(): void {
    for (const number of this.#servers.keys()) this.cease(number);
  }

  /** Resolves when it has ceased to accept from all of its sockets. */
  async closed(): Promise<void> {
    if (this.#isClosed) return;
    this.#closed ??= Promise.withResolvers();
    await this.#closed.promise;
  }
}
