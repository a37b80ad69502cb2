// The document of the dashboards, made once for all who watch, and sent to each as what has changed since what it has.
import type { Clock, Timer } from '../../../health/clock.ts';
import type { Appliance } from '../appliance.ts';
import type { Role } from '../../store/store.ts';
import { deltaOf } from './delta.ts';
import type { FeedMessage, FeedView } from './feed-view.ts';

/** Half of what workers take to tell: news is on the screen before the next comes. */
const PERIOD_MS = 500;
/** Making the document takes at most this part of the controller's time. */
const PART_OF_TIME = 1 / 20;
/** Events in quick succession make one document. */
const MIN_GAP_MS = 100;
/** Changes that are kept for readers who come back: so many, and so many bytes, whichever is less. */
const MAX_KEPT = 240;
const MAX_KEPT_BYTES = 2 * 1024 * 1024;
/** Bytes under way to a reader; with more it waits, and then gets one change for all it has missed. */
const MAX_UNSENT_BYTES = 256 * 1024;
/** How often a reader that is behind is looked at. */
const LOOK_MS = 250;
/** A reader that takes nothing for so long is cut off. */
const STALLED_MS = 30_000;
/** The connection's sign of life where nothing changes. */
const PING_MS = 5000;

/** What is used of a WebSocket. */
export interface FeedSocket {
  readonly bufferedAmount: number;
  send(text: string): void;
  ping(): void;
  close(code: number, reason: string): void;
  terminate(): void;
  on(event: 'close' | 'error', listener: () => void): unknown;
}

/** The state that a reader has from before; null: it is new. */
export interface Remembered {
  readonly epoch: string;
  readonly number: number;
}

export interface LiveFeedParts {
  readonly appliance: Pick<Appliance, 'feed' | 'subscribe'>;
  readonly clock: Clock;
  /** Names this controller's documents. */
  readonly epoch: string;
}

interface State {
  readonly number: number;
  readonly document: FeedView;
}

/** A message that leads from one state to the next, as it is sent. */
interface Step {
  readonly from: number;
  readonly text: string;
}

/** Of one reader; `close` ends it in good order and may be called twice. */
export interface FeedStream {
  close(): void;
}

export class LiveFeed {
  readonly #parts: LiveFeedParts;
  readonly #readers = new Set<Reader>();
  /** The newest document stays when nobody reads: who comes back gets what has changed since. */
  #newest: State | null = null;
  /** Oldest first, each beginning where the one before ends. */
  #steps: Step[] = [];
  #stepBytes = 0;
  #timer: Timer | null = null;
  #madeAtMs = -Infinity;
  #unsubscribe: (() => void) | null = null;

  constructor(parts: LiveFeedParts) {
    this.#parts = parts;
  }

  /** Documents are made as long as somebody reads. */
  add(socket: FeedSocket, role: Role, has: Remembered | null): FeedStream {
    if (this.#readers.size === 0) this.#begin();
    const { epoch, clock } = this.#parts;
    const now = this.#newest ?? this.#make();
    const reader = new Reader(socket, clock, () => {
      this.#readers.delete(reader);
      if (this.#readers.size === 0) this.#end();
    });
    this.#readers.add(reader);
    const missed = has?.epoch === epoch ? this.#since(has.number) : null;
    const begins: FeedMessage =
      missed === null || has === null
        ? { type: 'snapshot', epoch, number: now.number, role, document: now.document }
        : { type: 'resumed', epoch, number: has.number, role };
    reader.begin([JSON.stringify(begins), ...(missed ?? [])], now);
    return reader;
  }

  close(): void {
    for (const reader of this.#readers) reader.close();
  }

  /** The messages that lead from a state to the newest; null: that is too long ago. */
  #since(number: number): readonly string[] | null {
    if (number === this.#newest?.number) return [];
    const first = this.#steps.findIndex(({ from }) => from === number);
    return first < 0 ? null : this.#steps.slice(first).map(({ text }) => text);
  }

  #begin(): void {
    const { appliance, clock } = this.#parts;
    this.#unsubscribe = appliance.subscribe(() => this.#plan(Math.max(0, this.#madeAtMs + MIN_GAP_MS - clock.nowMs())));
    this.#make();
  }

  #end(): void {
    this.#unsubscribe?.();
    this.#unsubscribe = null;
    this.#timer?.cancel();
    this.#timer = null;
  }

  #plan(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#parts.clock.after(delayMs, () => this.#make(), true);
  }

