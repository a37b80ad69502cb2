// Two ends of an upgraded connection, as the tunnel between them sees each.

export interface TunnelListener {
  /** The bytes are the listener's to keep. */
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
  /** False: wait for onTunnelDrain. */
  write(chunk: Buffer): boolean;
  /** Half-close. */
  end(): void;
  destroy(): void;
  pause(): void;
  resume(): void;
}
