// A place for a child of the supervisor: the process in it comes and goes.
import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { BackOff } from '../health/back-off.ts';
import type { Random, Timer } from '../health/clock.ts';
import type { SupervisorMessage } from './ipc-life-cycle.ts';

export const CONTROLLER = 'controller';

const RESTART = { baseMs: 100, maxMs: 30_000, jitter: 0.5 };

export interface Slot {
  /** `controller`, or of a worker: `w1`, `w2`, … */
  readonly name: string;
  readonly backOff: BackOff;
  child: ChildProcess | null;
  startedAtMs: number;
  /** When the process gave its last sign of life; null: not yet. */
  heardMs: number | null;
  /** When it must have given the next one. */
  dueMs: number;
  restarts: number;
  /** The process in it now, or one before it. */
  wasReady: boolean;
  /** The child accepts no more connections. */
  draining: boolean;
  /** No other child comes into this place. */
  leaving: boolean;
  /** Another place is to take over from this one. */
  heir: Slot | null;
  /** The next start, or the kill of a child that does not leave. */
  timer: Timer | null;
}

export function createSlot(name: string, random: Random): Slot {
  return {
    name,
    backOff: new BackOff(RESTART, random),
    child: null,
    startedAtMs: 0,
    heardMs: null,
    dueMs: Infinity,
    restarts: 0,
    wasReady: false,
    draining: false,
    leaving: false,
    heir: null,
    timer: null,
  };
}

/** The lowest number that is free: names label metrics, so there must not be ever more of them. */
export function freeName(taken: readonly string[]): string {
  let number = 1;
  while (taken.includes(`w${number}`)) number += 1;
  return `w${number}`;
}

export function titleOf({ name }: Slot): string {
  return name === CONTROLLER ? CONTROLLER : `worker ${name}`;
}

/** A child whose channel is closed is on its way out; its exit will be seen. */
export function tell({ child }: Slot, message: SupervisorMessage, socket?: Socket): void {
  if (child?.connected === true) child.send(message, socket, { keepOpen: true }, () => undefined);
}