  #make(): State {
    const { appliance, clock } = this.#parts;
    const startedMs = clock.nowMs();
    const before = this.#newest;
    const state = { number: (before?.number ?? 0) + 1, document: appliance.feed() };
    this.#newest = state;
    if (before !== null) {
      const text = stepText(before, state);
      this.#keep({ from: before.number, text });
      for (const reader of this.#readers) reader.take(state, text);
    }
    this.#madeAtMs = clock.nowMs();
    this.#plan(Math.max(PERIOD_MS, (this.#madeAtMs - startedMs) / PART_OF_TIME));
    return state;
  }

  #keep(step: Step): void {
    this.#steps.push(step);
    this.#stepBytes += step.text.length;
    while (this.#steps.length > MAX_KEPT || this.#stepBytes > MAX_KEPT_BYTES) {
      const dropped = this.#steps.shift();
      if (dropped === undefined) return;
      this.#stepBytes -= dropped.text.length;
    }
  }
}

function stepText(before: State, after: State): string {
  const delta = deltaOf(before.document, after.document)?.delta ?? { o: {} };
  const message: FeedMessage = { type: 'delta', from: before.number, number: after.number, delta };
  return JSON.stringify(message);
}

class Reader implements FeedStream {
  readonly #socket: FeedSocket;
  readonly #clock: Clock;
  #newest: State | null = null;
  /** What the reader has, while it is behind; null: the newest. */
  #has: State | null = null;
  #looking: Timer | null = null;
  #pinging: Timer | null = null;
  #behindSinceMs = 0;
  #closed = false;

  constructor(socket: FeedSocket, clock: Clock, onGone: () => void) {
    this.#socket = socket;
    this.#clock = clock;
    const gone = (): void => {
      if (this.#closed) return;
      this.#closed = true;
      this.#looking?.cancel();
      this.#pinging?.cancel();
      onGone();
    };
    socket.on('close', gone);
    socket.on('error', gone);
    this.#ping();
  }

  begin(messages: readonly string[], has: State): void {
    this.#newest = has;
    for (const message of messages) this.#socket.send(message);
  }

  /** `text` leads to `state` from the one before; a reader that is behind gets one change for all it has missed, when it has room. */
  take(state: State, text: string): void {
    const before = this.#newest;
    this.#newest = state;
    if (this.#has !== null) return;
    if (this.#socket.bufferedAmount <= MAX_UNSENT_BYTES) {
      this.#socket.send(text);
      return;
    }
    this.#has = before;
    this.#behindSinceMs = this.#clock.nowMs();
    this.#look();
  }

  close(): void {
    if (!this.#closed) this.#socket.close(1001, 'the appliance ends the stream');
  }

  #look(): void {
    this.#looking = this.#clock.after(LOOK_MS, () => this.#catchUp(), true);
  }

  #catchUp(): void {
    const [has, newest] = [this.#has, this.#newest];
    if (this.#closed || has === null || newest === null) return;
    if (this.#socket.bufferedAmount > MAX_UNSENT_BYTES) {
      if (this.#clock.nowMs() - this.#behindSinceMs > STALLED_MS) this.#socket.terminate();
      else this.#look();
      return;
    }
    this.#has = null;
    this.#socket.send(stepText(has, newest));
  }

  #ping(): void {
    this.#pinging = this.#clock.after(
      PING_MS,
      () => {
        this.#socket.ping();
        this.#ping();
      },
      true,
    );
  }
}
