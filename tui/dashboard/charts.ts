// Charts over time as lines of text: blocks of several rows, and a strip of shades for latencies. Pure.
import type { Glyphs } from './glyphs.ts';

/** The newest `width` values as columns of blocks, `height` rows high, against `top` or the highest of them; a value that is no number is a gap. */
export function blockChart(
  values: readonly number[],
  { width, height, top = 0 }: { readonly width: number; readonly height: number; readonly top?: number },
  glyphs: Glyphs,
): readonly string[] {
  const shown = values.slice(-width);
  const highest = Math.max(top, ...shown.filter(Number.isFinite), 0);
  const levels = glyphs.spark.length;
  const columns = shown.map((value) => {
    if (!Number.isFinite(value) || highest === 0) return 0;
    const level = Math.round((Math.max(0, value) / highest) * height * levels);
    return value > 0 ? Math.max(1, level) : 0;
  });
  return Array.from({ length: height }, (_, row) => {
    const floor = (height - 1 - row) * levels;
    const cells = columns.map((level) => (level <= floor ? ' ' : (glyphs.spark[Math.min(levels, level - floor) - 1] ?? ' ')));
    return cells.join('').padStart(width);
  });
}

/** As many as there are columns: of more, neighbours become one; of fewer, each fills several. */
export function spread<Value>(values: readonly Value[], width: number, merge: (values: readonly Value[]) => Value): readonly Value[] {
  if (values.length === 0 || width <= 0) return [];
  return Array.from({ length: width }, (_, column) => {
    const first = Math.floor((column * values.length) / width);
    const end = Math.max(first + 1, Math.floor(((column + 1) * values.length) / width));
    return merge(values.slice(first, end));
  });
}

/** Of those that are known. */
export function meanOf(values: readonly (number | null)[]): number | null {
  const some = values.filter((value) => value !== null);
  return some.length === 0 ? null : some.reduce((sum, value) => sum + value, 0) / some.length;
}

/** Requests per bucket of one second or point; null: nothing is known of it. */
export type Counts = readonly number[] | null;

export interface HeatStrip {
  /** Newest last. */
  readonly columns: readonly Counts[];
  readonly boundsMs: readonly number[];
  readonly width: number;
  /** Bands of latency, slow ones above. */
  readonly rows: number;
}

/** A row per band, the slowest first: its lower bound, and a shade per column by the part of that column's requests it has. */
export function heatStrip(
  { columns, boundsMs, width, rows }: HeatStrip,
  glyphs: Glyphs,
): readonly { readonly fromMs: number; readonly cells: string }[] {
  const shown = columns.slice(-width);
  const used = usedBuckets(shown);
  if (used === null) return [];
  const perBand = Math.max(1, Math.ceil((used.to - used.from + 1) / rows));
  const bands: { readonly fromMs: number; readonly cells: string }[] = [];
  for (let first = used.from; first <= used.to; first += perBand) {
    const cells = shown.map((counts) => shade(counts, { first, count: perBand }, glyphs)).join('');
    bands.push({ fromMs: boundsMs[first - 1] ?? 0, cells: cells.padStart(width) });
  }
  return bands.reverse();
}

function usedBuckets(columns: readonly Counts[]): { readonly from: number; readonly to: number } | null {
  let from = Infinity;
  let to = -1;
  for (const counts of columns) {
    for (const [bucket, count] of (counts ?? []).entries()) {
      if (count === 0) continue;
      from = Math.min(from, bucket);
      to = Math.max(to, bucket);
    }
  }
  return to < 0 ? null : { from, to };
}

function shade(counts: Counts, { first, count }: { readonly first: number; readonly count: number }, glyphs: Glyphs): string {
  if (counts === null) return ' ';
  const all = counts.reduce((sum, each) => sum + each, 0);
  const here = counts.slice(first, first + count).reduce((sum, each) => sum + each, 0);
  if (here === 0) return ' ';
  const top = glyphs.shades.length - 1;
  // The least shade for anything at all: one slow request in a thousand is what the strip is for.
  return glyphs.shades[Math.max(1, Math.round((here / all) * top))] ?? ' ';
}

/** The sum over all columns, bucket by bucket. */
export function sumOfCounts(columns: readonly Counts[]): readonly number[] {
  const sums: number[] = [];
  for (const counts of columns) for (const [bucket, count] of (counts ?? []).entries()) sums[bucket] = (sums[bucket] ?? 0) + count;
  return Array.from(sums, (each) => (each as number | undefined) ?? 0);
}

/** The time that a part of the requests stays below, linear within a bucket; of the last bucket its lower bound. Null: no request. */
export function quantileOf(counts: readonly number[], boundsMs: readonly number[], part: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  const rank = part * total;
  let below = 0;
  for (const [bucket, count] of counts.entries()) {
    if (below + count >= rank && count > 0) {
      const lower = boundsMs[bucket - 1] ?? 0;
      const upper = boundsMs[bucket] ?? lower;
      return lower + ((upper - lower) * (rank - below)) / count;
    }
    below += count;
  }
  return null;
}
