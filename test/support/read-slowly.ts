// A peer that takes what it is sent little by little.
import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface SlowReading {
  /** At each step about so many, at least one chunk. */
  readonly bytes: number;
  readonly everyMs: number;
  readonly forMs: number;
}

/** Afterwards the socket is paused. Whoever listens to `data` gets it, too. */
export async function readSlowly(socket: Socket, { bytes, everyMs, forMs }: SlowReading): Promise<void> {
  let left = 0;
  const count = (chunk: Buffer): void => {
    left -= chunk.length;
    if (left <= 0) socket.pause();
  };
  socket.on('data', count).pause();
  for (let ms = 0; ms < forMs; ms += everyMs) {
    left += bytes;
    if (left > 0) socket.resume();
    await delay(everyMs);
  }
  socket.pause().off('data', count);
}
