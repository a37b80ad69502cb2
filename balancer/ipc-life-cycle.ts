// What a supervisor and its children say to each other over the process channel: starting, listening, ending. No data of requests.
import { count, fitting, has, text, texts, type Guard, type Shape } from './ipc-shapes.ts';

/** The program or the workers of the host are replaced by new processes, while it serves. One at a time. */
export interface Renewal {
  /** Random. */
  readonly id: string;
  readonly of: RenewalOf;
  readonly state: 'running' | 'done' | 'failed';
  /** Why it failed; then all is as before. */
  readonly problem: string | null;
  /** Of the program that serves when it is over. */
  readonly version: string;
}

/** `program`: the whole of it, as it is on disk now. `workers`: one after the other. */
export type RenewalOf = 'program' | 'workers';

export type SupervisorMessage =
  /** To one that drains already: it has no longer than that from now on. */
  | { readonly type: 'drain'; readonly deadlineMs: number }
  | { readonly type: 'reload' }
  /** To a controller that stands by or has released: be the controller. */
  | Begin
  /** To the controller: close the store and all sockets, for the one of another supervisor. The process stays, in case that one fails. */
  | { readonly type: 'release' }
  /** To the controller: what became of a renewal. */
  | { readonly type: 'renewal'; readonly renewal: Renewal }
  /** To the controller: a child, by name, gave no sign of life for so long and was killed. */
  | { readonly type: 'hung'; readonly child: string; readonly silentMs: number }
  /** To a worker: the host is about to go; it serves on, and its readiness says no. */
  | { readonly type: 'lame_duck' }
  /** To the controller: the supervisor before and its workers are gone. */
  | { readonly type: 'alone' }
  /** Accept from the listening socket that comes along, until `cease`. */
  | { readonly type: 'accept'; readonly address: string; readonly socket: number }
  /** Another worker accepts from it from now on. */
  | { readonly type: 'cease'; readonly address: string; readonly socket: number }
  /** The address that was asked for cannot be opened, and why. */
  | { readonly type: 'refuse'; readonly address: string; readonly problem: string };

interface Begin {
  readonly type: 'begin';
  /** Workers of the supervisor before, which serve until those of this one do. */
  readonly before: readonly string[];
}

/** The config has this address: give me what to accept from. `address` is its name in all that follows. */
export interface ListenMessage {
  readonly type: 'listen';
  readonly address: string;
  /** Numeric. */
  readonly host: string;
  readonly port: number;
}

/** The controller read a config: what of it is the supervisor's. One of another release may say less. */
export interface ScaleMessage {
  readonly type: 'scale';
  readonly workers: number;
  readonly drainDeadlineMs?: number;
  readonly lameDuckMs?: number;
  readonly hangMs?: number;
}

/** An operator asks the controller for a renewal. */
export interface RenewMessage {
  readonly type: 'renew';
  readonly id: string;
  readonly of: RenewalOf;
  readonly timeoutMs: number;
  /** Those that drain since renewals before are ended first. One of another release says nothing of it. */
  readonly endDraining?: boolean;
}

/** From a child to the supervisor. */
export type ChildMessage =
  | { readonly type: 'ready' }
  /** Once a second: its event loop turns. */
  | { readonly type: 'alive' }
  /** A controller is loaded and waits for `begin`. */
  | { readonly type: 'standing_by' }
  /** A controller holds nothing any more. */
  | { readonly type: 'released' }
  /** It accepts nothing more. */
  | { readonly type: 'draining' }
  | { readonly type: 'drained' }
  | ListenMessage
  /** The config has the address no more. */
  | { readonly type: 'unlisten'; readonly address: string }
  | ScaleMessage
  | RenewMessage
  /** It cannot do its work at all (an address in use, a state directory that is taken), and why in one line. */
  | { readonly type: 'failed'; readonly problem: string };

const renewalOf: Guard = (value) => value === 'program' || value === 'workers';
const renewal: Guard = (value) => has(value, { id: text, of: renewalOf, state: text, version: text });

const SUPERVISOR_FIELDS: Readonly<Record<SupervisorMessage['type'], Shape>> = {
  drain: { deadlineMs: count },
  reload: {},
  begin: { before: texts },
  release: {},
  renewal: { renewal },
  hung: { child: text, silentMs: count },
  lame_duck: {},
  alone: {},
  accept: { address: text, socket: count },
  cease: { address: text, socket: count },
  refuse: { address: text, problem: text },
};

const CHILD_FIELDS: Readonly<Record<ChildMessage['type'], Shape>> = {
  ready: {},
  alive: {},
  standing_by: {},
  released: {},
  draining: {},
  drained: {},
  listen: { address: text, host: text, port: count },
  unlisten: { address: text },
  scale: { workers: count },
  renew: { id: text, of: renewalOf, timeoutMs: count },
  failed: { problem: text },
};

/** Null: not a message of a supervisor. */
export function decodeSupervisorMessage(value: unknown): SupervisorMessage | null {
  return fitting(value, SUPERVISOR_FIELDS) as SupervisorMessage | null;
}

/** Null: not a message of a child. */
export function decodeChildMessage(value: unknown): ChildMessage | null {
  return fitting(value, CHILD_FIELDS) as ChildMessage | null;
}
