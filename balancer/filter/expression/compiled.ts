// What expressions are compiled to: functions in each other, which are run with what they are about and a number of steps that they may take.
import { Failed, type ValueType } from './values.ts';

/** One run. */
export interface Frame<S> {
  readonly from: S;
  /** Of macros that are under way, the innermost last. */
  readonly locals: unknown[];
  stepsLeft: number;
}

export interface Compiled<S> {
  readonly type: ValueType;
  /** Of one run, without those of macros for each element. */
  readonly steps: number;
  /** A value, or a Failed. */
  readonly run: (frame: Frame<S>) => unknown;
}

/** What an expression may name. */
export interface Variable<S> {
  readonly type: ValueType;
  /** For the page. */
  readonly summary: string;
  readonly read: (from: S) => unknown;
}

/** By name, with dots: `request.method`. */
export type Variables<S> = ReadonlyMap<string, Variable<S>>;

/** A tenth of a millisecond or so. */
export const MOST_STEPS = 10_000;
/** Characters that are gone through in the time of one step. */
const CHARACTERS_A_STEP = 32;

export const TOO_COSTLY = new Failed('cost', `it takes more than ${MOST_STEPS} steps`);

/** False: they are used up. */
export function charge(frame: Pick<Frame<unknown>, 'stepsLeft'>, steps: number): boolean {
  frame.stepsLeft -= steps;
  return frame.stepsLeft >= 0;
}

export const stepsOfText = (length: number): number => Math.ceil(length / CHARACTERS_A_STEP);
