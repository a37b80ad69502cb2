// The sending side of a connection: frames gathered for one write a turn, bodies interleaved by turns within the windows.
import type { Socket } from 'node:net';
import { latin1 } from '../socket/latin1.ts';
import { dataHead, DEFAULT_MAX_FRAME, DEFAULT_WINDOW } from './frame.ts';
import { TextWriter } from '../socket/text-writer.ts';
import { turnEnd, type Gatherer } from '../socket/turn-end.ts';

/** A stream with a body that could not be sent at once. */
export interface QueuedStream {
  readonly id: number;
  sendWindow: number;
  readonly queuedBytes: number;
  /** The last piece of the queue is the last frame of the stream. */
  readonly endsWithQueue: boolean;
  /** In line for its next piece; the writer's own. */
  inLine: boolean;
  /** Takes up to `most` bytes off the queue, as many as lie together. */
  takePiece(most: number): Buffer;
  /** The last piece was taken. */
  onQueueEmpty(): void;
}

export interface WriterOwner {
  /** Streams that wait until all is written: onWritten is called in any case. */
  readonly blocked: number;
  /** The socket did not take all at once. */
  onStalled(): void;
  /** Bytes that waited have left; possibly not all. */
  onWritten(): void;
}

/** Pieces up to this size are copied into the text of the turn. */
export const GATHER_BYTES = 8192;
/** What may wait in front of the system; more stays in the queues of the streams, where turns are fair. */
const BACKLOG_BYTES = 262_144;
/** While bodies wait for so small a window of the connection, no later one goes before them. */
const SCARCE_WINDOW = 65_536;

export class FairWriter implements Gatherer {
  /** What the peer lets us send on all streams together. */
  window = DEFAULT_WINDOW;
  readonly #socket: Socket;
  readonly #writer: TextWriter;
  readonly #owner: WriterOwner;
  #text = '';
  /** What goes before `#text`, when large pieces are among it. */
  #parts: (string | Buffer)[] = [];
  #partBytes = 0;
  #waitsForTurnEnd = false;
  #line: QueuedStream[] = [];
  /** Writes that tell when they have left, and those of them that have. */
  #issued = 0;
  #left = 0;
  readonly #onWritten = (): void => {
    this.#left += 1;
    this.#owner.onWritten();
  };

  constructor(socket: Socket, owner: WriterOwner) {
    this.#socket = socket;
    this.#writer = new TextWriter(socket);
    this.#owner = owner;
  }

  /** Bytes that the system has not taken yet. */
  get backlog(): number {
    return this.#socket.writableLength + this.#partBytes + this.#text.length;
  }

  /** All that was handed over has left, so that its memory is free. */
  get allWritten(): boolean {
    return this.#partBytes === 0 && this.#socket.writableLength === 0;
  }

  /** A mark behind all that was handed over so far; somebody has to be blocked for it. */
  get mark(): number {
    return this.#issued + (this.#text === '' && this.#parts.length === 0 ? 0 : 1);
  }

  /** What was handed over before `mark` has left, so that its memory is free. */
  hasLeft(mark: number): boolean {
    return this.#left >= mark || this.allWritten;
  }

  get congested(): boolean {
    return this.#socket.writableNeedDrain || this.backlog > BACKLOG_BYTES;
  }

  /** Gathers whole frames. */
  write(frames: string): void {
    this.#text += frames;
    if (this.#waitsForTurnEnd) return;
    this.#waitsForTurnEnd = true;
    turnEnd.add(this);
  }

  /** Whether a frame of `bytes` may be gathered at once; if so they are taken from the windows. */
  take(stream: QueuedStream, bytes: number): boolean {
    if (stream.queuedBytes > 0 || bytes > stream.sendWindow || bytes > this.window) return false;
    if (this.congested || (this.#line.length > 0 && this.window < SCARCE_WINDOW)) return false;
    stream.sendWindow -= bytes;
    this.window -= bytes;
    return true;
  }

  /** Puts a stream with a queue and a window in line. */
  enqueue(stream: QueuedStream): void {
    if (stream.inLine || stream.queuedBytes === 0 || stream.sendWindow <= 0) return;
    stream.inLine = true;
    this.#line.push(stream);
  }

  /** Gathers a frame of each stream in line, by turns, as far as windows and socket let it. */
  pump(): void {
    while (this.#line.length > 0 && this.window > 0 && this.backlog < BACKLOG_BYTES) {
      const stream = this.#line.shift();
      if (stream === undefined) return;
      stream.inLine = false;
      const most = Math.min(DEFAULT_MAX_FRAME, this.window, stream.sendWindow);
      // It was reset, or its window was taken back, while it stood in line.
      if (most <= 0 || stream.queuedBytes === 0) continue;
      const piece = stream.takePiece(most);
      stream.sendWindow -= piece.length;
      this.window -= piece.length;
      const empty = stream.queuedBytes === 0;
      this.#writePiece(dataHead(piece.length, stream.id, empty && stream.endsWithQueue), piece);
      if (empty) stream.onQueueEmpty();
      else this.enqueue(stream);
    }
  }

  onTurnEnd(): void {
    this.flush();
  }

  /** Everything that was gathered, now. */
  flush(): void {
    this.#waitsForTurnEnd = false;
    const socket = this.#socket;
    const text = this.#text;
    const parts = this.#parts;
    this.#text = '';
    if (parts.length > 0) {
      this.#parts = [];
      this.#partBytes = 0;
    }
    if (!socket.writable || (text === '' && parts.length === 0)) return;
    if (parts.length > 0) {
      socket.cork();
      for (const part of parts)
        if (typeof part === 'string') socket.write(part, 'latin1');
        else socket.write(part);
      this.#issued += 1;
      socket.write(text, 'latin1', this.#onWritten);
      socket.uncork();
      if (socket.writableLength > 0) this.#owner.onStalled();
      return;
    }
    // Behind bytes that wait this may be the last to leave, and then nothing else would tell that all is written.
    const silent = socket.writableLength === 0 && this.#owner.blocked === 0;
    if (!silent) this.#issued += 1;
    const flowing = silent ? this.#writer.writeNow(text) : socket.write(text, 'latin1', this.#onWritten);
    if (!flowing) this.#owner.onStalled();
  }

  #writePiece(head: string, piece: Buffer): void {
    if (piece.length <= GATHER_BYTES) return this.write(head + latin1(piece, 0, piece.length));
    this.write(head);
    this.#parts.push(this.#text, piece);
    this.#partBytes += this.#text.length + piece.length;
    this.#text = '';
  }
}
