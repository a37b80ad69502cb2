// A response head as filters see it, and a response that weir makes itself.
import type { ErrorCode } from '../errors.ts';
import type { Fields } from './fields.ts';

export interface ResponseHead {
  status: number;
  /** End-to-end fields, without framing fields. */
  fields: Fields;
  /** Of the body of an endpoint, as it was declared; UNKNOWN_LENGTH, or absent: it is not known. */
  bodyLength?: number;
  /** Of a response that weir makes itself; absent: it is an endpoint's. */
  readonly own?: OwnResponse;
}

/** What a response of weir's own is besides its head. */
export interface OwnResponse {
  body: string;
  /** Empty: no error, but what a filter says in place of the service. */
  readonly code: ErrorCode | '';
}

/** A whole response made by weir: by a filter, or from the error catalogue. */
export interface LocalReply {
  readonly status: number;
  readonly fields: Fields;
  readonly body: string;
}
