// The terminal's output through blessed: one box of the full size that shows a painted frame. The only importer of blessed.
import { PassThrough } from 'node:stream';
import blessed from 'blessed';
import type { Size } from './frame.ts';
import { MOUSE_OFF, MOUSE_ON, PASTE_MARKS_OFF, PASTE_MARKS_ON } from './input.ts';

export interface TerminalScreen {
  size(): Size;
  /** Draws lines with SGR sequences; does nothing when they are those of the last call. */
  draw(content: string): void;
  /** Draws everything anew, whatever the terminal may have lost. */
  repaint(): void;
  /** Whether clicks and the wheel come as input. */
  mouse(on: boolean): void;
  /** Leaves the alternate screen for a while. */
  suspend(): void;
  resume(): void;
  /** Leaves the alternate screen with the cursor shown. Idempotent. */
  close(): void;
}

export interface ScreenOptions {
  readonly output: NodeJS.WriteStream;
  readonly terminal: string;
  readonly unicode: boolean;
  readonly onResize: () => void;
}

/** A terminal that does not tell its size is taken for the classic one. */
const FALLBACK: Size = { columns: 80, rows: 24 };
const RESIZE_SETTLES_MS = 50;

export function openScreen({ output, terminal, unicode, onResize }: ScreenOptions): TerminalScreen {
  // Without this blessed draws lines by switching character sets, which leaves letters such as lqqk on many terminals.
  process.env['NCURSES_NO_UTF8_ACS'] = '1';
  const screen = blessed.screen({
    // blessed's own key reader sees pasted text as keys and leaves a listener on stdin for ever; it gets a stream on which nothing comes.
    input: new PassThrough(),
    output,
    terminal,
    forceUnicode: unicode,
    fullUnicode: false,
    resizeTimeout: RESIZE_SETTLES_MS,
    warnings: false,
  });
  const box = blessed.box({ parent: screen, top: 0, left: 0, width: '100%', height: '100%', tags: false, wrap: false });
  let drawn = '';
  let open = true;
  // blessed empties the screen on a resize, so that even an unchanged frame must be set again.
  screen.program.on('resize', () => {
    drawn = '';
    onResize();
  });
  output.write(PASTE_MARKS_ON);
  return {
    size: () => ({ columns: output.columns || FALLBACK.columns, rows: output.rows || FALLBACK.rows }),
    draw: (content) => {
      if (!open || content === drawn) return;
      drawn = content;
      box.setContent(content);
      screen.render();
    },
    repaint: () => {
      if (!open) return;
      screen.realloc();
      screen.render();
    },
    mouse: (on) => {
      if (open) output.write(on ? MOUSE_ON : MOUSE_OFF);
    },
    suspend: () => {
      if (!open) return;
      output.write(MOUSE_OFF + PASTE_MARKS_OFF);
      screen.program.showCursor();
      screen.program.normalBuffer();
      screen.program.flush();
    },
    resume: () => {
      if (!open) return;
      screen.program.alternateBuffer();
      screen.program.hideCursor();
      screen.program.flush();
      output.write(PASTE_MARKS_ON);
      drawn = '';
      screen.realloc();
    },
    close: () => {
      if (!open) return;
      open = false;
      screen.destroy();
      output.write(MOUSE_OFF + PASTE_MARKS_OFF);
    },
  };
}
