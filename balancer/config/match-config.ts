// A condition on a named value of a request, complete.

export type ValueMatch =
  | { readonly kind: 'exact'; readonly value: string }
  | { readonly kind: 'regex'; readonly value: string }
  | { readonly kind: 'present' }
  | { readonly kind: 'absent' };

export interface FieldMatch {
  /** Lower case for header fields; as written for query parameters and cookies. */
  readonly name: string;
  readonly match: ValueMatch;
}
