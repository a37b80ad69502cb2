// A regular expression that matches whole texts with one table lookup per character, whatever the pattern and the text.
import { buildAutomaton } from './automaton.ts';
import { determinise, DEAD, type TransitionTable } from './determinise.ts';
import { PatternError, parsePattern } from './syntax.ts';

/** Longer patterns are refused. */
export const MAX_PATTERN_LENGTH = 1000;
const ASCII = 128;

export type CompiledPattern = { readonly ok: true; readonly regex: LinearRegex } | { readonly ok: false; readonly problem: string };

/** The regular part of JavaScript's syntax (flag `u`); always anchored at both ends. The problem says what to write instead. */
export function compilePattern(source: string): CompiledPattern {
  if (source.length > MAX_PATTERN_LENGTH)
    return { ok: false, problem: `the pattern is ${source.length} characters long; expected at most ${MAX_PATTERN_LENGTH}` };
  try {
    return { ok: true, regex: new LinearRegex(determinise(buildAutomaton(parsePattern(source)))) };
  } catch (error) {
    if (error instanceof PatternError) return { ok: false, problem: error.message };
    throw error;
  }
}

/** The whole table is made before the first match: nothing that a client sends can make it grow or take another way. */
export class LinearRegex {
  readonly #table: TransitionTable;
  readonly #asciiClass = new Uint16Array(ASCII);

  constructor(table: TransitionTable) {
    this.#table = table;
    for (let code = 0; code < ASCII; code += 1) this.#asciiClass[code] = this.#search(code);
  }

  /** Whether the whole text matches. */
  test(text: string): boolean {
    const { next, accepts, classStarts } = this.#table;
    const classes = classStarts.length;
    let state = 0;
    for (let at = 0; at < text.length; at += 1) {
      const code = text.codePointAt(at) ?? 0;
      if (code > 0xffff) at += 1;
      const character = code < ASCII ? (this.#asciiClass[code] ?? 0) : this.#search(code);
      state = next[state * classes + character] ?? DEAD;
      if (state === DEAD) return false;
    }
    return accepts[state] === true;
  }

  /** Index of the last class that starts at or before `code`. */
  #search(code: number): number {
    const starts = this.#table.classStarts;
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= code) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
