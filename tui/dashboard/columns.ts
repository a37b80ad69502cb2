// Tables that fit: which columns a width has room for, how wide each is, and the lines that come out.
import { type Cell, cell, type Line, type Style } from './frame.ts';
import type { Glyphs } from './glyphs.ts';
import { type Align, fit } from './text.ts';

export interface Column<Row> {
  readonly id: string;
  readonly title: string;
  readonly align: Align;
  /** Cells at least, and cells once there is room. */
  readonly narrow: number;
  readonly wide: number;
  /** The order that a click on its title brings; absent: none. */
  readonly sort?: string;
  /** Drawn only when a step brings it in. */
  readonly optional?: true;
  /** Takes what is left over, up to this many cells. */
  readonly upTo?: (rows: readonly Row[]) => number;
  /** The text for a given width, at most that long; the table pads it. */
  readonly value: (row: Row, width: number) => string;
  readonly style?: (row: Row) => Style;
}

export interface Table<Row> {
  readonly columns: readonly Column<Row>[];
  /** In which order optional columns come in and narrow ones become wide as there is more room. */
  readonly steps: readonly string[];
}

export interface FittedColumn<Row> {
  readonly column: Column<Row>;
  readonly width: number;
}

/** The table without columns that somebody does not want; the first stays: without it no row has a name. */
export function withoutColumns<Row>(table: Table<Row>, hidden: readonly string[]): Table<Row> {
  if (hidden.length === 0) return table;
  return { ...table, columns: table.columns.filter(({ id }, index) => index === 0 || !hidden.includes(id)) };
}

/** Every column is followed by one blank cell, except the last. */
export function fitColumns<Row>(table: Table<Row>, width: number, rows: readonly Row[]): readonly FittedColumn<Row>[] {
  const widths = new Map<string, number>();
  for (const column of table.columns) if (column.optional !== true) widths.set(column.id, column.narrow);
  const left = (): number => width + 1 - [...widths.values()].reduce((sum, each) => sum + each + 1, 0);
  for (const step of table.steps) {
    const column = table.columns.find((each) => each.id === step);
    if (column === undefined) continue;
    const now = widths.get(step);
    const wanted = now === undefined ? column.narrow : column.wide;
    const cost = now === undefined ? wanted + 1 : wanted - now;
    if (cost <= left()) widths.set(step, wanted);
  }
  for (const column of table.columns) {
    const now = widths.get(column.id);
    if (now === undefined || column.upTo === undefined) continue;
    const wanted = Math.max(now, column.upTo(rows));
    widths.set(column.id, Math.min(wanted, now + Math.max(0, left())));
  }
  return table.columns.flatMap((column) => {
    const fitted = widths.get(column.id);
    return fitted === undefined ? [] : [{ column, width: fitted }];
  });
}

export function headLine<Row>(columns: readonly FittedColumn<Row>[], glyphs: Glyphs): Line {
  return columns.flatMap(({ column, width }, index) => {
    const title = fit(column.title, width, column.align, glyphs.ellipsis);
    const text = index < columns.length - 1 ? `${title} ` : title;
    return [column.sort === undefined ? cell(text, 'head') : cell(text, 'head', { type: 'sortBy', sort: column.sort })];
  });
}

export function rowLine<Row>(columns: readonly FittedColumn<Row>[], row: Row, glyphs: Glyphs): Line {
  const cells: Cell[] = [];
  for (const [index, { column, width }] of columns.entries()) {
    if (index > 0) cells.push(cell(' '));
    cells.push(cell(fit(column.value(row, width), width, column.align, glyphs.ellipsis), column.style?.(row) ?? 'plain'));
  }
  return cells;
}
