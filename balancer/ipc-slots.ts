// Slots of requests at once, as the controller shares them out and workers ask for them and give them back.

/** Of one counter. */
interface OfCounter {
  readonly limit: string;
  readonly key: string;
  /** Of the caller; empty: none. */
  readonly plan: string;
}

export interface SlotChange extends OfCounter {
  /** Requests that wait for one. */
  readonly need: number;
  /** That the worker has no more. */
  readonly freed: number;
  /** The call that this answers; 0: none. */
  readonly answers: number;
}

/** What changed in one turn of the event loop. */
export interface SlotsChangedMessage {
  readonly type: 'slots_changed';
  readonly changes: readonly SlotChange[];
}

export interface SlotHolding extends OfCounter {
  readonly held: number;
}

/** The first that a controller hears of a worker's slots, on each connection: all of them, whatever was under way on the one before. */
export interface SlotsHeldMessage {
  readonly type: 'slots_held';
  readonly pid: number;
  readonly holdings: readonly SlotHolding[];
}

export interface SlotGift {
  readonly limit: string;
  readonly key: string;
  readonly granted: number;
  /** Still to be had by whoever asks. */
  readonly remaining: number;
}

/** Answers the need of each counter, once all was tried to meet it. */
export interface SlotsGivenMessage {
  readonly type: 'slots_given';
  readonly gifts: readonly SlotGift[];
}

export interface SlotCall {
  readonly limit: string;
  readonly key: string;
  readonly number: number;
  /** Those above it come back as they get free, until the worker is given more. */
  readonly keep: number;
}

/** Another worker needs slots: what is free comes back at once. */
export interface SlotsCalledMessage {
  readonly type: 'slots_called';
  readonly calls: readonly SlotCall[];
}
