// Two ends of an upgraded or passed-through connection, as the tunnel between them sees each.

export interface TunnelListener {
  /**
   * The memory is the listener's during the call alone: an end copies what it cannot send at once. The ends of what is passed through copy nothing,
   * and leave each other the memory until the write says that it flows; see `write`.
   */
  onTunnelData(chunk: Buffer): void;
  /** This end will send no more; the other direction goes on. */
  onTunnelEnd(): void;
  onTunnelDrain(): void;
  /** Both directions are over, well or not. */
  onTunnelClosed(): void;
}

export interface TunnelEnd {
  /** Starts delivering to `listener`; what had arrived already comes first. */
  attach(listener: TunnelListener): void;
  /** False: wait for onTunnelDrain, and let the end that the chunk came from read no more until then. */
  write(chunk: Buffer): boolean;
  /** Half-close. */
  end(): void;
  destroy(): void;
  pause(): void;
  resume(): void;
}
