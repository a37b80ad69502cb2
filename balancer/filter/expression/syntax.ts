// The grammar of CEL, as far as it is supported: words into a tree.
import { ExpressionError } from './expression-error.ts';
import { tokensOf, type Token } from './tokens.ts';

interface Place {
  /** Index of its first character, and the one behind its last. */
  readonly at: number;
  readonly end: number;
}

export type BinarySign = '&&' | '||' | '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | '+' | '-' | '*' | '/' | '%';

export type Tree = Place &
  (
    | { readonly kind: 'literal'; readonly type: 'bool' | 'int' | 'double' | 'string' | 'null'; readonly value: unknown }
    | { readonly kind: 'name'; readonly name: string }
    | { readonly kind: 'list'; readonly items: readonly Tree[] }
    | { readonly kind: 'member'; readonly of: Tree; readonly name: string }
    | { readonly kind: 'index'; readonly of: Tree; readonly index: Tree }
    /** `on` null: a function and no method. */
    | { readonly kind: 'call'; readonly name: string; readonly on: Tree | null; readonly args: readonly Tree[] }
    | { readonly kind: 'unary'; readonly sign: '!' | '-'; readonly of: Tree }
    | { readonly kind: 'binary'; readonly sign: BinarySign; readonly left: Tree; readonly right: Tree }
    | { readonly kind: 'choice'; readonly condition: Tree; readonly yes: Tree; readonly no: Tree }
  );

/** Longer ones are refused, deeper ones too, and those with more parts: what a file may ask of every request is bounded. */
const MOST_CHARACTERS = 4096;
const MOST_DEPTH = 40;
const MOST_NODES = 500;

/** From what binds least to what binds most. */
const LEVELS: readonly (readonly BinarySign[])[] = [['||'], ['&&'], ['==', '!=', '<', '<=', '>', '>=', 'in'], ['+', '-'], ['*', '/', '%']];
/** Kept for later by the language. */
const RESERVED = new Set('as break const continue else for function if import let loop package namespace return var void while'.split(' '));

/** Throws an ExpressionError. */
export function parseExpression(source: string): Tree {
  if (source.length > MOST_CHARACTERS)
    throw new ExpressionError(MOST_CHARACTERS, `it is ${source.length} characters long; expected at most ${MOST_CHARACTERS}`);
  const parser = new Parser(tokensOf(source));
  const tree = parser.whole(0);
  parser.end();
  return tree;
}

