// Expressions into words: the lexis of CEL. What is not supported of it is refused by name.
import { ExpressionError } from './expression-error.ts';

export type Token =
  | { readonly kind: 'name' | 'sign' | 'end'; readonly text: string; readonly at: number; readonly end: number }
  | { readonly kind: 'text'; readonly text: string; readonly at: number; readonly end: number }
  | { readonly kind: 'int' | 'double'; readonly text: string; readonly value: number; readonly at: number; readonly end: number };

const BLANK = /(?:[ \t\n\f\r]+|\/\/[^\n]*)+/y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /0[xX][0-9A-Fa-f]+[uU]?|(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[uU]?/y;
const SIGN = /&&|\|\||==|!=|<=|>=|[<>+\-*/%!?:.,()[\]{}]/y;
const OPENING = /([rR]?)("""|'''|"|')/y;
const BYTES = /(?:[bB][rR]?|[rR][bB])["']/y;
const ESCAPE = /\\(?:([abfnrtv\\?"'`])|x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([0-3][0-7]{2}))/y;
const CONTROLS: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };
const HIGHEST_CODE = 0x10ffff;

/** Throws an ExpressionError. */
export function tokensOf(source: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  for (;;) {
    at += lengthOf(BLANK, source, at);
    if (at >= source.length) break;
    const token = tokenAt(source, at);
    tokens.push(token);
    at = token.end;
  }
  tokens.push({ kind: 'end', text: '', at: source.length, end: source.length });
  return tokens;
}

function tokenAt(source: string, at: number): Token {
  if (lengthOf(BYTES, source, at) > 0) throw new ExpressionError(at, 'values of bytes are not supported; write a text without the b');
  if (lengthOf(OPENING, source, at) > 0) return textAt(source, at);
  const number = lengthOf(NUMBER, source, at);
  if (number > 0) return numberAt(source, at, number);
  const name = lengthOf(NAME, source, at);
  if (name > 0) return { kind: 'name', text: source.slice(at, at + name), at, end: at + name };
  const sign = lengthOf(SIGN, source, at);
  if (sign > 0) return { kind: 'sign', text: source.slice(at, at + sign), at, end: at + sign };
  const [character = ''] = source.slice(at);
  const hint = { '=': '; equality is ==', '&': '; both is &&', '|': '; either is ||', '`': '' }[character] ?? '';
  throw new ExpressionError(at, `"${character}" means nothing here${hint}`);
}

function numberAt(source: string, at: number, length: number): Token {
  const text = source.slice(at, at + length);
  const end = at + length;
  if (/u$/i.test(text)) throw new ExpressionError(at, 'unsigned numbers are not supported; leave the u away');
  if (/^[A-Za-z0-9_]/.test(source.slice(end))) throw new ExpressionError(at, 'a name cannot begin with a digit');
  const isInt = /^(?:0x[0-9a-f]+|[0-9]+)$/i.test(text);
  const value = Number(text);
  if (isInt && !Number.isSafeInteger(value))
    throw new ExpressionError(at, 'the number is too large; whole numbers go up to 9007199254740991 here');
  return { kind: isInt ? 'int' : 'double', text, value, at, end };
}

function textAt(source: string, at: number): Token {
  OPENING.lastIndex = at;
  const [opening = '', raw = '', quotes = ''] = OPENING.exec(source) ?? [];
  let text = '';
  let index = at + opening.length;
  for (;;) {
    if (source.startsWith(quotes, index)) return { kind: 'text', text, at, end: index + quotes.length };
    const character = source[index];
    if (character === undefined || (character === '\n' && quotes.length === 1))
      throw new ExpressionError(at, `the text is not closed; expected ${quotes} behind it`);
    if (character === '\\' && raw === '') {
      const [written, meant] = escapeAt(source, index);
      text += meant;
      index += written;
    } else {
      text += character;
      index += 1;
    }
  }
}

/** How many characters it takes, and what it stands for. */
function escapeAt(source: string, at: number): readonly [number, string] {
  ESCAPE.lastIndex = at;
  const [whole, single, ...codes] = ESCAPE.exec(source) ?? [];
  if (whole === undefined)
    throw new ExpressionError(
      at,
      `${JSON.stringify(source.slice(at, at + 2))} is no escape; a backslash itself is \\\\, or use r"…" for a pattern`,
    );
  if (single !== undefined) return [whole.length, CONTROLS[single] ?? single];
  const [hex2, hex4, hex8, octal] = codes;
  const code = octal === undefined ? Number.parseInt(hex2 ?? hex4 ?? hex8 ?? '', 16) : Number.parseInt(octal, 8);
  if (code > HIGHEST_CODE || (code >= 0xd800 && code <= 0xdfff)) throw new ExpressionError(at, `${whole} is no character`);
  return [whole.length, String.fromCodePoint(code)];
}

function lengthOf(pattern: RegExp, source: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0].length ?? 0;
}
