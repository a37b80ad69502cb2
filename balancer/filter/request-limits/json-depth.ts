// How deep a JSON text is nested, byte by byte: it needs no memory for the text, and says nothing of whether it is JSON otherwise.

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_MAPPING = 0x7b;
const CLOSE_MAPPING = 0x7d;

export class JsonDepth {
  #depth = 0;
  #deepest = 0;
  #inText = false;
  /** The character before was a backslash, within a text. */
  #escaped = false;

  /** The deepest nesting so far. UTF-8, in which no byte of another character looks like one of these. */
  push(bytes: Buffer): number {
    for (const byte of bytes) {
      if (this.#inText) this.#within(byte);
      else if (byte === QUOTE) this.#inText = true;
      else if (byte === OPEN_LIST || byte === OPEN_MAPPING) {
        this.#depth += 1;
        if (this.#depth > this.#deepest) this.#deepest = this.#depth;
      } else if (byte === CLOSE_LIST || byte === CLOSE_MAPPING) this.#depth -= 1;
    }
    return this.#deepest;
  }

  #within(byte: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (byte === BACKSLASH) this.#escaped = true;
    else if (byte === QUOTE) this.#inText = false;
  }
}
