// The feed kept going: applies what has changed, reconnects with back-off and goes on from where it was, and says at once when there is no news.
import type { StatusView } from '../../balancer/controller/api/views.ts';
import type { Clock, Random } from '../../health/clock.ts';
import { CommandFailure, EXIT } from '../exit.ts';
import { applyDelta } from './apply-delta.ts';
import { decodeFeed, decodeStatus, type FeedExtras } from './decode.ts';
import { figure, oneOf, part, StatusUnreadable, text } from './decoders.ts';
import { pause } from './pause.ts';
import { cleanText } from './text.ts';

/** A state of the document, as the appliance numbers them. */
export interface Position {
  readonly epoch: string;
  readonly number: number;
}

/** Opens the feed anew, from a state if one is known; it ends by `signal`, or when the appliance goes away. Values are checked here. */
export type OpenFeed = (signal: AbortSignal, from: Position | null) => AsyncIterable<unknown>;

export type FeedEvent =
  /** `extras` null: the appliance is older than the feed, and tells its status alone. */
  | { readonly type: 'status'; readonly status: StatusView; readonly extras: FeedExtras | null; readonly atMs: number }
  | { readonly type: 'lost'; readonly reason: string; readonly atMs: number };

export interface FeedOptions {
  readonly open: OpenFeed;
  readonly clock: Clock;
  readonly random: Random;
  /** News that comes sooner after what was shown last is passed over; the next brings it. */
  readonly intervalMs: () => number;
  /** Ends the feed. */
  readonly signal: AbortSignal;
}

/** A stream without a word for this long is given up: its other end may be gone without a reset. */
const SILENCE_MS = 10_000;
const SILENCE = Symbol('silence');
const FIRST_BACK_OFF_MS = 250;
const MAX_BACK_OFF_MS = 5000;
/** The appliance sends twice a second, not to the millisecond; news that is this much early is on time. */
const EARLY_MS = 200;

/** Runs until `signal` aborts. Throws only what no further attempt can mend: a caller who may not read. */
export async function runFeed(options: FeedOptions, onEvent: (event: FeedEvent) => void): Promise<void> {
  const { clock, signal } = options;
  const document = new Document();
  let failures = 0;
  while (!signal.aborted) {
    let reason = 'the appliance ended the stream';
    try {
      const news = await readOnce(options, document, onEvent);
      if (news > 0) failures = 0;
    } catch (error) {
      if (!(error instanceof ReadFailure)) throw error;
      if (error.news > 0) failures = 0;
      if (isFinal(error.cause)) throw error.cause;
      reason = error.message;
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

/** What the messages come to: the document, and which state it is. */
class Document {
  position: Position | null = null;
  #raw: unknown = null;
  #role: StatusView['role'] = 'read';

  /** Throws StatusUnreadable or DeltaMisfit, and then knows nothing any more. Null: the message brings no news. */
  take(message: unknown): { readonly status: StatusView; readonly extras: FeedExtras | null } | null {
    try {
      return this.#take(message);
    } catch (error) {
      this.position = null;
      this.#raw = null;
      throw error;
    }
  }

  #take(message: unknown): { readonly status: StatusView; readonly extras: FeedExtras | null } | null {
    const fields = new Map<string, unknown>(typeof message === 'object' && message !== null ? Object.entries(message) : []);
    const role = oneOf('read', 'operate', 'admin');
    switch (part(oneOf('snapshot', 'resumed', 'delta', 'status'), fields.get('type'), 'type')) {
      case 'status':
        return { status: decodeStatus(fields.get('status')), extras: null };
      case 'snapshot':
        this.#role = part(role, fields.get('role'), 'role');
        this.#raw = fields.get('document');
        this.position = { epoch: part(text, fields.get('epoch'), 'epoch'), number: part(figure, fields.get('number'), 'number') };
        break;
      case 'resumed':
        this.#role = part(role, fields.get('role'), 'role');
        return null;
      case 'delta': {
        const from = part(figure, fields.get('from'), 'from');
        if (this.position?.number !== from) throw new StatusUnreadable('from', `the state ${this.position?.number ?? 'before'}`, from);
        this.#raw = applyDelta(this.#raw, fields.get('delta'));
        this.position = { epoch: this.position.epoch, number: part(figure, fields.get('number'), 'number') };
      }
    }
    return decodeFeed(this.#raw, this.#role);
  }
}

/** What ended one attempt, and how much news it had brought until then. */
class ReadFailure extends Error {
  readonly news: number;

  constructor(message: string, news: number, cause: unknown) {
    super(message, { cause });
    this.name = 'ReadFailure';
    this.news = news;
  }
}

async function readOnce(
  { open, clock, intervalMs, signal }: FeedOptions,
  document: Document,
  onEvent: (event: FeedEvent) => void,
): Promise<number> {
  const attempt = new AbortController();
  const giveUp = (): void => attempt.abort();
  const watchSilence = () => clock.after(SILENCE_MS, () => attempt.abort(SILENCE));
  let silence = watchSilence();
  let news = 0;
  let shownAtMs = -Infinity;
  const failure = (error: unknown): ReadFailure => {
    if (attempt.signal.reason === SILENCE) return new ReadFailure(`nothing came for ${SILENCE_MS / 1000} s`, news, error);
    return new ReadFailure(cleanText(error instanceof Error ? error.message : String(error)), news, error);
  };
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    for await (const value of open(attempt.signal, document.position)) {
      silence.cancel();
      silence = watchSilence();
      const taken = document.take(value);
      if (taken === null) continue;
      news += 1;
      const atMs = clock.nowMs();
      if (atMs - shownAtMs < intervalMs() - EARLY_MS) continue;
      shownAtMs = atMs;
      onEvent({ type: 'status', ...taken, atMs });
    }
  } catch (error) {
    throw failure(error);
  } finally {
    silence.cancel();
    signal.removeEventListener('abort', giveUp);
  }
  // A stream that is ended by its signal ends without an error.
  if (attempt.signal.reason === SILENCE) throw failure(null);
  return news;
}

function isFinal(error: unknown): boolean {
  return error instanceof CommandFailure && (error.exitCode === EXIT.notAllowed || error.exitCode === EXIT.usage);
}
