// Where the frames of a WebSocket end (RFC 6455 section 5.2), told from the bytes that pass: what is put in between must not fall into a frame.

const CLOSE = 0x8;
const GOING_AWAY = 1001;
const MASKED = 0x80;

/** One direction of a connection. Looks at the heads of frames only, and at no byte of what they carry. */
export class FramePosition {
  /** A Close frame has begun to pass: nothing may follow it in this direction. */
  sawClose = false;
  /** Bytes of the head that have come, and how long it is as far as is known. */
  #head = 0;
  #headLength = 2;
  #payload = 0;
  /** Bytes of the length beyond the first seven bits, and what they come to so far. */
  #extended = 0;
  #length = 0;

  /** No frame is under way. */
  get betweenFrames(): boolean {
    return this.#head === 0 && this.#payload === 0;
  }

  /** Goes through `bytes`, or only up to the first end of a frame. How many were gone through. */
  pass(bytes: Buffer, toEndOfFrame: boolean): number {
    let at = 0;
    while (at < bytes.length) {
      if (this.#payload > 0) {
        const step = Math.min(this.#payload, bytes.length - at);
        this.#payload -= step;
        at += step;
      } else {
        this.#takeHead(bytes[at] ?? 0);
        at += 1;
      }
      if (toEndOfFrame && this.betweenFrames) break;
    }
    return at;
  }

  #takeHead(byte: number): void {
    const place = this.#head;
    this.#head += 1;
    if (place === 0) {
      this.#headLength = 2;
      if ((byte & 0xf) === CLOSE) this.sawClose = true;
    } else if (place === 1) {
      const length = byte & 0x7f;
      this.#extended = length === 126 ? 2 : length === 127 ? 8 : 0;
      this.#length = this.#extended === 0 ? length : 0;
      this.#headLength = 2 + this.#extended + ((byte & MASKED) === 0 ? 0 : 4);
    } else if (place < 2 + this.#extended) {
      this.#length = this.#length * 256 + byte;
    }
    if (this.#head < this.#headLength) return;
    this.#head = 0;
    this.#payload = this.#length;
  }
}

/** A Close frame that says "going away" (section 7.4.1). `mask`: 32 bits for a frame to a server; null: to a client. */
export function goingAwayFrame(mask: number | null): Buffer {
  if (mask === null) return Buffer.from([0x88, 2, GOING_AWAY >> 8, GOING_AWAY & 0xff]);
  const frame = Buffer.from([0x88, MASKED | 2, 0, 0, 0, 0, GOING_AWAY >> 8, GOING_AWAY & 0xff]);
  frame.writeUInt32BE(mask >>> 0, 2);
  for (const at of [6, 7]) frame[at] = (frame[at] ?? 0) ^ (frame[at - 4] ?? 0);
  return frame;
}
