// How many streams a client was told it may have open (SETTINGS_MAX_CONCURRENT_STREAMS). While the process has more work than time it is told less.
import type { Http2Exchange } from './downstream-exchange.ts';
import { Setting, settingsFrame } from './frame.ts';

/** A stream that is open for so long (server-sent events, a stream of gRPC, a WebSocket) is no work that waits, and leaves its place to others. */
const LONG_MS = 1000;

export class ToldStreams {
  readonly #most: number;
  #told: number;
  /** SETTINGS of ours that the client has not acknowledged; the first is sent as the connection begins. */
  #underWay = 1;

  /** `most`: what is allowed in any case; `limit`: what is allowed now, Infinity for `most`. */
  constructor(most: number, limit: number) {
    this.#most = most;
    this.#told = Math.min(most, limit);
  }

  get value(): number {
    return this.#told;
  }

  /** False: it acknowledged what was not sent (RFC 9113 section 6.5.3). */
  acknowledge(): boolean {
    this.#underWay -= 1;
    return this.#underWay >= 0;
  }

  /**
   * The frame to send for this limit; empty: none. `open`: the oldest first. Who has not acknowledged the last one is told nothing new: it does not
   * read, or reads too slowly to open many.
   */
  change(limit: number, open: Iterable<Http2Exchange>, nowMs: number): string {
    const told = limit >= this.#most ? this.#most : Math.min(this.#most, limit + longOpen(open, nowMs));
    if (told === this.#told || this.#underWay > 0) return '';
    this.#told = told;
    this.#underWay += 1;
    return settingsFrame([Setting.MaxConcurrentStreams, told]);
  }
}

function longOpen(open: Iterable<Http2Exchange>, nowMs: number): number {
  let count = 0;
  for (const { startedMs } of open) {
    if (nowMs - startedMs < LONG_MS) break;
    count += 1;
  }
  return count;
}
