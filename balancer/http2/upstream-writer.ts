// Outgoing frames of a connection: gathered as text over a turn of the event loop, written in one system call.
import type { Socket } from 'node:net';
import { latin1 } from '../socket/latin1.ts';
import { TextWriter } from '../socket/text-writer.ts';
import { turnEnd, type Gatherer } from '../socket/turn-end.ts';
import { dataHead, headersFrames } from './frame.ts';

/** Payloads up to this size are copied into the text that is written at once; larger ones are written as they are. */
const GATHER_BYTES = 8192;

export class UpstreamWriter implements Gatherer {
  /** Largest payload the peer takes. */
  maxFrameSize = 16_384;
  readonly #socket: Socket;
  readonly #writer: TextWriter;
  #text = '';
  #corked = false;
  #scheduled = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#writer = new TextWriter(socket);
  }

  /** The socket takes bytes slower than they come; it says `drain` when it has taken them. */
  get congested(): boolean {
    return this.#socket.writableNeedDrain;
  }

  /** Adds whole frames. They leave after what is read in this turn was worked on. */
  write(frames: string): void {
    this.#text += frames;
    if (this.#scheduled) return;
    this.#scheduled = true;
    turnEnd.add(this);
  }

  /** HEADERS, with as many CONTINUATION as it takes. */
  writeBlock(streamId: number, block: string, endStream: boolean): void {
    this.write(headersFrames(block, streamId, endStream, this.maxFrameSize));
  }

  /** One DATA frame; `payload` is at most maxFrameSize. */
  writeData(streamId: number, payload: Buffer, endStream: boolean): void {
    const head = dataHead(payload.length, streamId, endStream);
    if (payload.length <= GATHER_BYTES) return this.write(head + latin1(payload, 0, payload.length));
    this.write(head);
    if (!this.#corked) this.#socket.cork();
    this.#corked = true;
    this.#writeText();
    // It leaves when the turn is over; then the next read may have overwritten what it was read to.
    if (this.#socket.writable) this.#socket.write(Buffer.from(payload));
  }

  onTurnEnd(): void {
    this.flush();
  }

  /** Everything that was gathered, now. */
  flush(): void {
    this.#scheduled = false;
    this.#writeText();
    if (!this.#corked) return;
    this.#corked = false;
    this.#socket.uncork();
  }

  #writeText(): void {
    const text = this.#text;
    this.#text = '';
    if (text === '' || !this.#socket.writable) return;
    if (this.#corked) this.#socket.write(text, 'latin1');
    else this.#writer.writeNow(text);
  }
}
