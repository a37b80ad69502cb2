// Answers without an end: one JSON object a line (application/x-ndjson), bounded in memory whatever the reader does.
import type { ServerResponse } from 'node:http';
import type { Clock, Timer } from '../../../health/clock.ts';
import type { Appliance } from '../appliance.ts';
import type { Role } from '../../store/store.ts';
import type { EventView } from './views.ts';

/** How often a watcher gets a status without anything happening. */
const STATUS_PERIOD_MS = 1000;
/** Events in quick succession make one status. */
const STATUS_MIN_GAP_MS = 100;
/** An empty line this often tells an event follower that the connection lives. */
const HEARTBEAT_MS = 5000;
/** A reader that takes nothing for this long is cut off. */
const STALLED_MS = 30_000;
/** Events kept for a reader that is slow; then the oldest go, and the gap shows in their sequence numbers. */
const MAX_QUEUED_EVENTS = 1000;

/** One open answer; `close` ends it in good order and may be called twice. */
export interface LineStream {
  close(): void;
}

export interface StreamParts {
  readonly response: ServerResponse;
  readonly appliance: Appliance;
  readonly clock: Clock;
}

/** Writes lines and knows when the reader cannot take more. */
class Lines {
  readonly #response: ServerResponse;
  readonly #clock: Clock;
  readonly #onRoom: () => void;
  #stalled: Timer | null = null;
  #ended = false;

  constructor(parts: StreamParts, onRoom: () => void) {
    this.#response = parts.response;
    this.#clock = parts.clock;
    this.#onRoom = onRoom;
  }

  start(onGone: () => void): void {
    this.#response.writeHead(200, {
      'content-type': 'application/x-ndjson',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    this.#response.flushHeaders();
    this.#response.on('drain', () => {
      this.#stalled?.cancel();
      this.#stalled = null;
      this.#onRoom();
    });
    this.#response.on('close', () => {
      this.#ended = true;
      this.#stalled?.cancel();
      onGone();
    });
  }

  /** False while the reader is behind; nothing may be written then. */
  get hasRoom(): boolean {
    return !this.#ended && this.#stalled === null;
  }

  write(value: unknown): void {
    this.#writeText(`${JSON.stringify(value)}\n`);
  }

  heartbeat(): void {
    this.#writeText('\n');
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#response.end();
  }

  #writeText(text: string): void {
    if (this.#response.write(text)) return;
    this.#stalled ??= this.#clock.after(STALLED_MS, () => this.#response.destroy(), true);
  }
}

/** A status at once, then one a second and one soon after each event. A slow reader misses states, never the latest. */
export function streamStatus(parts: StreamParts, role: Role): LineStream {
  const { appliance, clock } = parts;
  let timer: Timer | null = null;
  let sentAtMs = 0;
  let dueWhenRoom = false;
  const lines = new Lines(parts, () => {
    if (dueWhenRoom) send();
  });
  const plan = (delayMs: number): void => {
    timer?.cancel();
    timer = clock.after(delayMs, send, true);
  };
  const send = (): void => {
    dueWhenRoom = !lines.hasRoom;
    if (lines.hasRoom) {
      sentAtMs = clock.nowMs();
      lines.write(appliance.status(role));
    }
    plan(STATUS_PERIOD_MS);
  };
  const unsubscribe = appliance.subscribe(() => plan(Math.max(0, sentAtMs + STATUS_MIN_GAP_MS - clock.nowMs())));
  lines.start(() => {
    timer?.cancel();
    unsubscribe();
  });
  send();
  return { close: () => lines.end() };
}

/** The last `backlog` events, oldest first, then every one as it happens. */
export function streamEvents(parts: StreamParts, backlog: number): LineStream {
  const { appliance, clock } = parts;
  const queue: EventView[] = [];
  let timer: Timer | null = null;
  const flush = (): void => {
    while (lines.hasRoom) {
      const event = queue.shift();
      if (event === undefined) return;
      lines.write(event);
    }
  };
  const lines = new Lines(parts, flush);
  const beat = (): void => {
    if (lines.hasRoom) lines.heartbeat();
    timer = clock.after(HEARTBEAT_MS, beat, true);
  };
  const unsubscribe = appliance.subscribe((event) => {
    queue.push(event);
    if (queue.length > MAX_QUEUED_EVENTS) queue.shift();
    flush();
  });
  lines.start(() => {
    timer?.cancel();
    unsubscribe();
  });
  if (backlog > 0) queue.push(...appliance.events(backlog).items.toReversed());
  flush();
  beat();
  return { close: () => lines.end() };
}
