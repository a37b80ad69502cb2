// The listening sockets of the host: one for each worker's place at every address, so that the kernel spreads connections evenly. The
// supervisor holds them and accepts nothing itself, so what waits in a backlog outlives the worker it waits for: decision 0010.
import net, { Socket } from 'node:net';
import type { Clock } from '../health/clock.ts';
import type { ListenMessage, SupervisorMessage } from './ipc-life-cycle.ts';
import { FIRST_SOCKET_DESCRIPTOR, type HandedAddress } from './ipc-succession.ts';

/** Says something to the worker in a place, if there is one, and gives it a socket along. */
export type TellWorker = (place: string, message: SupervisorMessage, socket?: Socket) => void;

interface Held {
  readonly number: number;
  readonly socket: Socket;
  /** Whose worker accepts from it while it does its work, or `UNCLAIMED`; null: everybody's. */
  place: string | null;
  /** Places whose workers accept from it now. */
  readonly acceptedBy: Set<string>;
}

interface Address {
  readonly name: string;
  readonly host: string;
  /** With port 0: the one that the first socket got. */
  readonly port: number;
  readonly held: Held[];
  /** Places whose workers have the address in their config, and accept. */
  readonly accepting: Set<string>;
}

/** Its place was given up: everybody's, until a worker without a socket of its own asks for one. */
const UNCLAIMED = '';

/** What a successor gets: the sockets in the order of their descriptors there, and what they are. */
export interface Bequest {
  readonly sockets: readonly Socket[];
  readonly addresses: readonly HandedAddress[];
}

/** Why this Node cannot hold sockets; null: it can. */
export function whyNoSockets(): string | null {
  if (typeof net.BoundSocket === 'function') return null;
  return `\`weir serve\` needs Node.js 26.4 or newer, which can hold a socket without accepting from it, and this is ${process.version}`;
}

/** All workers have closed what they were told to. */
const CLOSED_WITHIN_MS = 3000;

/** Without SO_REUSEPORT that spreads, all workers accept from one socket that they share. */
const KERNEL_SPREADS = ['linux', 'freebsd'].includes(process.platform);

export class ListeningSockets {
  readonly #tell: TellWorker;
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #spread: boolean;
  /** By host and port. */
  readonly #closedAtMs = new Map<string, number>();
  readonly #addresses = new Map<string, Address>();
  #numbers = 0;

  constructor(tell: TellWorker, clock: Pick<Clock, 'nowMs'>, spread = KERNEL_SPREADS) {
    this.#tell = tell;
    this.#clock = clock;
    this.#spread = spread;
  }

  /** The worker in this place has the address in its config: it gets the socket of its place, or why there is none. */
  listen(place: string, message: ListenMessage): void {
    try {
      const address = this.#addresses.get(message.address) ?? this.#open(message, place);
      if (!address.held.some((held) => held.place === null || held.place === place)) {
        const free = address.held.find((held) => held.place === UNCLAIMED);
        if (free !== undefined) free.place = place;
        else this.#hold(address, new net.BoundSocket({ host: address.host, port: address.port, reusePort: true }), place);
      }
      address.accepting.add(place);
      this.#settle(address);
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      this.#tell(place, { type: 'refuse', address: message.address, problem });
    }
  }

  /** The address left the config of the worker in this place. The last one takes the sockets with it. */
  unlisten(place: string, name: string): void {
    const address = this.#addresses.get(name);
    // A worker that leaves closes everything; that does not mean that the config has changed.
    if (address?.accepting.has(place) !== true) return;
    address.accepting.delete(place);
    if (address.accepting.size === 0) this.#close(address);
    else this.#settle(address);
  }

  /** The worker in this place accepts nothing more: it drains, or is gone. What waits for it is for the others until another one comes. */
  leave(place: string): void {
    for (const address of this.#addresses.values()) {
      address.accepting.delete(place);
      this.#settle(address);
    }
  }

