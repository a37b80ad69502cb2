// Bytes as text, one character a byte: what heads and frames are made of. The direct method skips the name of the encoding.

declare global {
  interface Buffer {
    /** Node's own; not in its type declarations. */
    latin1Slice(start?: number, end?: number): string;
  }
}

/** The bytes from `from` to `to` as text. */
export function latin1(bytes: Buffer, from: number, to: number): string {
  return bytes.latin1Slice(from, to);
}
