// What a supervisor and the one that takes its place say to each other, over the channel by which the first started the second. They may be of
// different versions of the program.
import { count, fitting, has, mapping, text, texts, type Guard, type Shape } from './ipc-shapes.ts';

/** Rises when a message changes its meaning. In the environment of the successor, which refuses another number. */
export const SUCCESSION_PROTOCOL = '1';
export const SUCCESSION_VARIABLE = 'WEIR_SUCCEEDS';
/** The first descriptor of a listening socket; before it are the standard ones and the channel. */
export const FIRST_SOCKET_DESCRIPTOR = 4;

/** An address and its listening sockets, as descriptors of the successor. */
export interface HandedAddress {
  readonly name: string;
  /** Numeric. */
  readonly host: string;
  readonly port: number;
  readonly descriptors: readonly number[];
}

/** All that the one before had is free, and this is what it passes on. */
export interface TakeOver {
  readonly type: 'take_over';
  readonly renewal: string;
  readonly addresses: readonly HandedAddress[];
  /** Names of its workers, which serve until those of the successor do. */
  readonly workers: readonly string[];
}

export type PredecessorMessage =
  | TakeOver
  /** So many workers of the one before, and of those before it, drain yet. */
  | { readonly type: 'draining'; readonly workers: number }
  /** The one before goes on: end. */
  | { readonly type: 'give_up' };

export type SuccessorMessage =
  /** Its program is loaded, the config is read, its controller stands by. */
  | { readonly type: 'prepared'; readonly version: string }
  /** All of its workers serve: the one before may leave. */
  | { readonly type: 'serving' }
  | { readonly type: 'failed'; readonly problem: string }
  /** Somebody ends the successor at once: whoever is still leaving ends, too. */
  | { readonly type: 'kill' };

const address: Guard = (value) => has(value, { name: text, host: text, port: count, descriptors: Array.isArray });
const addresses: Guard = (value) => Array.isArray(value) && value.every((one) => mapping(one) && address(one));

const PREDECESSOR_FIELDS: Readonly<Record<PredecessorMessage['type'], Shape>> = {
  take_over: { renewal: text, addresses, workers: texts },
  draining: { workers: count },
  give_up: {},
};

const SUCCESSOR_FIELDS: Readonly<Record<SuccessorMessage['type'], Shape>> = {
  prepared: { version: text },
  serving: {},
  failed: { problem: text },
  kill: {},
};

/** Null: not a message of a predecessor. */
export function decodePredecessorMessage(value: unknown): PredecessorMessage | null {
  return fitting(value, PREDECESSOR_FIELDS) as PredecessorMessage | null;
}

/** Null: not a message of a successor. */
export function decodeSuccessorMessage(value: unknown): SuccessorMessage | null {
  return fitting(value, SUCCESSOR_FIELDS) as SuccessorMessage | null;
}