  /** No other worker comes into this place: its sockets are for the next one that has none. */
  abandon(place: string): void {
    for (const { held } of this.#addresses.values()) for (const one of held) if (one.place === place) one.place = UNCLAIMED;
  }

  /** Another worker takes over from the one in `place`, which serves until that one listens; all accept for them in between. */
  bequeath(place: string, heir: string): void {
    for (const address of this.#addresses.values()) {
      for (const held of address.held) if (held.place === place) held.place = heir;
      this.#settle(address);
    }
  }

  /** All there are, for a successor. Nothing changes here. */
  handOver(): Bequest {
    const sockets: Socket[] = [];
    const addresses = [...this.#addresses.values()].map(({ name, host, port, held }) => ({
      name,
      host,
      port,
      descriptors: held.map(({ socket }) => FIRST_SOCKET_DESCRIPTOR + sockets.push(socket) - 1),
    }));
    return { sockets, addresses };
  }

  /** Takes up what the predecessor has handed over; it is everybody's until workers ask for sockets. */
  adopt(addresses: readonly HandedAddress[]): void {
    for (const { name, host, port, descriptors } of addresses) {
      const address: Address = { name, host, port, held: [], accepting: new Set() };
      for (const fd of descriptors) {
        // Not readable: Node would begin to read, which a listening socket answers with an error.
        const socket = new Socket({ fd, readable: false, writable: false });
        address.held.push({ number: ++this.#numbers, socket, place: this.#spread ? UNCLAIMED : null, acceptedBy: new Set() });
      }
      this.#addresses.set(name, address);
    }
  }

  /** Closes what no worker asked for: called when one has opened all of its config. */
  closeUnwanted(): void {
    for (const address of this.#addresses.values()) if (address.accepting.size === 0) this.#close(address);
  }

  close(): void {
    for (const address of this.#addresses.values()) this.#close(address);
  }

  /** The address with its first socket. */
  #open({ address: name, host, port }: ListenMessage, place: string): Address {
    // Alone at first: a socket that shares its port is let in beside one of another program of this user, which would get a part of the
    // connections, and nobody would be told that the port is taken.
    if (port !== 0 && !this.#mayBeHeld(host, port)) new net.BoundSocket({ host, port }).close();
    const bound = new net.BoundSocket({ host, port, reusePort: this.#spread });
    const address: Address = { name, host, port: bound.address().port, held: [], accepting: new Set() };
    this.#hold(address, bound, this.#spread ? place : null);
    this.#addresses.set(name, address);
    return address;
  }

  #hold(address: Address, bound: net.BoundSocket, place: string | null): void {
    // A `net.Socket` that is never read: the form in which Node gives a descriptor to a child and keeps it.
    address.held.push({ number: ++this.#numbers, socket: new Socket({ handle: bound }), place, acceptedBy: new Set() });
  }

  /** Tells workers what follows from who accepts now: each its own socket, and those whose worker is away, which all the others share. */
  #settle({ name, held, accepting }: Address): void {
    for (const { number, socket, place, acceptedBy } of held) {
      const wanted = place !== null && accepting.has(place) ? new Set([place]) : accepting;
      for (const worker of wanted) {
        if (!acceptedBy.has(worker)) this.#tell(worker, { type: 'accept', address: name, socket: number }, socket);
        acceptedBy.add(worker);
      }
      for (const worker of acceptedBy) {
        if (wanted.has(worker)) continue;
        this.#tell(worker, { type: 'cease', address: name, socket: number });
        acceptedBy.delete(worker);
      }
    }
  }

  /** The workers have the last copies then, and accept from them until nobody waits there. */
  #close({ name, host, port, held }: Address): void {
    this.#addresses.delete(name);
    this.#closedAtMs.set(`${host} ${port}`, this.#clock.nowMs());
    for (const { socket } of held) socket.destroy();
    for (const { number, acceptedBy } of held)
      for (const worker of acceptedBy) this.#tell(worker, { type: 'cease', address: name, socket: number });
  }

  /** Whether a worker may still have a copy of what was closed here. */
  #mayBeHeld(host: string, port: number): boolean {
    for (const [where, atMs] of this.#closedAtMs) if (this.#clock.nowMs() - atMs >= CLOSED_WITHIN_MS) this.#closedAtMs.delete(where);
    return this.#closedAtMs.has(`${host} ${port}`);
  }
}
