// Text tables: aligned columns, two blanks between them, nothing from outside that could steer a terminal.

export interface Column<T> {
  readonly title: string;
  readonly of: (item: T) => string;
  /** Only with `-o wide`. */
  readonly wide?: boolean;
  /** Numbers stand to the right. */
  readonly right?: boolean;
}

const GAP = '  ';

/** A table with its heading; '' without items. */
export function table<T>(items: readonly T[], columns: readonly Column<T>[]): string {
  if (items.length === 0) return '';
  const rows = [columns.map((column) => column.title), ...items.map((item) => columns.map((column) => plain(column.of(item))))];
  const widths = columns.map((_, index) => Math.max(...rows.map((row) => widthOf(row[index] ?? ''))));
  return rows.map((row) => `${line(row, columns, widths)}\n`).join('');
}

function line<T>(row: readonly string[], columns: readonly Column<T>[], widths: readonly number[]): string {
  const cells = row.map((cell, index) => {
    const padding = ' '.repeat(Math.max(0, (widths[index] ?? 0) - widthOf(cell)));
    return columns[index]?.right === true ? padding + cell : cell + padding;
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
