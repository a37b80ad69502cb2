// A frame: what fills the terminal, as lines of styled text, without a terminal.
import { clip } from './text.ts';

/** What a piece of text means; the theme decides how that looks. */
export type Style = 'plain' | 'dim' | 'title' | 'head' | 'good' | 'warn' | 'bad' | 'accent' | 'selected' | 'stale' | ContextStyle;

/** The colour of a context: production is red for whoever says so. */
export type ContextStyle = 'context-red' | 'context-yellow' | 'context-green' | 'context-blue' | 'context-magenta' | 'context-cyan';

/** What a click on a piece of text does. */
export type Hit =
  | { readonly type: 'select'; readonly id: string }
  | { readonly type: 'sortBy'; readonly sort: string }
  /** Of a list that lies over the screen. */
  | { readonly type: 'overlayItem'; readonly index: number }
  /** As if the key were pressed. */
  | { readonly type: 'key'; readonly name: string };

export interface Cell {
  readonly text: string;
  readonly style: Style;
  readonly hit?: Hit;
}

export type Line = readonly Cell[];
export type Frame = readonly Line[];

/** Cells of the terminal. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export function cell(text: string, style: Style = 'plain', hit?: Hit): Cell {
  return hit === undefined ? { text, style } : { text, style, hit };
}

/** The whole line does the same. */
export function withHit(line: Line, hit: Hit): Line {
  return line.map((part) => ({ ...part, hit }));
}

/** What a click there does; null: nothing. Places are counted from 0. */
export function hitAt(frame: Frame, column: number, row: number): Hit | null {
  let left = 0;
  for (const part of frame[row] ?? []) {
    if (column < left + part.text.length) return part.hit ?? null;
    left += part.text.length;
  }
  return null;
}

export function lineText(line: Line): string {
  return line.map((part) => part.text).join('');
}

export function lineWidth(line: Line): number {
  return line.reduce((width, part) => width + part.text.length, 0);
}

/** Exactly `width` cells: cut with `ellipsis` or filled with spaces. */
export function fitLine(line: Line, width: number, ellipsis: string): Line {
  const fitted: Cell[] = [];
  let left = width;
  for (const [index, part] of line.entries()) {
    const more = line.slice(index + 1).some((later) => later.text !== '');
    // The last cell is kept for the ellipsis when this part fills the line and others follow.
    const cut = part.text.length > left || (part.text.length === left && more);
    const text = cut ? clip(part.text.padEnd(left + 1), left, ellipsis) : part.text;
    fitted.push({ ...part, text });
    left -= text.length;
    if (cut) break;
  }
  if (left > 0) fitted.push(cell(' '.repeat(left)));
  return fitted;
}

/** The same text in one style. */
export function restyle(line: Line, style: Style): Line {
  const hit = line.at(-1)?.hit;
  return [cell(lineText(line), style, hit)];
}

/** Exactly the size: surplus lines are cut, missing ones are blank. */
export function fitFrame(lines: Frame, size: Size, ellipsis: string): Frame {
  return Array.from({ length: size.rows }, (_, row) => fitLine(lines[row] ?? [], size.columns, ellipsis));
}

/** The text alone, without spaces at line ends. */
export function frameText(frame: Frame): string {
  return frame.map((line) => lineText(line).trimEnd()).join('\n');
}
