// A pattern's tree → a nondeterministic automaton (Thompson's construction), built from its end to its start.
import type { CharacterRange } from './characters.ts';
import { PatternError, type PatternNode } from './syntax.ts';

export type AutomatonState =
  /** Reads one character of the set. */
  | { readonly kind: 'read'; readonly ranges: readonly CharacterRange[]; readonly next: number }
  /** Goes on in all of `next` without reading. */
  | { readonly kind: 'fork'; readonly next: number[] }
  /** Goes on at the first or last character of the text only. */
  | { readonly kind: 'start' | 'end'; readonly next: number }
  | { readonly kind: 'accept' };

export interface Automaton {
  readonly states: readonly AutomatonState[];
  readonly first: number;
}

/** Bounds the time that compiling takes. */
export const MAX_STATES = 1000;

/** Throws a PatternError when the pattern needs more than MAX_STATES. */
export function buildAutomaton(pattern: PatternNode): Automaton {
  const states: AutomatonState[] = [];
  const add = (state: AutomatonState): number => {
    if (states.length >= MAX_STATES)
      throw new PatternError(
        `the pattern is too large: written out, its repetitions need more than ${MAX_STATES} steps; use smaller bounds`,
      );
    return states.push(state) - 1;
  };

  const build = (node: PatternNode, next: number): number => {
    switch (node.kind) {
      case 'set':
        return add({ kind: 'read', ranges: node.ranges, next });
      case 'start':
      case 'end':
        return add({ kind: node.kind, next });
      case 'sequence':
        return node.parts.reduceRight((following, part) => build(part, following), next);
      case 'choice':
        return add({ kind: 'fork', next: node.options.map((option) => build(option, next)) });
      case 'repeat':
        return repeat(node, next);
    }
  };

  const repeat = (node: Extract<PatternNode, { kind: 'repeat' }>, next: number): number => {
    let following = next;
    if (node.most === null) {
      const again: number[] = [next];
      following = add({ kind: 'fork', next: again });
      again.push(build(node.body, following));
    } else {
      for (let optional = node.least; optional < node.most; optional += 1)
        following = add({ kind: 'fork', next: [next, build(node.body, following)] });
    }
    for (let required = 0; required < node.least; required += 1) following = build(node.body, following);
    return following;
  };

  const accept = add({ kind: 'accept' });
  return { first: build(pattern, accept), states };
}
