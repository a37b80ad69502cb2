// Sets of characters as ranges of code points, with the classes that JavaScript's patterns name.

/** First and last code point, both included. */
export type CharacterRange = readonly [first: number, last: number];

const LAST_CODE_POINT = 0x10ffff;

const DIGITS: readonly CharacterRange[] = [[0x30, 0x39]];
const WORD: readonly CharacterRange[] = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
/** ECMAScript WhiteSpace and LineTerminator. */
const SPACE: readonly CharacterRange[] = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];
const LINE_ENDS: readonly CharacterRange[] = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
];

/** `.`: everything but the ends of lines. */
export const DOT: readonly CharacterRange[] = invert(LINE_ENDS);

export const CLASS_ESCAPES: ReadonlyMap<string, readonly CharacterRange[]> = new Map([
  ['d', DIGITS],
  ['D', invert(DIGITS)],
  ['w', WORD],
  ['W', invert(WORD)],
  ['s', SPACE],
  ['S', invert(SPACE)],
]);

export const CONTROL_ESCAPES: ReadonlyMap<string, readonly CharacterRange[]> = new Map(
  Object.entries({ t: 0x09, n: 0x0a, v: 0x0b, f: 0x0c, r: 0x0d }).map(([name, code]) => [name, [[code, code]]]),
);

/** All code points that are in none of the ranges. */
export function invert(ranges: readonly CharacterRange[]): readonly CharacterRange[] {
  const result: CharacterRange[] = [];
  let from = 0;
  for (const [first, last] of [...ranges].sort((a, b) => a[0] - b[0])) {
    if (first > from) result.push([from, first - 1]);
    from = Math.max(from, last + 1);
  }
  if (from <= LAST_CODE_POINT) result.push([from, LAST_CODE_POINT]);
  return result;
}
