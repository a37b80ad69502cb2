// A screen of a terminal as an SVG: what `tmux capture-pane -e` gives, cell by cell.

interface Look {
  readonly color: string;
  readonly background: string | null;
  readonly bold: boolean;
}

const PLAIN: Look = { color: '#d0d0d0', background: null, bold: false };
const PAPER = '#16181d';
const BASE = ['#000000', '#cd3131', '#0dbc79', '#e5e510', '#2472c8', '#bc3fbc', '#11a8cd', '#e5e5e5'];
const CELL = { width: 8.4, height: 17 } as const;
const SIZE = 14;

/** The palette of xterm: 16 base colours, a cube of 6 by 6 by 6, 24 greys. */
function paletteColor(index: number): string {
  if (index < 16) return BASE[index % 8] ?? '#ffffff';
  const hex = (value: number): string => value.toString(16).padStart(2, '0');
  if (index >= 232) return `#${hex(8 + (index - 232) * 10).repeat(3)}`;
  const levels = [0, 95, 135, 175, 215, 255];
  const cube = index - 16;
  return `#${[Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6].map((level) => hex(levels[level] ?? 0)).join('')}`;
}

function styled(look: Look, codes: readonly number[]): Look {
  let now = look;
  for (let index = 0; index < codes.length; index += 1) {
    const code = codes[index] ?? 0;
    if (code === 0) now = PLAIN;
    else if (code === 1) now = { ...now, bold: true };
    else if (code === 7) now = { ...now, color: now.background ?? PAPER, background: now.color };
    else if (code === 39) now = { ...now, color: PLAIN.color };
    else if (code === 49) now = { ...now, background: null };
    else if (code >= 30 && code <= 37) now = { ...now, color: paletteColor(code - 30) };
    else if (code >= 40 && code <= 47) now = { ...now, background: paletteColor(code - 40) };
    else if ((code === 38 || code === 48) && codes[index + 1] === 5) {
      const color = paletteColor(codes[index + 2] ?? 0);
      now = code === 38 ? { ...now, color } : { ...now, background: color };
      index += 2;
    }
  }
  return now;
}

interface Run {
  readonly column: number;
  readonly text: string;
  readonly look: Look;
}

function runsOf(line: string, begins: Look): { readonly runs: readonly Run[]; readonly look: Look } {
  const runs: Run[] = [];
  let look = begins;
  let column = 0;
  for (const part of line.split(/(\x1b\[[\d;]*m)/)) {
    const codes = /^\x1b\[([\d;]*)m$/.exec(part)?.[1];
    if (codes !== undefined) {
      look = styled(look, codes === '' ? [0] : codes.split(';').map(Number));
      continue;
    }
    const text = part.replace(/\x1b[()][A-Z0-9]/g, '');
    if (text !== '') runs.push({ column, text, look });
    column += Array.from(text).length;
  }
  return { runs, look };
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

export function pictureOf(screen: string, { columns, rows }: { readonly columns: number; readonly rows: number }): string {
  const [width, height] = [Math.ceil(columns * CELL.width) + 16, rows * CELL.height + 16];
  const shapes: string[] = [];
  let look = PLAIN;
  for (const [row, line] of screen.split('\n').slice(0, rows).entries()) {
    const read = runsOf(line, look);
    look = read.look;
    const top = 8 + row * CELL.height;
    for (const { column, text, look: of } of read.runs) {
      const left = (8 + column * CELL.width).toFixed(1);
      const across = (Array.from(text).length * CELL.width).toFixed(1);
      if (of.background !== null)
        shapes.push(`<rect x="${left}" y="${top}" width="${across}" height="${CELL.height}" fill="${of.background}"/>`);
      if (text.trim() === '') continue;
      const weight = of.bold ? ' font-weight="bold"' : '';
      // The length is given, so that every font keeps the columns.
      shapes.push(
        `<text x="${left}" y="${top + 13}" fill="${of.color}"${weight} textLength="${across}" xml:space="preserve">${escaped(text)}</text>`,
      );
    }
  }
  const style = `font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="${SIZE}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" ${style}>`,
    `<rect width="100%" height="100%" rx="6" fill="${PAPER}"/>`,
    ...shapes,
    '</svg>',
    '',
  ].join('\n');
}
