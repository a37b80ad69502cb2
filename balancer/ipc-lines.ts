// Bytes of the unix socket to lines, one message each.

/** A generation with ten thousand routes has a few MiB; beyond this the other side is broken. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;
const NEWLINE = 0x0a;

/** Bytes → lines. A line is put together once, when its end arrives. */
export class LineReader {
  #parts: Buffer[] = [];
  #bytes = 0;

  /** The lines that `chunk` completes. Throws when one grows beyond all measure. */
  push(chunk: Buffer): readonly string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.#parts.push(chunk.subarray(start, end));
      lines.push(Buffer.concat(this.#parts).toString('utf8'));
      this.#parts = [];
      this.#bytes = 0;
      start = end + 1;
    }
    if (start < chunk.length) {
      this.#parts.push(chunk.subarray(start));
      this.#bytes += chunk.length - start;
      if (this.#bytes > MAX_LINE_BYTES) throw new Error(`a message of more than ${MAX_LINE_BYTES} bytes`);
    }
    return lines;
  }
}
