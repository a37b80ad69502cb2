// The steps in which history is kept, the finest first. A step is a whole number of the steps before it, and chunks begin at whole numbers of chunks.

export interface Tier {
  readonly name: '1s' | '10s' | '1m' | '1h';
  readonly stepMs: number;
  readonly keepMs: number;
  /** What is written at once: steps in a chunk. */
  readonly chunkSteps: number;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * What of a tier is not written yet can always be made again from the tier before, which is kept for longer than a chunk takes. Of the finest each step is
 * kept by itself until its chunk is written: only the one that runs is lost with a process that is killed.
 */
export const TIERS: readonly [Tier, ...Tier[]] = [
  { name: '1s', stepMs: SECOND, keepMs: 10 * MINUTE, chunkSteps: 10 },
  { name: '10s', stepMs: 10 * SECOND, keepMs: 6 * HOUR, chunkSteps: 30 },
  { name: '1m', stepMs: MINUTE, keepMs: 7 * DAY, chunkSteps: 30 },
  { name: '1h', stepMs: HOUR, keepMs: 400 * DAY, chunkSteps: 12 },
];

export const chunkMs = ({ stepMs, chunkSteps }: Tier): number => stepMs * chunkSteps;
export const stepStart = ({ stepMs }: Tier, ms: number): number => Math.floor(ms / stepMs) * stepMs;
export const chunkStart = (tier: Tier, ms: number): number => Math.floor(ms / chunkMs(tier)) * chunkMs(tier);
