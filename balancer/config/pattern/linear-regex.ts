// A regular expression that matches whole texts in time linear in their length, whatever the pattern and the text.
import { buildAutomaton, type Automaton } from './automaton.ts';
import type { CharacterRange } from './characters.ts';
import { PatternError, parsePattern } from './syntax.ts';

/** Longer patterns are refused. */
export const MAX_PATTERN_LENGTH = 1000;
/** Bounds the memory of one expression: beyond this the deterministic states are forgotten and made anew. */
const MAX_CACHED_STATES = 256;
const ASCII = 128;

export type CompiledPattern = { readonly ok: true; readonly regex: LinearRegex } | { readonly ok: false; readonly problem: string };

/** The regular part of JavaScript's syntax (flag `u`); always anchored at both ends. The problem says what to write instead. */
export function compilePattern(source: string): CompiledPattern {
  if (source.length > MAX_PATTERN_LENGTH)
    return { ok: false, problem: `the pattern is ${source.length} characters long; expected at most ${MAX_PATTERN_LENGTH}` };
  try {
    return { ok: true, regex: new LinearRegex(buildAutomaton(parsePattern(source))) };
  } catch (error) {
    if (error instanceof PatternError) return { ok: false, problem: error.message };
    throw error;
  }
}

/** One deterministic state: a set of states of the automaton. */
interface DeterministicState {
  readonly members: readonly number[];
  /** Whether a text that ends here matches. */
  readonly accepts: boolean;
  /** By character class; undefined: not yet computed; null: no match can follow. */
  readonly next: (DeterministicState | null | undefined)[];
}

/** Backtracks never: it follows all ways at once, and remembers each set of states it has met (a deterministic automaton made on demand). */
export class LinearRegex {
  readonly #automaton: Automaton;
  /** First code points of the classes: characters of one class are in the same sets of the pattern. */
  readonly #classStarts: readonly number[];
  readonly #asciiClass = new Uint16Array(ASCII);
  readonly #known = new Map<string, DeterministicState>();
  #first: DeterministicState | null = null;

  constructor(automaton: Automaton) {
    this.#automaton = automaton;
    this.#classStarts = classStarts(automaton);
    for (let code = 0; code < ASCII; code += 1) this.#asciiClass[code] = this.#search(code);
  }

  /** Whether the whole text matches. */
  test(text: string): boolean {
    let state = (this.#first ??= this.#state([this.#automaton.first], true));
    for (let at = 0; at < text.length; at += 1) {
      const code = text.codePointAt(at) ?? 0;
      if (code > 0xffff) at += 1;
      const character = code < ASCII ? (this.#asciiClass[code] ?? 0) : this.#search(code);
      let next = state.next[character];
      if (next === undefined) next = state.next[character] = this.#step(state, character);
      if (next === null) return false;
      state = next;
    }
    return state.accepts;
  }

  /** Index of the last class that starts at or before `code`. */
  #search(code: number): number {
    let low = 0;
    let high = this.#classStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#classStarts[middle] ?? 0) <= code) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #step(state: DeterministicState, character: number): DeterministicState | null {
    const code = this.#classStarts[character] ?? 0;
    const reached: number[] = [];
    for (const member of state.members) {
      const from = this.#automaton.states[member];
      if (from?.kind === 'read' && includes(from.ranges, code)) reached.push(from.next);
    }
    return reached.length === 0 ? null : this.#state(reached, false);
  }

  #state(from: readonly number[], atStart: boolean): DeterministicState {
    const members = this.#closure(from, atStart, false);
    // Only the very first state is at the start of the text; it may differ from a later one with the same members.
    const key = `${atStart ? '^' : ''}${members.join(',')}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const accepts = this.#closure(from, atStart, true).some((member) => this.#automaton.states[member]?.kind === 'accept');
    const state: DeterministicState = { members, accepts, next: new Array<undefined>(this.#classStarts.length) };
    if (this.#known.size >= MAX_CACHED_STATES) {
      this.#known.clear();
      this.#first = null;
    }
    this.#known.set(key, state);
    return state;
  }

  /** All states reached without reading, in order; forks themselves are left out. */
  #closure(from: readonly number[], atStart: boolean, atEnd: boolean): readonly number[] {
    const seen = new Set<number>();
    const open = [...from];
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      if (seen.has(index)) continue;
      seen.add(index);
      const state = this.#automaton.states[index];
      if (state?.kind === 'fork') open.push(...state.next);
      else if ((state?.kind === 'start' && atStart) || (state?.kind === 'end' && atEnd)) open.push(state.next);
    }
    return [...seen].filter((index) => this.#automaton.states[index]?.kind !== 'fork').sort((a, b) => a - b);
  }
}

function includes(ranges: readonly CharacterRange[], code: number): boolean {
  return ranges.some(([first, last]) => first <= code && code <= last);
}

function classStarts(automaton: Automaton): readonly number[] {
  const starts = new Set([0]);
  for (const state of automaton.states) {
    if (state.kind !== 'read') continue;
    for (const [first, last] of state.ranges) starts.add(first).add(last + 1);
  }
  return [...starts].sort((a, b) => a - b);
}
