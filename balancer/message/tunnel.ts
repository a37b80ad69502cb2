// Two ends of an upgraded or passed-through connection, as the tunnel between them sees each.

export interface TunnelListener {
  /** The memory is the listener's until the write that takes the bytes on says that it flows; see `write`. */
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
