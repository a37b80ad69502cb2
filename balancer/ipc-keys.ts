// Keys of issuers, as the controller fetches them for all workers, and as a worker asks for one that it does not know.

/** As it is now: after each fetch, to each worker that comes, and as the answer to each question. */
export interface KeySetMessage {
  readonly type: 'key_set';
  readonly url: string;
  /** Rises when the keys change; 0: they were never fetched. */
  readonly version: number;
  /** Public JSON Web Keys (RFC 7517), not checked in depth. */
  readonly keys: readonly object[];
}

/** A token names a key that is not in the set, or is not signed by the one it names. */
export interface KeyWantedMessage {
  readonly type: 'key_wanted';
  readonly url: string;
}
