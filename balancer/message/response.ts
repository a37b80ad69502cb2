// A response head as filters see it, and a response that weir makes itself.
import type { Fields } from './fields.ts';

export interface ResponseHead {
  status: number;
  /** End-to-end fields, without framing fields. */
  fields: Fields;
}

/** A whole response made by weir: by a filter, or from the error catalogue. */
export interface LocalReply {
  readonly status: number;
  readonly fields: Fields;
  readonly body: string;
}
