// What was read from a client and not used yet, where it lies; a copy only of what has to outlast the read.
import type { ClientSocket } from '../socket/client-socket.ts';

const EMPTY = Buffer.alloc(0);

export class UnreadBytes {
  bytes: Buffer = EMPTY;
  /** Of what is left in `bytes`. */
  at = 0;
  end = 0;
  readonly #link: ClientSocket;

  constructor(link: ClientSocket) {
    this.#link = link;
  }

  get empty(): boolean {
    return this.at === this.end;
  }

  /** What was read now, behind what was left. */
  add(bytes: Buffer, length: number): void {
    if (this.empty) return this.hold(bytes, 0, length);
    const both = Buffer.concat([this.bytes.subarray(this.at, this.end), bytes.subarray(0, length)]);
    this.hold(both, 0, both.length);
  }

  hold(bytes: Buffer, at: number, end: number): void {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
  }

  /** The memory of this read is the next one's; what is left in it is copied. */
  keep(read: Buffer): void {
    if (this.empty) this.drop();
    else if (this.bytes === read) this.hold(this.rest(), 0, this.end - this.at);
  }

  /** All that is left, to be kept. */
  rest(): Buffer {
    return this.empty ? EMPTY : this.#link.owned(this.bytes, this.at, this.end);
  }

  drop(): void {
    this.hold(EMPTY, 0, 0);
  }
}
