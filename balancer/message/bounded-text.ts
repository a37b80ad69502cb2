// A body as text, as long as it is no longer than it may be.

/** UTF-8; null: there is more of it than `mostBytes`. Reads no further then. */
export async function boundedText(body: AsyncIterable<Uint8Array>, mostBytes: number): Promise<string | null> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body) {
    bytes += part.length;
    if (bytes > mostBytes) return null;
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}
