// How far a long act is, as a bar on a terminal. Where nobody watches a terminal, the lines that say what is new are all there is.
import type { CommandCall } from './command.ts';
import { isStructured } from './output.ts';

const WIDTH = 24;

/** `[=========>              ] 2 of 5 …` in place of the line before; `part` is 0 to 1. */
export function showProgress({ terminal, format }: CommandCall, part: number, says: string): void {
  if (!terminal.interactive || isStructured(format)) return;
  const full = Math.max(0, Math.min(WIDTH, Math.round(part * WIDTH)));
  const head = full === 0 || full === WIDTH ? '' : '>';
  terminal.progress(`[${'='.repeat(full - head.length)}${head}${' '.repeat(WIDTH - full)}] ${says}`);
}

/** Before a line of text, and at the end. */
export function clearProgress({ terminal, format }: CommandCall): void {
  if (terminal.interactive && !isStructured(format)) terminal.progress('');
}
