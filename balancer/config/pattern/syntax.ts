// The pattern language: the regular part of JavaScript's, parsed into a tree. What cannot be matched in linear time is refused by name.
import { CLASS_ESCAPES, CONTROL_ESCAPES, DOT, invert, type CharacterRange } from './characters.ts';

export type PatternNode =
  | { readonly kind: 'set'; readonly ranges: readonly CharacterRange[] }
  | { readonly kind: 'sequence'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly options: readonly PatternNode[] }
  /** `most` null: no bound. */
  | { readonly kind: 'repeat'; readonly body: PatternNode; readonly least: number; readonly most: number | null }
  | { readonly kind: 'start' }
  | { readonly kind: 'end' };

/** Why a pattern is refused; the message quotes the part and says what is possible instead. */
export class PatternError extends Error {}

const MAX_DEPTH = 50;
const SYNTAX_CHARACTERS = '^$\\.*+?()[]{}|/';

/** Throws a PatternError. */
export function parsePattern(source: string): PatternNode {
  const parser = new PatternParser(source);
  const node = parser.choice(0);
  if (!parser.done) throw new PatternError(`")" at ${parser.offset} closes nothing; write \\) for the character`);
  return node;
}

class PatternParser {
  readonly #source: readonly string[];
  #at = 0;

  constructor(source: string) {
    // By code point, as with the flag `u` of JavaScript.
    this.#source = Array.from(source);
  }

  get done(): boolean {
    return this.#at >= this.#source.length;
  }

  get offset(): number {
    return this.#at;
  }

