// Which requests of a service are copied to another version, and what is made of the answers, complete.

/** How answers are held against those that users got. */
export interface MirrorCompare {
  readonly body: boolean;
  /** Of JSON bodies: pointers (RFC 6901) to what may differ, `*` for every element. */
  readonly ignore: readonly string[];
  /** A longer body is not compared. */
  readonly maxBodyBytes: number;
}

export interface MirrorConfig {
  /** A version of the service. */
  readonly to: string;
  /** Millionths of the requests that may be copied. */
  readonly share: number;
  /** Safe ones. */
  readonly methods: readonly string[];
  /** From its begin to the end of its answer. */
  readonly timeoutMs: number;
  /** Copies in work on this host. */
  readonly concurrency: number;
  /** Whether fields that say who the user is go with it. */
  readonly credentials: 'keep' | 'drop';
  /** Null: answers are discarded unread. */
  readonly compare: MirrorCompare | null;
}
