// Nondeterministic automaton → table of a deterministic one (subset construction), refused when it would be large.
import type { Automaton } from './automaton.ts';
import type { CharacterRange } from './characters.ts';
import { PatternError } from './syntax.ts';

/** Where no match can follow. */
export const DEAD = -1;
/** 200 KB per pattern, and the bound of the time that compiling takes. */
const MAX_TRANSITIONS = 50_000;

export interface TransitionTable {
  /** `state * classStarts.length + class` → state, or DEAD. State 0 is the first. */
  readonly next: Int32Array;
  /** By state: whether a text that ends here matches. */
  readonly accepts: readonly boolean[];
  /** First code points of the classes, in order: characters of one class are in the same sets of the pattern. */
  readonly classStarts: readonly number[];
}

/** Throws a PatternError when the table would have more than MAX_TRANSITIONS entries. */
export function determinise(automaton: Automaton): TransitionTable {
  const classStarts = classesOf(automaton);
  const states: { readonly members: readonly number[]; readonly accepts: boolean }[] = [];
  const numbers = new Map<string, number>();
  const numberOf = (from: readonly number[], atStart: boolean): number => {
    const members = closure(automaton, from, { atStart, atEnd: false });
    // Only the very first state is at the start of the text; it may differ from a later one with the same members.
    const key = `${atStart ? '^' : ''}${members.join(',')}`;
    const known = numbers.get(key);
    if (known !== undefined) return known;
    const accepts = closure(automaton, from, { atStart, atEnd: true }).some((member) => automaton.states[member]?.kind === 'accept');
    numbers.set(key, states.length);
    return states.push({ members, accepts }) - 1;
  };

  const next: number[] = [];
  numberOf([automaton.first], true);
  for (let state = 0; state < states.length; state += 1) {
    if (states.length * classStarts.length > MAX_TRANSITIONS)
      throw new PatternError(
        'too many ways to match would have to be kept apart; use smaller bounds in {…}, or say more exactly what comes before them',
      );
    for (const code of classStarts) {
      const reached = step(automaton, states[state]?.members ?? [], code);
      next.push(reached.length === 0 ? DEAD : numberOf(reached, false));
    }
  }
  return { next: Int32Array.from(next), accepts: states.map(({ accepts }) => accepts), classStarts };
}

function step(automaton: Automaton, members: readonly number[], code: number): readonly number[] {
  const reached: number[] = [];
  for (const member of members) {
    const state = automaton.states[member];
    if (state?.kind === 'read' && includes(state.ranges, code)) reached.push(state.next);
  }
  return reached;
}

/** All states reached without reading, in order; forks themselves are left out. */
function closure(
  automaton: Automaton,
  from: readonly number[],
  { atStart, atEnd }: { readonly atStart: boolean; readonly atEnd: boolean },
): readonly number[] {
  const seen = new Set<number>();
  const open = [...from];
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    if (seen.has(index)) continue;
    seen.add(index);
    const state = automaton.states[index];
    if (state?.kind === 'fork') open.push(...state.next);
    else if ((state?.kind === 'start' && atStart) || (state?.kind === 'end' && atEnd)) open.push(state.next);
  }
  return [...seen].filter((index) => automaton.states[index]?.kind !== 'fork').sort((a, b) => a - b);
}

function includes(ranges: readonly CharacterRange[], code: number): boolean {
  return ranges.some(([first, last]) => first <= code && code <= last);
}

function classesOf(automaton: Automaton): readonly number[] {
  const starts = new Set([0]);
  for (const state of automaton.states) {
    if (state.kind !== 'read') continue;
    for (const [first, last] of state.ranges) starts.add(first).add(last + 1);
  }
  return [...starts].sort((a, b) => a - b);
}
