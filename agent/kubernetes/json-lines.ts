// Chunks of bytes → JSON documents, one a line.

/** The API server takes no object above 1.5 MiB (etcd's bound); one in an event is not much larger. */
const MOST_BYTES = 8 * 1024 * 1024;
const NEWLINE = 0x0a;

export class JsonLines {
  #pieces: Buffer[] = [];
  #bytes = 0;

  /** The documents that are complete. Throws on a line that is no JSON or too long. */
  *push(chunk: Buffer): Generator {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      const line = this.#complete(chunk.subarray(from, end));
      from = end + 1;
      if (line.trim() !== '') yield JSON.parse(line);
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from));
  }

  /** Whether the last line is not complete. */
  get isHalf(): boolean {
    return this.#bytes > 0;
  }

  #complete(rest: Buffer): string {
    if (this.#bytes === 0) return rest.toString('utf8');
    const whole = Buffer.concat([...this.#pieces, rest]).toString('utf8');
    this.#pieces = [];
    this.#bytes = 0;
    return whole;
  }

  #keep(piece: Buffer): void {
    this.#bytes += piece.length;
    if (this.#bytes > MOST_BYTES) throw new Error(`a line of more than ${MOST_BYTES} bytes`);
    this.#pieces.push(piece);
  }
}
