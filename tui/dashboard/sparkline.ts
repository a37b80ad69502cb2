// Small charts as text: a line of bars over time, and a bar of how full something is.
import type { Glyphs } from './glyphs.ts';

/** The newest `width` values against the highest of them, newest at the right; a value that is no number is a gap. */
export function sparkline(values: readonly number[], width: number, glyphs: Glyphs): string {
  const shown = values.slice(-width);
  const highest = Math.max(0, ...shown.filter(Number.isFinite));
  const top = glyphs.spark.length - 1;
  const bars = shown.map((value) => {
    if (!Number.isFinite(value)) return ' ';
    const level = highest === 0 ? 0 : Math.round((Math.max(0, value) / highest) * top);
    return glyphs.spark[level] ?? ' ';
  });
  return bars.join('').padStart(width);
}

/** `ratio` of `width` cells, to half a cell; more than all is all. Anything above 0 shows at least half a cell. */
export function bar(ratio: number, width: number, glyphs: Glyphs): string {
  const wanted = Math.round(Math.min(1, Math.max(0, ratio)) * width * 2);
  const halves = ratio > 0 ? Math.max(1, wanted) : 0;
  const full = Math.floor(halves / 2);
  const half = halves % 2 === 1 ? glyphs.bar.half : '';
  return (glyphs.bar.full.repeat(full) + half).padEnd(width, glyphs.bar.empty);
}
