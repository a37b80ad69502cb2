// What a fuzz target is: something that takes any bytes, says in a word what became of them, and throws when that must not be.
import type { Random } from '../../health/clock.ts';

export interface FuzzTarget {
  readonly name: string;
  /** One line for the list of targets. */
  readonly summary: string;
  /** Inputs to begin with, besides those that are kept in corpus/. */
  readonly seeds: readonly string[];
  /** Pieces that mean something to the parser; mutations put them in. */
  readonly dictionary: readonly string[];
  /** How many inputs are tried at the same time. */
  readonly parallel: number;
  /** Opens what the target needs. `random` is for choices within a run, such as how an input is cut. */
  open(random: Random): Promise<OpenTarget>;
}

export interface OpenTarget {
  /**
   * Tries one input, one character a byte. Returns what became of it in a few words: an input that brings new ones is worth mutating
   * further, which is all the coverage there is. Throws an Error that says what is wrong.
   */
  run(input: string): string | Promise<string>;
  close(): Promise<void>;
}
