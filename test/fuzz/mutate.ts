// Random changes to an input: bytes and pieces of the dictionary put in, taken out, doubled and moved, and inputs spliced.
import type { Random } from '../../health/clock.ts';

const MAX_CHANGES = 5;
const MAX_LENGTH = 4096;

export class Mutator {
  readonly #random: Random;
  readonly #dictionary: readonly string[];

  constructor(random: Random, dictionary: readonly string[]) {
    this.#random = random;
    this.#dictionary = dictionary;
  }

  /** `input` changed; `other` is an input to take pieces from. */
  mutate(input: string, other: string): string {
    let changed = input;
    for (let count = 1 + this.#below(MAX_CHANGES); count > 0; count -= 1) changed = this.#change(changed, other);
    return changed.slice(0, MAX_LENGTH);
  }

  #change(input: string, other: string): string {
    const at = this.#below(input.length + 1);
    const end = Math.min(input.length, at + 1 + this.#below(this.#random() < 0.2 ? 200 : 8));
    switch (this.#below(8)) {
      case 0:
        return input.slice(0, at) + this.#byte() + input.slice(at + 1);
      case 1:
        return input.slice(0, at) + this.#byte() + input.slice(at);
      case 2:
        return input.slice(0, at) + input.slice(end);
      case 3:
        return input.slice(0, end) + input.slice(at);
      case 4:
        return input.slice(0, at) + this.#word() + input.slice(at);
      case 5:
        return input.slice(0, at) + this.#word() + input.slice(end);
      case 6: {
        const to = this.#below(input.length + 1);
        const rest = input.slice(0, at) + input.slice(end);
        return rest.slice(0, to) + input.slice(at, end) + rest.slice(to);
      }
      default:
        return input.slice(0, at) + other.slice(this.#below(other.length + 1));
    }
  }

  #byte(): string {
    return String.fromCharCode(this.#below(256));
  }

  #word(): string {
    return this.#dictionary[this.#below(this.#dictionary.length)] ?? '';
  }

  #below(bound: number): number {
    return Math.floor(this.#random() * bound);
  }
}
