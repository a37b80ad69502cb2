// A key that all workers of all hosts of a fleet share, worked out from the fleet's own: a client that comes to another host resumes its session, and keeps
// its place, and nothing has to be sent between hosts.
import type { Clock } from '../../../health/clock.ts';
import type { KeyHome } from '../rotating-key.ts';

/** Periods are counted from 1970, so that all hosts change at the same time, as far as their clocks agree. Without rotation there is one. */
export function sharedKeyHome(keyOf: (period: number) => Buffer, clock: Pick<Clock, 'wallMs'>): KeyHome {
  return {
    now: (rotateMs) => {
      const wallMs = clock.wallMs();
      const period = Number.isFinite(rotateMs) ? Math.floor(wallMs / rotateMs) : 0;
      return { key: keyOf(period), leftMs: (period + 1) * rotateMs - wallMs };
    },
  };
}
