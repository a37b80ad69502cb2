// The generation that workers are to serve, and what of it each link has had already: the next one goes as what differs.
import type { Config } from '../config/config.ts';
import { encodeGeneration, encodeNextGeneration } from '../ipc-generation.ts';

interface Numbered {
  readonly number: number;
  readonly config: Config;
}

export class SentGenerations {
  #current: Numbered | null = null;
  #before: Numbered | null = null;
  #next: readonly string[] | null = null;
  /** By link: the number of the generation that went over it last. */
  readonly #sent = new WeakMap<object, number>();

  replace(number: number, config: Config): void {
    this.#before = this.#current;
    this.#current = { number, config };
    this.#next = null;
  }

  /** Null: there is none yet. */
  get number(): number | null {
    return this.#current?.number ?? null;
  }

  /** What has to go over this link now, all of it, so that its worker has the generation. */
  linesFor(link: object): readonly string[] {
    const current = this.#current;
    if (current === null) return [];
    const sent = this.#sent.get(link);
    this.#sent.set(link, current.number);
    if (this.#before === null || sent !== this.#before.number) return encodeGeneration(current.number, current.config);
    return (this.#next ??= encodeNextGeneration(current.number, current.config, this.#before.config.routes));
  }
}
