// A response head as filters see it, and a response that weir makes itself.
import type { ErrorCode } from '../errors.ts';
import type { Fields } from './fields.ts';

export interface ResponseHead {
  status: number;
  /** End-to-end fields, without framing fields. */
  fields: Fields;
  /** Of the body of an endpoint, as it was declared; UNKNOWN_LENGTH, UNTIL_CLOSE, or absent: it is not known. */
  bodyLength?: number;
  /** It was answered before, to another request; absent: it was not. */
  readonly isRecalled?: true;
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

/** What an endpoint answered before, in place of what it would answer now. */
export interface StoredReply {
  readonly status: number;
  readonly fields: Readonly<Fields>;
  /** What is sent of it; nobody changes it. */
  readonly body: Buffer;
  /** As it is told, to HEAD too, which is sent none; UNKNOWN_LENGTH: it is not told. */
  readonly bodyLength: number;
}
