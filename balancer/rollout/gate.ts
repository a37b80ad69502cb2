// What a gate is: a condition on a version under trial, held against what its requests came to and what those of the others did meanwhile.

/** What tries of requests came to; counts add up. */
export interface Outcomes {
  readonly requests: number;
  /** Answered with a 5xx, or lost on the way. */
  readonly errors: number;
  /** Answers per bucket of the latency histogram, the last one without an upper bound. */
  readonly latency: readonly number[];
  /** Copied requests whose answers were held against those of users, and those that differ; absent: none. */
  readonly compared?: number;
  readonly different?: number;
}

/** One second of a rollout. */
export interface Evidence {
  /** Of the version under trial, in this second. */
  readonly trial: Outcomes;
  /**
   * Of the other versions, in the clusters where the version under trial was asked: short for what happens to all just now, long for what is usual. Null: there
   * were none.
   */
  readonly baseline: { readonly short: Outcomes; readonly long: Outcomes } | null;
  /** 0 to 1: the errors of the other versions before the rollout took most from them. */
  readonly usualErrorRatio: number;
  /** What came meanwhile of gates that ask, by their names. */
  readonly readings?: ReadonlyMap<string, Reading>;
}

/** `insufficient`: there is not enough to tell; it neither passes nor fails. */
export type Verdict = 'pass' | 'fail' | 'insufficient';

export interface Judgement {
  readonly verdict: Verdict;
  /** For people: the figure and what it is held against, `0.12 % of 1,204 requests, others 0.1 %`. */
  readonly says: string;
}

/** What an answer says, and how many bad ones in a row are a failure. */
export interface Reading extends Judgement {
  readonly failures: number;
}

/** A gate at work in one step. It is asked in every state of the rollout, so nothing goes wrong unseen while somebody thinks. */
export interface GateAtWork {
  add(evidence: Evidence): void;
  judge(minRequests: number): Judgement;
}

export interface Gate {
  /** As people write it: `errors<1%`. */
  readonly text: string;
  begin(): GateAtWork;
}

/** A kind of gate: one file here, one line in the registry. */
export interface GateKind {
  /** With an example of each form, for messages. */
  readonly forms: readonly string[];
  /** Null: the text is not of this kind. A text: it is, and this is wrong with it. */
  read(text: string): Gate | string | null;
}