class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;
  #nodes = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(depth: number): Tree {
    const token = this.#token;
    if (depth > MOST_DEPTH) throw new ExpressionError(token.at, `parts are nested deeper than ${MOST_DEPTH}`);
    const condition = this.#binary(0, depth);
    if (!this.#eats('?')) return condition;
    const yes = this.#binary(0, depth + 1);
    this.#expect(':', 'between what holds and what holds otherwise');
    const no = this.whole(depth + 1);
    return this.#node({ kind: 'choice', condition, yes, no, at: condition.at, end: no.end });
  }

  end(): void {
    const token = this.#token;
    if (token.kind !== 'end')
      throw new ExpressionError(token.at, 'the expression is complete before this; expected && or || between two conditions');
  }

  #binary(level: number, depth: number): Tree {
    const signs = LEVELS[level];
    if (signs === undefined) return this.#unary(depth);
    let left = this.#binary(level + 1, depth);
    for (;;) {
      const sign = signs.find((one) => this.#isAt(one));
      if (sign === undefined) return left;
      this.#next += 1;
      const right = this.#binary(level + 1, depth);
      left = this.#node({ kind: 'binary', sign, left, right, at: left.at, end: right.end });
    }
  }

  #unary(depth: number): Tree {
    const { at, text, kind } = this.#token;
    if (kind !== 'sign' || (text !== '!' && text !== '-')) return this.#member(depth);
    this.#next += 1;
    if (depth > MOST_DEPTH) throw new ExpressionError(at, `parts are nested deeper than ${MOST_DEPTH}`);
    const of = this.#unary(depth + 1);
    return this.#node({ kind: 'unary', sign: text, of, at, end: of.end });
  }

  #member(depth: number): Tree {
    let of = this.#primary(depth);
    for (;;) {
      const { at } = of;
      if (this.#eats('.')) {
        const { text: name, end } = this.#nameToken();
        if (this.#eats('(')) {
          const args = this.#list(')', depth);
          of = this.#node({ kind: 'call', name, on: of, args, at, end: this.#before });
        } else of = this.#node({ kind: 'member', of, name, at, end });
      } else if (this.#eats('[')) {
        const index = this.whole(depth + 1);
        this.#expect(']', 'behind the index');
        of = this.#node({ kind: 'index', of, index, at, end: this.#before });
      } else return of;
    }
  }

  #primary(depth: number): Tree {
    const token = this.#token;
    const { at, end, text } = token;
    this.#next += 1;
    if (token.kind === 'text') return this.#node({ kind: 'literal', type: 'string', value: text, at, end });
    if (token.kind === 'int' || token.kind === 'double')
      return this.#node({ kind: 'literal', type: token.kind, value: token.value, at, end });
    if (token.kind === 'name') return this.#named(text, { at, end }, depth);
    if (text === '(') {
      const inner = this.whole(depth + 1);
      this.#expect(')', 'behind what stands in parentheses');
      return inner;
    }
    if (text === '[') return this.#node({ kind: 'list', items: this.#list(']', depth), at, end: this.#before });
    if (text === '{') throw new ExpressionError(at, 'mappings cannot be written here; compare member by member');
    throw new ExpressionError(at, token.kind === 'end' ? 'something is missing here: a value' : `expected a value and not ${text}`);
  }

  #named(name: string, { at, end }: Place, depth: number): Tree {
    if (name === 'true' || name === 'false') return this.#node({ kind: 'literal', type: 'bool', value: name === 'true', at, end });
    if (name === 'null') return this.#node({ kind: 'literal', type: 'null', value: null, at, end });
    if (name === 'in' || RESERVED.has(name)) throw new ExpressionError(at, `"${name}" is a word of the language, and no value`);
    if (!this.#eats('(')) return this.#node({ kind: 'name', name, at, end });
    const args = this.#list(')', depth);
    return this.#node({ kind: 'call', name, on: null, args, at, end: this.#before });
  }

  /** Up to the closing sign, which is eaten. */
  #list(closing: ')' | ']', depth: number): readonly Tree[] {
    const items: Tree[] = [];
    while (!this.#eats(closing)) {
      items.push(this.whole(depth + 1));
      if (this.#eats(closing)) break;
      this.#expect(',', `or ${closing} behind a value of a list`);
    }
    return items;
  }

  #node(tree: Tree): Tree {
    this.#nodes += 1;
    if (this.#nodes > MOST_NODES) throw new ExpressionError(tree.at, `it has more than ${MOST_NODES} parts; make it several rules`);
    return tree;
  }

  #nameToken(): Token {
    const token = this.#token;
    if (token.kind !== 'name') throw new ExpressionError(token.at, 'expected the name of a member or of a method behind the dot');
    this.#next += 1;
    return token;
  }

  get #token(): Token {
    const token = this.#tokens[Math.min(this.#next, this.#tokens.length - 1)];
    if (token === undefined) throw new Error('no token at all, not even the end');
    return token;
  }

  /** Where the last token ends. */
  get #before(): number {
    return this.#tokens[this.#next - 1]?.end ?? 0;
  }

  #isAt(text: string): boolean {
    const token = this.#token;
    return token.text === text && (token.kind === 'sign' || (token.kind === 'name' && text === 'in'));
  }

  #eats(text: string): boolean {
    if (!this.#isAt(text)) return false;
    this.#next += 1;
    return true;
  }

  #expect(text: string, where: string): void {
    if (!this.#eats(text)) throw new ExpressionError(this.#token.at, `expected ${text} ${where}`);
  }
}
