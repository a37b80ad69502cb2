// What several screens draw: section rules, lists that keep the selected row in sight, and lines of parts of which the least needed go first.
import { type FittedColumn, fitColumns, headLine, rowLine, type Table } from '../columns.ts';
import { cell, type Frame, type Line, lineWidth, restyle, withHit } from '../frame.ts';
import type { Glyphs } from '../glyphs.ts';
import { type DashboardState, indexOfSelection, isStale, type ListState } from '../state.ts';
import { clip } from '../text.ts';

/** `─ clusters 3, by name ─────` */
export function ruleLine(title: string, width: number, glyphs: Glyphs): Line {
  const text = clip(` ${title} `, Math.max(0, width - 2), glyphs.ellipsis);
  return [cell(glyphs.rule, 'dim'), cell(text, 'accent'), cell(glyphs.rule.repeat(Math.max(0, width - 1 - text.length)), 'dim')];
}

/** ` of 12, filter state=up, by rps reversed` behind the number of rows. */
export function listTitle(name: string, list: ListState, count: { readonly shown: number; readonly all: number }): string {
  const rows = count.shown === count.all ? String(count.all) : `${count.shown} of ${count.all}`;
  const filter = list.filter === '' ? '' : `, filter ${list.filter}`;
  const marks = list.marks.length === 0 ? '' : `, ${list.marks.length} marked`;
  return `${name} ${rows}${filter}${marks}, by ${list.sort}${list.reverse ? ' reversed' : ''}`;
}

/** First index of a window of `height` rows that has `index` in its middle, as far as the ends allow. */
export function windowStart(index: number, height: number, count: number): number {
  return Math.max(0, Math.min(index - Math.floor(height / 2), count - height));
}

export interface ListDrawing<Row> {
  readonly state: DashboardState;
  readonly list: ListState;
  readonly glyphs: Glyphs;
  readonly rows: readonly Row[];
  readonly id: (row: Row) => string;
  readonly table: Table<Row>;
  /** Lines for rows; the head line comes on top. */
  readonly height: number;
  readonly empty: string;
}

/** Cells before each row: the marker of the selected one and a blank. */
const MARGIN = 2;

/** The head line and up to `height` rows. */
export function listLines<Row>(drawing: ListDrawing<Row>): Frame {
  const { state, list, glyphs, rows, id, height } = drawing;
  const columns: readonly FittedColumn<Row>[] = fitColumns(drawing.table, state.size.columns - MARGIN, rows);
  const head: Line = [cell(' '.repeat(MARGIN)), ...headLine(columns, glyphs)];
  if (rows.length === 0) return [head, [cell(`${' '.repeat(MARGIN)}${drawing.empty}`, 'dim')]];
  const selected = indexOfSelection(rows.map(id), list.selection);
  const start = windowStart(selected, height, rows.length);
  const stale = isStale(state);
  const lines = rows.slice(start, start + height).map((row, offset) => {
    const chosen = start + offset === selected;
    const margin = `${chosen ? glyphs.marker : ' '}${list.marks.includes(id(row)) ? glyphs.mark : ' '}`;
    const line = withHit([cell(margin, 'accent'), ...rowLine(columns, row, glyphs)], { type: 'select', id: id(row) });
    if (chosen) return restyle(line, 'selected');
    return stale ? restyle(line, 'stale') : line;
  });
  return [head, ...lines];
}

/** A part of a line; of those with a `keep`, the lowest go first when there is too little room. */
export interface LinePart {
  readonly line: Line;
  readonly keep: number;
}

export function fittingParts(parts: readonly LinePart[], width: number): readonly LinePart[] {
  let kept = [...parts];
  const total = (): number => kept.reduce((sum, part) => sum + lineWidth(part.line), 0);
  while (kept.length > 1 && total() > width) {
    const least = Math.min(...kept.map((part) => part.keep));
    kept = kept.filter((part) => part.keep !== least);
  }
  return kept;
}
