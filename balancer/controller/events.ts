// What happened on this host, newest kept: one line per event, numbered, told to whoever listens.
import type { Clock } from '../../health/clock.ts';
import { EVENTS, type EventCode } from '../event-codes.ts';
import type { Log } from '../log.ts';
import type { EventView } from './api/views.ts';

/** Events kept in memory. */
const CAPACITY = 1000;

export class EventLog {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #subscribers = new Set<(event: EventView) => void>();
  /** Oldest first. */
  #events: EventView[] = [];
  #sequence = 0;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  add(code: EventCode, text: string): void {
    const { kind, severity } = EVENTS[code];
    this.#sequence += 1;
    const at = new Date(this.#clock.wallMs()).toISOString();
    const event = { sequence: this.#sequence, at, code, kind, severity, text: oneLine(text) };
    this.#events.push(event);
    // Cut in blocks: shifting a long array for every event is work for nothing.
    if (this.#events.length >= CAPACITY * 2) this.#events = this.#events.slice(-CAPACITY);
    this.#log.info({ kind, code, event: event.text }, 'event');
    for (const tell of this.#subscribers) tell(event);
  }

  /** Of the fleet, whose parts tell in words alone. */
  addOfFleet(text: string): void {
    if (text.startsWith('ALERT')) this.add('fleet.alert', text);
    else this.add(text.startsWith('the fleet cannot be reached') ? 'fleet.away' : 'fleet.news', text);
  }

  /** Newest first. */
  newest(limit: number): readonly EventView[] {
    return this.#events.slice(-Math.min(limit, CAPACITY)).reverse();
  }

  /** Calls back on each event until the returned function is called. */
  subscribe(onEvent: (event: EventView) => void): () => void {
    this.#subscribers.add(onEvent);
    return () => void this.#subscribers.delete(onEvent);
  }
}

function oneLine(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}
