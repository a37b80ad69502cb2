// Who a request comes from, once a policy has proved it.

/** One caller. Nothing in it is a secret. */
export interface Identity {
  /** Name of the consumer; empty: somebody whom an issuer of tokens vouches for and the config does not know. */
  readonly consumer: string;
  /** What proved it, as in the file: the name of the method, such as `key` or `jwt`. */
  readonly method: string;
  /** Which credential of the consumer, by its public id; empty: it has none. */
  readonly credential: string;
  readonly groups: readonly string[];
  readonly scopes: readonly string[];
  /** Of a token; null: none came. */
  readonly claims: Readonly<Record<string, unknown>> | null;
}
