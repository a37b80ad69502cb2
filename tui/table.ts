// Text tables: aligned columns, two blanks between them, nothing from outside that could steer a terminal.

/** How a state strikes the eye on a terminal with colours; the word itself always says it too. */
export type Tone = 'good' | 'warning' | 'bad';

export interface Column<T> {
  readonly title: string;
  readonly of: (item: T) => string;
  /** Only with `-o wide`. */
  readonly wide?: boolean;
  /** Numbers stand to the right. */
  readonly right?: boolean;
  readonly tone?: (item: T) => Tone | null;
}

const GAP = '  ';

/** Select Graphic Rendition: green, yellow, red of the terminal's own palette. */
const SGR: Readonly<Record<Tone, string>> = { good: '32', warning: '33', bad: '31' };

export function colored(text: string, tone: Tone | null): string {
  return tone === null ? text : `\u001b[${SGR[tone]}m${text}\u001b[0m`;
}

/** A table with its heading; '' without items. */
export function table<T>(items: readonly T[], columns: readonly Column<T>[], color = false): string {
  if (items.length === 0) return '';
  const rows = [columns.map((column) => column.title), ...items.map((item) => columns.map((column) => plain(column.of(item))))];
  const widths = columns.map((_, index) => Math.max(...rows.map((row) => widthOf(row[index] ?? ''))));
  return rows.map((row, index) => `${line(row, columns, { widths, item: color ? items[index - 1] : undefined })}\n`).join('');
}

/** What a line needs besides its cells; no item: no colours. */
interface LineStyle<T> {
  readonly widths: readonly number[];
  readonly item: T | undefined;
}

function line<T>(row: readonly string[], columns: readonly Column<T>[], { widths, item }: LineStyle<T>): string {
  const cells = row.map((cell, index) => {
    const column = columns[index];
    const padding = ' '.repeat(Math.max(0, (widths[index] ?? 0) - widthOf(cell)));
    const text = item === undefined ? cell : colored(cell, column?.tone?.(item) ?? null);
    return column?.right === true ? padding + text : text + padding;
  });
  return cells.join(GAP).trimEnd();
}

/** Characters as people count them; our names and figures have no wide ones. */
function widthOf(text: string): number {
  return Array.from(text).length;
}

/** One line without control characters: names and reasons come from other machines and may carry escape sequences. */
export function plain(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ');
}
