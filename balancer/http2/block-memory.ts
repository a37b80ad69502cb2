// Header blocks that were read before on this connection, and what was made of them: peers send the same ones again and again.

/** Longer blocks are not kept, and no more than this many: a connection should cost little. */
const MAX_TEXT = 2048;
const MAX_BLOCKS = 16;

/**
 * What was made of a block holds for as long as the table of the decoder has not changed. It belongs to one connection and goes with
 * it, since blocks carry credentials.
 */
export class BlockMemory<Meaning> {
  readonly #blocks = new Map<string, Meaning>();
  #version = -1;

  get(block: string, version: number): Meaning | undefined {
    return version === this.#version ? this.#blocks.get(block) : undefined;
  }

  /** `version`: of the decoder's table, before and after it read the block; nothing is kept unless both were this. */
  set(block: string, version: number, meaning: Meaning): void {
    if (block.length > MAX_TEXT) return;
    if (version !== this.#version || this.#blocks.size >= MAX_BLOCKS) this.#blocks.clear();
    this.#version = version;
    this.#blocks.set(block, meaning);
  }
}
