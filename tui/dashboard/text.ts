// Text that comes from elsewhere made safe for a grid of equal cells, and cut or padded to a number of them.

/** Longer text is of no use on a screen and would only cost memory. */
const MAX_LENGTH = 500;

/** Letters and signs that every terminal draws one cell wide, in the basic plane: one JavaScript character is one cell. */
const ONE_CELL = /^(?:[\x20-\x7e\u00a1-\u00ac\u00ae-\u024f\u2010-\u2027\u2030-\u205e\u2190-\u2193\u2212]|[\u0370-\u052f](?<=\p{L}))$/u;

/** Line breaks, tabs, and blanks of any width. */
const BLANK = /[\t-\r\p{Z}]/u;

/** Controls, soft hyphen, zero-width and direction marks: they move the cursor or turn the reading order, so nothing is left of them. */
const INVISIBLE = /[\p{Cc}\p{Cf}]/u;

/**
 * What may be drawn of a string that somebody else chose: line breaks and tabs become spaces, other controls vanish, and what is not
 * surely one cell wide (ideographs, emoji, combining marks, unpaired surrogates) becomes `·`. Afterwards `length` is the width.
 */
export function cleanText(text: string): string {
  let clean = '';
  for (const character of text.slice(0, MAX_LENGTH).normalize('NFC')) {
    if (ONE_CELL.test(character)) clean += character;
    else if (BLANK.test(character)) clean += ' ';
    else if (!INVISIBLE.test(character)) clean += '·';
  }
  return clean;
}

export type Align = 'left' | 'right';

/** Cut to `width`; what is cut ends in `ellipsis`. */
export function clip(text: string, width: number, ellipsis: string): string {
  if (text.length <= width) return text;
  return width <= 0 ? '' : text.slice(0, width - ellipsis.length) + ellipsis.slice(0, width);
}

/** Exactly `width` cells. */
export function fit(text: string, width: number, align: Align, ellipsis: string): string {
  const clipped = clip(text, width, ellipsis);
  return align === 'left' ? clipped.padEnd(width) : clipped.padStart(width);
}

/** Lines of at most `width` cells, broken between words where there are any. */
export function wrapped(text: string, width: number): readonly string[] {
  const most = Math.max(20, width);
  const lines = text.match(new RegExp(`.{1,${most}}(\\s|$)|.{1,${most}}`, 'gu')) ?? [''];
  return lines.map((line) => line.trimEnd());
}