  choice(depth: number): PatternNode {
    if (depth > MAX_DEPTH) throw new PatternError(`groups are nested deeper than ${MAX_DEPTH}`);
    const options = [this.#sequence(depth)];
    while (this.#eat('|')) options.push(this.#sequence(depth));
    const [only] = options;
    return options.length === 1 && only !== undefined ? only : { kind: 'choice', options };
  }

  #sequence(depth: number): PatternNode {
    const parts: PatternNode[] = [];
    while (!this.done && this.#peek() !== '|' && this.#peek() !== ')') parts.push(this.#quantified(depth));
    return { kind: 'sequence', parts };
  }

  #quantified(depth: number): PatternNode {
    const from = this.#at;
    const body = this.#atom(depth);
    const bounds = this.#quantifier();
    if (bounds === null) return body;
    if (body.kind === 'start' || body.kind === 'end') throw new PatternError(`"${this.#text(from)}" repeats an anchor`);
    // Lazy or greedy makes no difference to whether the whole text matches.
    this.#eat('?');
    return { kind: 'repeat', body, ...bounds };
  }

  #quantifier(): { readonly least: number; readonly most: number | null } | null {
    if (this.#eat('*')) return { least: 0, most: null };
    if (this.#eat('+')) return { least: 1, most: null };
    if (this.#eat('?')) return { least: 0, most: 1 };
    if (this.#peek() !== '{') return null;
    const from = this.#at;
    const close = this.#source.indexOf('}', from);
    const [, least, comma, most] = /^\{([0-9]{1,4})(,([0-9]{1,4})?)?\}$/.exec(this.#source.slice(from, close + 1).join('')) ?? [];
    if (least === undefined) throw new PatternError(`"{" at ${from} begins no repetition such as {2,5}; write \\{ for the character`);
    this.#at = close + 1;
    const bounds = { least: Number(least), most: comma === undefined ? Number(least) : most === undefined ? null : Number(most) };
    if (bounds.most !== null && bounds.most < bounds.least)
      throw new PatternError(`"${this.#text(from)}" has its bounds the wrong way round`);
    return bounds;
  }

  #atom(depth: number): PatternNode {
    const from = this.#at;
    const character = this.#next();
    switch (character) {
      case '^':
        return { kind: 'start' };
      case '$':
        return { kind: 'end' };
      case '.':
        return { kind: 'set', ranges: DOT };
      case '(':
        return this.#group(depth, from);
      case '[':
        return { kind: 'set', ranges: this.#class(from) };
      case '\\':
        return { kind: 'set', ranges: this.#escape(from) };
      case '*':
      case '+':
      case '?':
        throw new PatternError(`"${character}" at ${from} repeats nothing; write \\${character} for the character`);
      case '{':
      case '}':
      case ']':
        throw new PatternError(`"${character}" at ${from} stands alone; write \\${character} for the character`);
      default:
        return { kind: 'set', ranges: single(character) };
    }
  }

  #group(depth: number, from: number): PatternNode {
    if (this.#eat('?')) {
      const rest = this.#source.slice(this.#at, this.#at + 40).join('');
      if (/^(=|!|<=|<!)/.test(rest))
        throw new PatternError('looking ahead or behind cannot be matched in linear time; write the pattern without it');
      const [opening] = /^(?::|<[A-Za-z_][A-Za-z0-9_]*>)/.exec(rest) ?? [];
      if (opening === undefined)
        throw new PatternError(`"(?${rest.slice(0, 1)}" at ${from} is no group; known are (…), (?:…) and (?<name>…)`);
      this.#at += opening.length;
    }
    const body = this.choice(depth + 1);
    if (!this.#eat(')')) throw new PatternError(`"(" at ${from} is not closed; write \\( for the character`);
    return body;
  }

  #class(from: number): readonly CharacterRange[] {
    const negated = this.#eat('^');
    const ranges: CharacterRange[] = [];
    for (;;) {
      if (this.done) throw new PatternError(`"[" at ${from} is not closed; write \\[ for the character`);
      if (this.#eat(']')) return negated ? invert(ranges) : ranges;
      ranges.push(...this.#classMember());
    }
  }

  #classMember(): readonly CharacterRange[] {
    const from = this.#at;
    const first = this.#classCharacter();
    const isRange = this.#peek() === '-' && this.#source[this.#at + 1] !== ']' && this.#at + 1 < this.#source.length;
    if (!isRange) return first;
    this.#at += 1;
    const last = this.#classCharacter();
    const [low, high] = [onlyCharacter(first), onlyCharacter(last)];
    if (low === null || high === null || high < low) throw new PatternError(`"${this.#text(from)}" is no range of characters`);
    return [[low, high]];
  }

  #classCharacter(): readonly CharacterRange[] {
    const from = this.#at;
    const character = this.#next();
    return character === '\\' ? this.#escape(from, '-') : single(character);
  }

  #escape(from: number, alsoLiteral = ''): readonly CharacterRange[] {
    if (this.done) throw new PatternError('the pattern ends in the middle of an escape; write \\\\ for a backslash');
    const character = this.#next();
    const ranges = CLASS_ESCAPES.get(character) ?? CONTROL_ESCAPES.get(character);
    if (ranges !== undefined) return ranges;
    if (`${SYNTAX_CHARACTERS}${alsoLiteral}`.includes(character)) return single(character);
    if (character === 'x' || character === 'u') return this.#hexadecimal(from, character === 'x' ? 2 : 4);
    if (/[1-9k]/.test(character))
      throw new PatternError(
        `"\\${character}" refers back to a group, which cannot be matched in linear time; write the pattern without it`,
      );
    throw new PatternError(`"\\${character}" at ${from} is no escape known here; write the character without the backslash`);
  }

  #hexadecimal(from: number, digits: number): readonly CharacterRange[] {
    const text = this.#source.slice(this.#at, this.#at + digits).join('');
    if (text.length !== digits || !/^[0-9A-Fa-f]+$/.test(text))
      throw new PatternError(`"${this.#text(from)}" at ${from} needs ${digits} hexadecimal digits`);
    this.#at += digits;
    const code = Number.parseInt(text, 16);
    return [[code, code]];
  }

  #peek(): string | undefined {
    return this.#source[this.#at];
  }

  #next(): string {
    const character = this.#source[this.#at] ?? '';
    this.#at += 1;
    return character;
  }

  #eat(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#at += 1;
    return true;
  }

  #text(from: number): string {
    return this.#source.slice(from, this.#at).join('');
  }
}

function single(character: string): readonly CharacterRange[] {
  const code = character.codePointAt(0) ?? 0;
  return [[code, code]];
}

function onlyCharacter(ranges: readonly CharacterRange[]): number | null {
  const [only] = ranges;
  return ranges.length === 1 && only !== undefined && only[0] === only[1] ? only[0] : null;
}
