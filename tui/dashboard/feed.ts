// The stream of statuses, kept going: reads, reconnects with back-off, and says at once when there is no news any more.
import type { StatusView } from '../../balancer/controller/api/views.ts';
import type { Clock, Random } from '../../health/clock.ts';
import { CommandFailure, EXIT } from '../exit.ts';
import { decodeStatus } from './decode.ts';
import { pause } from './pause.ts';
import { cleanText } from './text.ts';

/** Opens the stream anew; it ends by `signal`, or when the appliance goes away. Values are checked here. */
export type OpenWatch = (signal: AbortSignal) => AsyncIterable<unknown>;

export type FeedEvent =
  | { readonly type: 'status'; readonly status: StatusView; readonly atMs: number }
  | { readonly type: 'lost'; readonly reason: string; readonly atMs: number };

export interface FeedOptions {
  readonly open: OpenWatch;
  readonly clock: Clock;
  readonly random: Random;
  /** Statuses that come sooner after the last shown one are passed over. */
  readonly intervalMs: number;
  /** Ends the feed. */
  readonly signal: AbortSignal;
}

/** A stream without a word for this long is given up: its other end may be gone without a reset. */
const SILENCE_MS = 10_000;
const SILENCE = Symbol('silence');
const FIRST_BACK_OFF_MS = 250;
const MAX_BACK_OFF_MS = 5000;
/** The appliance sends once a second, not to the millisecond; a status that is this much early is on time. */
const EARLY_MS = 200;

/** Runs until `signal` aborts. Throws only what no further attempt can mend: a caller who may not read. */
export async function runFeed(options: FeedOptions, onEvent: (event: FeedEvent) => void): Promise<void> {
  const { clock, signal } = options;
  let failures = 0;
  while (!signal.aborted) {
    let reason = 'the appliance ended the stream';
    try {
      const statuses = await readOnce(options, onEvent);
      if (statuses > 0) failures = 0;
    } catch (error) {
      if (error instanceof ReadFailure) {
        if (error.statuses > 0) failures = 0;
        if (isFinal(error.cause)) throw error.cause;
        reason = error.message;
      } else throw error;
    }
    // Not a constant: the loop above has waited, and the signal may have come meanwhile.
    if (hasEnded(signal)) return;
    onEvent({ type: 'lost', reason, atMs: clock.nowMs() });
    await pause(backOffMs(failures, options.random), clock, signal);
    failures += 1;
  }
}

function hasEnded(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** Doubles up to the maximum; half of it is left to chance, so that many dashboards do not come back at once. */
export function backOffMs(failures: number, random: Random): number {
  const full = Math.min(MAX_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** Math.min(failures, 10));
  return full / 2 + (full / 2) * random();
}

/** What ended one attempt, and how many statuses it had brought until then. */
class ReadFailure extends Error {
  readonly statuses: number;

  constructor(message: string, statuses: number, cause: unknown) {
    super(message, { cause });
    this.name = 'ReadFailure';
    this.statuses = statuses;
  }
}

async function readOnce({ open, clock, intervalMs, signal }: FeedOptions, onEvent: (event: FeedEvent) => void): Promise<number> {
  const attempt = new AbortController();
  const giveUp = (): void => attempt.abort();
  const watchSilence = () => clock.after(SILENCE_MS, () => attempt.abort(SILENCE));
  let silence = watchSilence();
  let statuses = 0;
  let shownAtMs = -Infinity;
  const failure = (error: unknown): ReadFailure => {
    if (attempt.signal.reason === SILENCE) return new ReadFailure(`nothing came for ${SILENCE_MS / 1000} s`, statuses, error);
    return new ReadFailure(cleanText(error instanceof Error ? error.message : String(error)), statuses, error);
  };
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    for await (const value of open(attempt.signal)) {
      silence.cancel();
      silence = watchSilence();
      const status = decodeStatus(value);
      statuses += 1;
      const atMs = clock.nowMs();
      if (atMs - shownAtMs < intervalMs - EARLY_MS) continue;
      shownAtMs = atMs;
      onEvent({ type: 'status', status, atMs });
    }
  } catch (error) {
    throw failure(error);
  } finally {
    silence.cancel();
    signal.removeEventListener('abort', giveUp);
  }
  // A stream that is ended by its signal ends without an error.
  if (attempt.signal.reason === SILENCE) throw failure(null);
  return statuses;
}

function isFinal(error: unknown): boolean {
  return error instanceof CommandFailure && (error.exitCode === EXIT.notAllowed || error.exitCode === EXIT.usage);
}
