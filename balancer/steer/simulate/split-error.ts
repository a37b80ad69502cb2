// How far the requests of many workers together are from a share, over the first of them and over any run of them.
import { MILLION } from '../../config/config.ts';
import { SplitChooser } from '../split.ts';
import { seededRandom } from './seeded-random.ts';

export interface SplitRun {
  readonly workers: number;
  /** Of the canary, in millionths. */
  readonly share: number;
  readonly requests: number;
  /** Length of a run, and of the first requests. */
  readonly window: number;
  readonly first: number;
}

/** In points of a hundred. */
export interface SplitError {
  /** Largest over all runs of the length. */
  readonly any: number;
  /** Mean square over runs that do not overlap. */
  readonly square: number;
  readonly first: number;
}

/** Requests come to workers at random, as connections do. */
export function splitError({ workers, share, requests, window, first }: SplitRun, seed: number): SplitError {
  const random = seededRandom(seed);
  const choosers = Array.from(
    { length: workers },
    (_, index) => new SplitChooser([MILLION - share, share], random, { index, of: workers }),
  );
  const canary = new Int32Array(requests + 1);
  for (let request = 0; request < requests; request += 1)
    canary[request + 1] = (canary[request] ?? 0) + (choosers[Math.floor(random() * workers)]?.next() ?? 0);
  const points = (from: number, length: number): number =>
    100 * (((canary[from + length] ?? 0) - (canary[from] ?? 0)) / length - share / MILLION);
  let any = 0;
  for (let from = 0; from + window <= requests; from += 1) any = Math.max(any, Math.abs(points(from, window)));
  let squares = 0;
  const runs = Math.floor(requests / window);
  for (let run = 0; run < runs; run += 1) squares += points(run * window, window) ** 2;
  return { any, square: squares / runs, first: Math.abs(points(0, first)) };
}
