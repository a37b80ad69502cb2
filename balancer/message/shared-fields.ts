// Fields that many messages have in common, with what was made of them: peers send the same fields again and again on a connection.
import type { Fields } from './fields.ts';

/** The head of a response as HTTP/1.1 has it, from the second time on that it is the same. */
export interface WholeHead {
  readonly status: number;
  readonly length: number;
  /** The line that was added to the fields; empty: they have one of their own. */
  readonly date: string;
  /** Empty: it was needed once. */
  text: string;
}

/** How a request begins on its way to an endpoint, up to its id, from the second time on that it is the same. */
export interface WholeStart {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  /** What it was written for. */
  readonly form: StartForm;
  /** Empty: it was needed once. */
  text: string;
}

export type StartForm = 'http1' | 'http2' | 'http2-secure';

/** What was made of shared fields; empty until it is needed. */
export interface MadeOfFields {
  /** As lines of HTTP/1.1. */
  http1: string;
  /** As lines of a header block of HTTP/2. */
  http2: string;
  /** Whether Date is among them; told with the texts of a response. */
  dated: boolean;
  /** Fields of a request as they go upstream. */
  forwarded: Readonly<Fields> | null;
  /** The last one. */
  head: WholeHead | null;
  /** The last one. */
  start: WholeStart | null;
}

/** In the list itself: a request looks three times, and a map beside it would hash each list anew. */
const MADE = Symbol('what was made of these fields');

type MaybeShared = Readonly<Fields> & { [MADE]?: MadeOfFields };

/**
 * Lets messages share `fields`, which nobody may change from now on. They must mean the same in all of them: they stay with one peer and one
 * connection, since fields carry credentials and go upstream with the address of their client.
 */
export function share(fields: Fields): Fields {
  const shared: MaybeShared = fields;
  shared[MADE] = { http1: '', http2: '', dated: false, forwarded: null, head: null, start: null };
  Object.freeze(shared);
  return fields;
}

/** Undefined: they are not shared. */
export function madeOf(fields: MaybeShared): MadeOfFields | undefined {
  return fields[MADE];
}

/** The start that was made of `start` before; null: another came since. */
export function sameStart(made: MadeOfFields, { method, target, host, form }: Omit<WholeStart, 'text'>): WholeStart | null {
  const before = made.start;
  if (before !== null && before.target === target && before.host === host && before.method === method && before.form === form)
    return before;
  made.start = { method, target, host, form, text: '' };
  return null;
}

/** A text that is kept: pieces put together stay a tree of pieces until somebody needs them in one. */
export function flat(text: string): string {
  return Buffer.from(text, 'latin1').latin1Slice();
}
