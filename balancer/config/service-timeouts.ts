// How long a service may take, as every other part reads it.

export interface ServiceTimeouts {
  readonly firstByteMs: number;
  readonly betweenBytesMs: number;
  /** One try, up to the first byte of its answer. `adaptive`: from the latencies seen, and only where there is another place to try; 0: none. */
  readonly tryMs: number | 'adaptive';
  /** The whole exchange, all attempts together; 0: none. */
  readonly requestMs: number;
  readonly tunnelIdleMs: number;
}
